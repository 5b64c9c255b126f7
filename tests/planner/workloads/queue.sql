-- A job queue for agents, grown: claims by a function, a dashboard, indexes of all degrees of usefulness.
--- schema
create table ops_missions (
  id bigserial primary key, title text not null, status text not null default 'queued',
  priority int not null default 5, created_by text not null, payload jsonb not null default '{}',
  created_at timestamptz not null default now(), updated_at timestamptz);
create table ops_mission_steps (
  id bigserial primary key, mission_id bigint not null references ops_missions (id) on delete cascade,
  step_no int not null, kind text not null, status text not null default 'queued',
  claimed_by text, claimed_at timestamptz, finished_at timestamptz, last_error text,
  attempt int not null default 0, created_at timestamptz not null default now(),
  constraint uq_mission_step unique (mission_id, step_no));
create index idx_steps_status_mission on ops_mission_steps (status, mission_id);
create index idx_steps_kind on ops_mission_steps (kind);
create table ops_agent_events (
  id bigserial primary key, mission_id bigint, agent_id text not null, type text not null,
  tags text[] not null default '{}', payload jsonb, created_at timestamptz not null default now());
create index idx_events_tags on ops_agent_events using gin (tags);
create table ops_outcomes (
  id bigserial primary key, mission_id bigint references ops_missions (id), agent_id text not null,
  success boolean not null, score numeric(5, 2), notes text, created_at timestamptz not null default now());
create index idx_outcomes_success on ops_outcomes (success);
create table ops_policy (key text primary key, value jsonb not null);
insert into ops_policy values ('quota.crawl', '{"per_day": 100000}'), ('auto_approve', '{"enabled": true}');
create function claim_mission_step(p_mission_id bigint, p_agent text) returns setof ops_mission_steps
language sql as $$
  update ops_mission_steps
     set status = 'running', claimed_by = p_agent, claimed_at = now(), attempt = attempt + 1
   where id = (select id from ops_mission_steps
                where mission_id = p_mission_id and status = 'queued'
                order by step_no for update skip locked limit 1)
  returning *
$$;
insert into ops_missions (title, status, priority, created_by, payload, created_at, updated_at)
select 'mission ' || g, case when g % 300 = 0 then 'queued' when g % 20 = 0 then 'failed' else 'succeeded' end, g % 10,
       'agent-' || g % 7, jsonb_build_object('seed', g, 'more', repeat('m', 60)), timestamptz '2025-06-01' - (g % 30) * interval '1 day', now()
from generate_series(1, 120000) g;
insert into ops_mission_steps (mission_id, step_no, kind, status, claimed_by, claimed_at, finished_at, attempt, created_at)
select m.id, s, (array['crawl', 'draft', 'review', 'post'])[s], case when m.status = 'queued' then 'queued' else 'succeeded' end,
       'agent-' || m.id % 7, m.created_at, m.created_at, 1, m.created_at
from ops_missions m, generate_series(1, 4) s;
insert into ops_agent_events (mission_id, agent_id, type, tags, payload, created_at)
select m.id, m.created_by, 'mission.done', array['mission', 'p' || m.priority], m.payload, m.created_at from ops_missions m;
insert into ops_outcomes (mission_id, agent_id, success, score, created_at, notes)
select id, created_by, status = 'succeeded', (id % 100), created_at, repeat('w', 40) from ops_missions;
--- run 20
select * from ops_missions where status = 'queued' order by priority desc, created_at limit 10;
--- run 20
select type, created_at from ops_agent_events where mission_id = 777 order by created_at;
--- run 20
select m.title, o.success, o.score from ops_missions m join ops_outcomes o on o.mission_id = m.id where m.id = 4321;
--- run 20
select id from claim_mission_step(300, 'agent-1');
--- run 20
select id, mission_id, claimed_by from ops_mission_steps where status = 'running' and claimed_at < now() - interval '5 minutes';
-- Traps: everything counted by a column of few values, a GIN index that serves, tables of a few rows.
--- run 3
select status, count(*) from ops_mission_steps group by status;
--- run 5
select success, count(*), avg(score) from ops_outcomes group by success;
--- run 5
select count(*) from ops_agent_events where tags @> array['p3'];
--- run 20
select key, value from ops_policy order by key;
--- run 20
update ops_missions set updated_at = now() where id = 99;
--- expect public.ops_missions (status, priority DESC, created_at)
--- expect public.ops_agent_events (mission_id)
--- expect public.ops_outcomes (mission_id)
