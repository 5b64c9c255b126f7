-- A shop: joins, composite conditions, orders with LIMIT, deletes through a foreign key, an expression.
--- schema
create table customers (id bigserial primary key, email text not null, country text, note text);
insert into customers (email, country, note)
select 'User' || g || '@example.org', (array['PL', 'DE', 'FR', 'IT'])[1 + g % 4], repeat('n', 150) from generate_series(1, 60000) g;
create table orders (
  id bigserial primary key, customer_id bigint not null references customers (id), status text not null,
  total numeric(12, 2) not null, created_at timestamptz not null, note text);
insert into orders (customer_id, status, total, created_at, note)
select 1 + (g::bigint * 7919) % 60000, (array['new', 'paid', 'sent', 'done', 'done', 'done'])[1 + g % 6], g % 1000,
       timestamptz '2025-01-01 00:00+00' + g * interval '1 minute', repeat('o', 80)
from generate_series(1, 300000) g;
create table order_items (
  id bigserial primary key, order_id bigint not null references orders (id) on delete cascade,
  sku text not null, qty int not null, price numeric(10, 2) not null);
insert into order_items (order_id, sku, qty, price)
select 1 + (g::bigint * 31) % 300000, 'SKU-' || (g * 7) % 5000, 1 + g % 3, g % 90 from generate_series(1, 600000) g;
create table countries (code text primary key, name text);
insert into countries select c, 'country ' || c from unnest(array['PL', 'DE', 'FR', 'IT']) c;
-- Five orders a customer: an index on the customer is enough for the sort as well.
--- run 20
select id, total, status from orders where customer_id = 4711 order by created_at desc limit 5;
--- run 20
select o.id, o.total, c.email from orders o join customers c on c.id = o.customer_id where o.customer_id = 815;
--- run 10
select count(*) from orders where customer_id = 99 and status = 'paid';
--- run 20
select i.sku, i.qty, i.price from order_items i join orders o on o.id = i.order_id where o.id = 1234;
--- run 4
delete from orders where id = 299999;
--- run 10
select id, email from customers where lower(email) = 'user42@example.org';
--- run 10
select sum(qty * price) from order_items where sku = 'SKU-77' and qty = 2;
--- run 5
select o.id from orders o where o.customer_id = 17 and exists (select 1 from order_items i where i.order_id = o.id);
-- Traps: few values, a tiny table, OR over two columns, a negation, aggregates of everything, a key that exists.
--- run 5
select status, count(*) from orders group by status;
--- run 5
select c.name, count(*) from customers u join countries c on c.code = u.country group by c.name;
--- run 5
select count(*) from orders where status = 'done';
--- run 5
select id from orders where customer_id = 5 or total = 3;
--- run 5
select count(*) from customers where country <> 'PL';
--- run 50
select email from customers where id = 7;
--- expect public.orders (customer_id)
--- expect public.order_items (order_id)
--- expect public.order_items (sku) INCLUDE (price, qty)
--- expect public.customers (lower(email))
