-- A log of events: a queue of few open rows, a range within a tenant, prefixes, an index that holds what is read.
--- schema
create table events (
  id bigserial primary key, tenant_id int not null, kind text not null, user_id int not null, path text not null,
  amount int not null, processed boolean not null, deleted_at timestamptz, created_at timestamptz not null, payload text);
insert into events (tenant_id, kind, user_id, path, amount, processed, deleted_at, created_at, payload)
select (g::bigint * 131) % 200, (array['view', 'click', 'login', 'buy'])[1 + g % 4], (g::bigint * 7919) % 1000,
       '/shop/' || (g::bigint * 17) % 9000 || '/item', g % 100, g < 399700,
       case when g % 400 = 0 then timestamptz '2025-06-01 00:00+00' end,
       timestamptz '2025-01-01 00:00+00' + g * interval '10 seconds', repeat('p', 60)
from generate_series(1, 400000) g;
create table pages (id serial primary key, path text not null, title text not null);
insert into pages (path, title) select '/shop/' || (g::bigint * 17) % 90000 || '/item', repeat('t', 80) from generate_series(1, 120000) g;
create table devices (id serial primary key, name text, tenant_id int);
insert into devices (name, tenant_id) select 'device ' || g, g % 200 from generate_series(1, 3000) g;
-- Open rows, oldest first: only they belong into the index.
--- run 20
select id, payload from events where not processed order by created_at limit 50;
--- run 20
select kind, amount from events where tenant_id = 17 and created_at >= '2025-02-01' and created_at < '2025-02-02';
--- run 20
select id, kind from events where tenant_id = 23 order by created_at desc limit 20;
--- run 20
select id, title from pages where starts_with(path, '/shop/4711/');
--- run 20
select sum(amount) from events where user_id = 321;
--- run 10
select count(*) from events where deleted_at is not null and tenant_id = 100;
-- Traps: few values, functions and casts of columns, NULL as the common case, a small table, an OFFSET that reads on.
--- run 3
select count(*) from events where kind = 'view';
--- run 3
select count(*) from events where date_trunc('day', created_at) = '2025-01-05';
--- run 3
select count(*) from events where created_at::date = '2025-01-05';
--- run 3
select count(*) from events where deleted_at is null;
--- run 3
select count(*) from pages where path like '%item-9%';
--- run 20
select name from devices where tenant_id = 9;
--- run 3
select id, payload from events order by payload offset 100000 limit 5;
--- run 50
update events set payload = 'seen' where id = 77;
--- expect public.events (created_at) WHERE NOT processed
--- expect public.events (tenant_id, created_at)
--- expect public.pages (path text_pattern_ops)
--- expect public.events (user_id) INCLUDE (amount)
