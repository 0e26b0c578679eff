//! The tables of this room (本模块的表): journal, queue, outbox, files, settings.
//!
//! Guarantees: journal rows cannot be changed or removed through either database without first removing a trigger, which
//! only the owner of the database can do and [`crate::journal::verify`] then finds. Deliberately absent: everything that
//! belongs to a room above.

use crate::Migration;

/// The migrations of this crate (本模块的迁移), in order.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "0001 store",
    sql: FIRST,
}];

/// The migrations a database needs for this crate alone.
pub fn migrations() -> Vec<Migration> {
    MIGRATIONS.to_vec()
}

const FIRST: &str = r"
create table store_setting (
  name {text} not null primary key,
  value {text} not null
);

create table store_journal (
  seq {int} not null primary key,
  at {instant} not null,
  officer {id} not null,
  purpose {text} not null,
  act {text} not null,
  subject_kind {text} not null,
  subject_id {text} not null,
  region {text},
  detail {text} not null,
  previous {text} not null,
  hash {text} not null
);
create index store_journal_subject on store_journal (subject_kind, subject_id, seq);
create index store_journal_officer on store_journal (officer, seq);
create index store_journal_region on store_journal (region, seq);
create index store_journal_at on store_journal (at, seq);

create table store_journal_head (
  id {int} not null primary key check (id = 1),
  seq {int} not null,
  hash {text} not null
);
insert into store_journal_head (id, seq, hash) values (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

-- only postgres
create function store_refuse_change() returns trigger language plpgsql as $$ begin raise exception '% is append-only', tg_table_name; end $$;
{never_changes store_journal};

create table store_job (
  id {id} not null primary key,
  kind {text} not null,
  payload {text} not null,
  unique_key {text},
  state {text} not null,
  run_after {instant} not null,
  attempts {int} not null,
  attempts_max {int} not null,
  fence {int} not null,
  worker {text},
  lease_until {instant},
  done {int} not null,
  total {int},
  note {text},
  created_at {instant} not null,
  started_at {instant},
  finished_at {instant}
);
create index store_job_due on store_job (state, run_after, id);
create unique index store_job_unique on store_job (kind, unique_key) where unique_key is not null and state in ('queued', 'running');

create table store_message (
  id {id} not null primary key,
  channel {text} not null,
  recipient {bytes} not null,
  body {bytes} not null,
  subject_kind {text} not null,
  subject_id {text} not null,
  state {text} not null,
  job {id} not null,
  note {text},
  created_at {instant} not null,
  finished_at {instant}
);
create index store_message_state on store_message (state, created_at, id);
create index store_message_subject on store_message (subject_kind, subject_id, created_at);

create table store_file (
  id {id} not null primary key,
  address {text} not null,
  sm3 {text} not null,
  size {int} not null,
  media_type {text} not null,
  name {bytes},
  created_at {instant} not null
);
create index store_file_address on store_file (address);
";
