-- Tenants in schemas of their own, found by the search_path of the database; names that need quotes; the newest of many.
--- schema
create schema tenant_a;
create schema tenant_b;
create schema "Core";
create table tenant_a.invoices (id serial primary key, customer_ref text not null, amount numeric(12, 2) not null, issued_on date not null, note text);
create table tenant_b.invoices (like tenant_a.invoices including all);
insert into tenant_a.invoices (customer_ref, amount, issued_on, note)
select 'C' || g % 20000, g % 900, date '2025-01-01' + g % 700, repeat('n', 60) from generate_series(1, 250000) g;
insert into tenant_b.invoices (id, customer_ref, amount, issued_on, note)
select g, 'C' || g % 20000, g % 900, date '2025-01-01' + g % 700, repeat('n', 60) from generate_series(1, 4000) g;
create table public.readings (id bigserial primary key, device text not null, at timestamp not null, value double precision, raw text);
insert into public.readings (device, at, value, raw)
select 'd' || (g::bigint * 7919) % 500, timestamp '2026-01-01' + g * interval '1 second', g % 100, repeat('r', 40) from generate_series(1, 400000) g;
create table "Core"."Accounts" ("Id" serial primary key, "DisplayName" text not null, "Plan" text not null, "Settings" jsonb not null);
insert into "Core"."Accounts" ("DisplayName", "Plan", "Settings")
select 'Name ' || md5(g::text), (array['free', 'free', 'pro'])[1 + g % 3], jsonb_build_object('region', 'r' || g % 30) from generate_series(1, 100000) g;
create table "Core"."Projects" ("Id" serial primary key, "AccountId" int not null, "Name" text not null, "Status" smallint not null);
insert into "Core"."Projects" ("AccountId", "Name", "Status")
select 1 + (g::bigint * 31) % 100000, 'Project ' || repeat('p', 60) || g, g % 6 from generate_series(1, 250000) g;
alter database proof_tenants set search_path = tenant_a, public;
-- Which invoices these are is told by the path only.
--- run 20
select id, amount from invoices where customer_ref = 'C77';
--- run 10
update invoices set note = 'seen' where customer_ref = 'C4711' and issued_on > date '2026-06-01';
-- Read in the order of time, a device that is silent would be looked for in everything.
--- run 10
select at, value from readings where device = 'd7' order by at desc limit 1;
--- run 10
select at, value from readings where device = 'left in spring' order by at desc limit 1;
--- run 20
select p."Name", p."Status" from "Core"."Projects" p where p."AccountId" = 123;
--- run 10
select a."DisplayName", p."Name" from "Core"."Accounts" a join "Core"."Projects" p on p."AccountId" = a."Id" where a."Id" in (7, 8, 9);
-- Traps: the other tenant's few rows, a pattern that begins anywhere, a member of a document, few values.
--- run 5
select count(*) from tenant_b.invoices where customer_ref = 'C77';
--- run 5
select a."Id" from "Core"."Accounts" a where a."DisplayName" ilike '%c0ffee%' limit 10;
--- run 5
select count(*) from "Core"."Accounts" a where a."Settings" ->> 'region' = 'r7';
--- run 5
select count(*) from "Core"."Accounts" a where a."Plan" = 'free';
--- expect tenant_a.invoices (customer_ref)
--- expect public.readings (device, at)
--- expect Core.Projects (AccountId)
--- never tenant_b.invoices
--- never Core.Accounts
