-- The shop with one of everything, grown: a big log without an index, an unindexed foreign key, duplicates, partitions.
--- schema
create table customers_wide (id bigserial primary key, email text not null, country text, attr_1 text, attr_2 text,
  created_at timestamptz default now());
insert into customers_wide (email, country, attr_1, attr_2)
select 'user' || g || '@example.org', (array['PL', 'DE', 'FR', null])[1 + g % 4], repeat('x', g % 50), repeat('y', 90)
from generate_series(1, 80000) g;
create unique index uq_customers_wide_email on customers_wide (email);
create index idx_customers_wide_country_partial on customers_wide (country) where country is not null;
create index idx_customers_wide_lower_email on customers_wide (lower(email));
create table orders (
  id bigserial primary key, customer_id bigint not null references customers_wide (id),
  ref text, status text not null default 'new', total numeric(12, 2) not null default 0,
  created_at timestamptz not null default now(), updated_at timestamptz);
insert into orders (customer_id, ref, status, total)
select 1 + (g::bigint * 7919) % 80000, 'R' || g / 2, (array['new', 'paid', 'sent'])[1 + g % 3], g % 1000 from generate_series(1, 160000) g;
create index idx_orders_customer on orders (customer_id);
create index idx_orders_customer_created on orders (customer_id, created_at);
create index idx_orders_status on orders (status);
create table order_items (
  id bigserial primary key, order_id bigint not null references orders (id) on delete cascade,
  sku text not null, qty int not null, price numeric(10, 2) not null);
insert into order_items (order_id, sku, qty, price)
select 1 + (g::bigint * 31) % 160000, 'SKU-' || g % 500, 1 + g % 3, g % 90 from generate_series(1, 320000) g;
create table event_log_big (id bigserial primary key, kind text, actor int, body text, at timestamptz default now());
insert into event_log_big (kind, actor, body, at)
select 'k' || g % 40, (g::bigint * 7919) % 2000, repeat(md5(g::text), 3), timestamptz '2025-01-01' + g * interval '1 second' from generate_series(1, 200000) g;
create table metrics (device int not null, at timestamptz not null, value double precision, source text, note text, primary key (device, at)) partition by range (at);
do $$
begin
  for m in 0 .. 5 loop
    execute format('create table metrics_%s partition of metrics for values from (%L) to (%L)', m,
      timestamptz '2025-01-01 00:00+00' + m * interval '1 month', timestamptz '2025-01-01 00:00+00' + (m + 1) * interval '1 month');
  end loop;
end $$;
create table metrics_default partition of metrics default;
insert into metrics
select g % 50, timestamptz '2025-01-01 00:00+00' + g * interval '50 seconds', g % 100, 'source ' || (g::bigint * 7919) % 3000, repeat('z', 50)
from generate_series(1, 300000) g on conflict do nothing;
create function order_total(p bigint) returns numeric language plpgsql stable as $$
declare r numeric; begin select sum(qty * price) into r from order_items where order_id = p; return r; end $$;
--- run 20
select count(*), max(at) from event_log_big where actor = 650;
--- run 20
select order_total(99);
--- run 5
delete from orders where id = 160000;
--- run 20
select at, value from metrics where source = 'source 42';
-- Traps: what exists serves, also by its expression, its predicate and its second column; few values; a sort with OFFSET.
--- run 20
select date_trunc('day', at) as day, avg(value) from metrics where device = 7 and at >= '2025-03-01 00:00+00' and at < '2025-04-01 00:00+00' group by 1 order by 1;
--- run 20
select o.id, o.total, c.email from orders o join customers_wide c on c.id = o.customer_id where o.customer_id = 12 order by o.created_at desc limit 5;
--- run 20
select id from customers_wide where lower(email) = 'user9@example.org';
--- run 3
select count(*) from customers_wide where country = 'PL';
--- run 3
select count(*) from orders where status = 'paid';
--- run 2
select kind, body from event_log_big order by body desc offset 5000 limit 5;
--- run 20
update orders set status = 'paid' where id = 5;
--- expect public.event_log_big (actor) INCLUDE (at)
--- expect public.order_items (order_id)
--- expect public.metrics (source) INCLUDE (at, value)
