//! The tables of casework (办件数据表): drafts, applications, cases and everything that happens to them.
//!
//! Guarantees: events, determinations and decisions are never changed or deleted; the database itself refuses. Only this
//! crate writes these tables. Deliberately absent: names in clear, except the one a public notice shows by law.

pub(crate) mod adjustment;
pub(crate) mod adjustment_line;
pub(crate) mod application;
pub(crate) mod case;
pub(crate) mod clock;
pub(crate) mod daily;
pub(crate) mod decision;
pub(crate) mod determination;
pub(crate) mod draft;
pub(crate) mod draft_change;
pub(crate) mod event;
pub(crate) mod evidence;
pub(crate) mod finding_objection;
pub(crate) mod lead;
pub(crate) mod letter;
pub(crate) mod letter_print;
pub(crate) mod life_event;
pub(crate) mod life_event_line;
pub(crate) mod notice;
pub(crate) mod objection;
pub(crate) mod rating;
pub(crate) mod review;
pub(crate) mod rule_draft;
pub(crate) mod rule_edition;
pub(crate) mod rule_file;
pub(crate) mod rule_text;
pub(crate) mod submission;
pub(crate) mod task;

use store::Migration;

/// The migrations of this crate (建表).
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "0040_casework",
        sql: CASEWORK,
    },
    Migration {
        name: "0041_adjustment",
        sql: ADJUSTMENT,
    },
    Migration {
        name: "0042_rulebook",
        sql: RULEBOOK,
    },
    Migration {
        name: "0043_life_event",
        sql: LIFE_EVENT,
    },
    Migration {
        name: "0044_draft_change",
        sql: DRAFT_CHANGE,
    },
    Migration {
        name: "0045_lead",
        sql: LEAD,
    },
    Migration {
        name: "0046_consent_moves",
        sql: CONSENT_MOVES,
    },
    Migration {
        name: "0047_finding_objection",
        sql: FINDING_OBJECTION,
    },
    Migration {
        name: "0048_letter_print",
        sql: LETTER_PRINT,
    },
    Migration {
        name: "0049_rating",
        sql: RATING,
    },
];

const RATING: &str = "
CREATE TABLE casework_rating (
  id {id} NOT NULL PRIMARY KEY,
  case_id {id} NOT NULL REFERENCES casework_case (id),
  event_seq {int} NOT NULL,
  round {int} NOT NULL,
  region {text} NOT NULL,
  programme {text} NOT NULL,
  side {text} NOT NULL,
  grade {int} NOT NULL,
  indicators {text} NOT NULL,
  said {bytes},
  rated_officer {id} NOT NULL,
  at {instant} NOT NULL,
  on_day {date} NOT NULL,
  state {text} NOT NULL,
  due_on {date},
  taken_by {id},
  taker {text} NOT NULL,
  taken_on {date},
  result {bytes},
  mended_on {date},
  mender {text} NOT NULL,
  UNIQUE (case_id, event_seq, round)
);
CREATE INDEX casework_rating_region ON casework_rating (region, on_day);
CREATE INDEX casework_rating_open ON casework_rating (region, due_on) WHERE state IN ('open', 'taken');
";

/// The migrations of this crate and of those it stands on, in order, without repeats (全部建表).
pub fn migrations() -> Vec<Migration> {
    let mut all: Vec<Migration> = Vec::new();
    for migration in registry::migrations()
        .into_iter()
        .chain(ledger::migrations())
        .chain(MIGRATIONS.iter().copied())
    {
        if !all.contains(&migration) {
            all.push(migration);
        }
    }
    all
}

/// Consents stand in the register since, where whoever enquires finds them too; what was recorded here goes along.
const CONSENT_MOVES: &str = registry::consents_moved_from!("casework_authorisation");

const FINDING_OBJECTION: &str = "
CREATE TABLE casework_finding_objection (
  id {id} NOT NULL PRIMARY KEY,
  case_id {id} NOT NULL REFERENCES casework_case (id),
  subject_kind {text} NOT NULL,
  subject_id {id} NOT NULL,
  fact {text} NOT NULL,
  department {text} NOT NULL,
  valid_from {date},
  valid_until {date},
  value {text} NOT NULL,
  by_id {id} NOT NULL,
  said {bytes} NOT NULL,
  papers {text} NOT NULL,
  at {instant} NOT NULL,
  on_day {date} NOT NULL,
  due_on {date} NOT NULL,
  officer_id {id} NOT NULL,
  taken_by {id} NOT NULL,
  answered_on {date},
  answered_by {id},
  answerer {text} NOT NULL,
  upheld {bool},
  reason {text} NOT NULL
);
CREATE INDEX casework_finding_objection_case ON casework_finding_objection (case_id);
";

/// A letter keeps the template it was issued with, and which letters were printed together is known.
const LETTER_PRINT: &str = "
ALTER TABLE casework_letter ADD COLUMN template_sm3 {text};
ALTER TABLE casework_letter ADD COLUMN shared_sm3 {text};
CREATE INDEX casework_letter_issued ON casework_letter (issued_on);
CREATE TABLE casework_letter_print (
  id {id} NOT NULL PRIMARY KEY,
  printing_id {id} NOT NULL,
  place {int} NOT NULL,
  letter_id {id} NOT NULL REFERENCES casework_letter (id),
  lang {text} NOT NULL,
  officer_id {id} NOT NULL,
  officer {text} NOT NULL,
  at {instant} NOT NULL
);
CREATE INDEX casework_letter_print_letter ON casework_letter_print (letter_id);
CREATE UNIQUE INDEX casework_letter_print_printing ON casework_letter_print (printing_id, place);
";

const CASEWORK: &str = "
CREATE TABLE casework_draft (
  id {id} NOT NULL PRIMARY KEY,
  household_id {id} NOT NULL,
  region {text} NOT NULL,
  officer_id {id} NOT NULL,
  programmes {text} NOT NULL,
  answers {text} NOT NULL,
  version {int} NOT NULL,
  started_at {instant} NOT NULL,
  saved_at {instant} NOT NULL,
  submitted_at {instant}
);
CREATE INDEX casework_draft_region ON casework_draft (region, saved_at);
CREATE INDEX casework_draft_household ON casework_draft (household_id);
CREATE TABLE casework_submission (
  key {text} NOT NULL PRIMARY KEY,
  body_sm3 {text} NOT NULL,
  answer {text},
  at {instant} NOT NULL
);
CREATE TABLE casework_application (
  id {id} NOT NULL PRIMARY KEY,
  household_id {id} NOT NULL,
  region {text} NOT NULL,
  applicant_id {id} NOT NULL,
  applied_by {text} NOT NULL,
  agent_id {id},
  agent_relation {text},
  channel {text} NOT NULL,
  receipt_key {text} NOT NULL,
  answers {text} NOT NULL,
  submitted_at {instant} NOT NULL,
  submitted_on {date} NOT NULL,
  officer_id {id} NOT NULL
);
CREATE UNIQUE INDEX casework_application_receipt ON casework_application (receipt_key);
CREATE INDEX casework_application_household ON casework_application (household_id);
CREATE TABLE casework_case (
  id {id} NOT NULL PRIMARY KEY,
  number {text} NOT NULL,
  application_id {id} NOT NULL REFERENCES casework_application (id),
  programme {text} NOT NULL,
  household_id {id} NOT NULL,
  member_id {id},
  applicant_id {id} NOT NULL,
  applicant_masked {text} NOT NULL,
  subject_masked {text} NOT NULL,
  member_count {int} NOT NULL,
  region {text} NOT NULL,
  state {text} NOT NULL,
  kind {text} NOT NULL,
  queue {text} NOT NULL,
  version {int} NOT NULL,
  applied_on {date} NOT NULL,
  accepted_on {date},
  decided_on {date},
  outcome {text},
  amount {fen},
  determination_id {id},
  decision_id {id},
  entitlement_id {id},
  sampled {bool} NOT NULL,
  taken_over {bool} NOT NULL,
  due_on {date},
  warn_on {date},
  provisional {bool} NOT NULL,
  paused {bool} NOT NULL,
  last_officer_id {id},
  last_officer {text} NOT NULL,
  updated_at {instant} NOT NULL
);
CREATE UNIQUE INDEX casework_case_number ON casework_case (number);
CREATE INDEX casework_case_region ON casework_case (region, kind, due_on);
CREATE INDEX casework_case_household ON casework_case (household_id);
CREATE INDEX casework_case_applicant ON casework_case (applicant_id);
CREATE INDEX casework_case_application ON casework_case (application_id);
CREATE TABLE casework_event (
  id {id} NOT NULL PRIMARY KEY,
  case_id {id} NOT NULL REFERENCES casework_case (id),
  seq {int} NOT NULL,
  act {text} NOT NULL,
  at {instant} NOT NULL,
  on_day {date} NOT NULL,
  officer_id {id} NOT NULL,
  officer {text} NOT NULL,
  from_state {text} NOT NULL,
  to_state {text} NOT NULL,
  opinion {text} NOT NULL,
  input {text} NOT NULL,
  determination_id {id},
  decision_id {id}
);
CREATE UNIQUE INDEX casework_event_case ON casework_event (case_id, seq);
CREATE TABLE casework_clock (
  id {id} NOT NULL PRIMARY KEY,
  case_id {id} NOT NULL REFERENCES casework_case (id),
  clock {text} NOT NULL,
  started_on {date} NOT NULL,
  anchor_on {date} NOT NULL,
  remaining {int} NOT NULL,
  total {int} NOT NULL,
  due_on {date},
  warn_on {date},
  missing_year {int},
  paused_from {date},
  paused_until {date},
  extended {bool} NOT NULL,
  stopped_on {date},
  calendar {text} NOT NULL
);
CREATE INDEX casework_clock_case ON casework_clock (case_id);
CREATE TABLE casework_task (
  id {id} NOT NULL PRIMARY KEY,
  case_id {id} NOT NULL REFERENCES casework_case (id),
  kind {text} NOT NULL,
  role {text} NOT NULL,
  region {text} NOT NULL,
  shows_from {date},
  due_on {date},
  warn_on {date},
  detail {text} NOT NULL,
  opened_at {instant} NOT NULL,
  closed_at {instant},
  closed_by {id}
);
CREATE INDEX casework_task_queue ON casework_task (closed_at, role, region, due_on);
CREATE INDEX casework_task_case ON casework_task (case_id, closed_at);
CREATE TABLE casework_evidence (
  id {id} NOT NULL PRIMARY KEY,
  case_id {id} NOT NULL REFERENCES casework_case (id),
  region {text} NOT NULL,
  kind {text} NOT NULL,
  file_id {text} NOT NULL,
  name {text} NOT NULL,
  media {text} NOT NULL,
  size {int} NOT NULL,
  note {text} NOT NULL,
  officer_id {id} NOT NULL,
  officer {text} NOT NULL,
  at {instant} NOT NULL
);
CREATE INDEX casework_evidence_case ON casework_evidence (case_id);
CREATE TABLE casework_authorisation (
  id {id} NOT NULL PRIMARY KEY,
  person_id {id} NOT NULL,
  household_id {id} NOT NULL,
  region {text} NOT NULL,
  purpose {text} NOT NULL,
  way {text} NOT NULL,
  signed_on {date} NOT NULL,
  until {date},
  file_id {text},
  signed_by_id {id},
  officer_id {id} NOT NULL,
  at {instant} NOT NULL,
  withdrawn_on {date}
);
CREATE INDEX casework_authorisation_person ON casework_authorisation (person_id);
CREATE INDEX casework_authorisation_household ON casework_authorisation (household_id);
CREATE TABLE casework_determination (
  id {id} NOT NULL PRIMARY KEY,
  case_id {id} NOT NULL REFERENCES casework_case (id),
  programme {text} NOT NULL,
  origin {text} NOT NULL,
  outcome {text} NOT NULL,
  amount {fen},
  as_of {date} NOT NULL,
  known_at {instant} NOT NULL,
  pack_version {text} NOT NULL,
  pack_hash {text} NOT NULL,
  canonical {text} NOT NULL,
  sm3 {text} NOT NULL,
  excerpt {text} NOT NULL,
  at {instant} NOT NULL
);
CREATE INDEX casework_determination_case ON casework_determination (case_id);
CREATE TABLE casework_decision (
  id {id} NOT NULL PRIMARY KEY,
  case_id {id} NOT NULL REFERENCES casework_case (id),
  kind {text} NOT NULL,
  determination_id {id},
  decided_on {date} NOT NULL,
  from_month {text},
  amount {fen},
  grounds {text} NOT NULL,
  opinion {text} NOT NULL,
  officer_id {id} NOT NULL,
  officer {text} NOT NULL,
  foreign_number {text},
  at {instant} NOT NULL
);
CREATE INDEX casework_decision_case ON casework_decision (case_id);
CREATE TABLE casework_notice (
  id {id} NOT NULL PRIMARY KEY,
  case_id {id} NOT NULL REFERENCES casework_case (id),
  programme {text} NOT NULL,
  region {text} NOT NULL,
  place {text} NOT NULL,
  fields {text} NOT NULL,
  name {text} NOT NULL,
  member_count {int} NOT NULL,
  amount {fen},
  article {text} NOT NULL,
  posted_on {date} NOT NULL,
  ends_on {date} NOT NULL,
  taken_down_on {date}
);
CREATE INDEX casework_notice_region ON casework_notice (region, ends_on);
CREATE INDEX casework_notice_case ON casework_notice (case_id);
CREATE TABLE casework_objection (
  id {id} NOT NULL PRIMARY KEY,
  case_id {id} NOT NULL REFERENCES casework_case (id),
  notice_id {id},
  channel {text} NOT NULL,
  said {bytes} NOT NULL,
  contact {bytes},
  at {instant} NOT NULL,
  on_day {date} NOT NULL,
  settled_on {date},
  settlement {text}
);
CREATE INDEX casework_objection_case ON casework_objection (case_id);
CREATE TABLE casework_letter (
  id {id} NOT NULL PRIMARY KEY,
  case_id {id} NOT NULL REFERENCES casework_case (id),
  kind {text} NOT NULL,
  event_seq {int} NOT NULL,
  issued_on {date} NOT NULL,
  sealed {bytes} NOT NULL,
  at {instant} NOT NULL
);
CREATE INDEX casework_letter_case ON casework_letter (case_id);
CREATE TABLE casework_serial (
  prefix {text} NOT NULL,
  year {int} NOT NULL,
  last {int} NOT NULL,
  PRIMARY KEY (prefix, year)
);
-- only postgres
CREATE FUNCTION casework_refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''% is append-only'', TG_TABLE_NAME; END';
-- only sqlite
CREATE TRIGGER casework_event_no_update BEFORE UPDATE ON casework_event BEGIN SELECT RAISE(ABORT, 'casework_event is append-only'); END;
-- only sqlite
CREATE TRIGGER casework_event_no_delete BEFORE DELETE ON casework_event BEGIN SELECT RAISE(ABORT, 'casework_event is append-only'); END;
-- only postgres
CREATE TRIGGER casework_event_fixed BEFORE UPDATE OR DELETE OR TRUNCATE ON casework_event FOR EACH STATEMENT EXECUTE FUNCTION casework_refuse_change();
-- only sqlite
CREATE TRIGGER casework_determination_no_update BEFORE UPDATE ON casework_determination BEGIN SELECT RAISE(ABORT, 'casework_determination is append-only'); END;
-- only sqlite
CREATE TRIGGER casework_determination_no_delete BEFORE DELETE ON casework_determination BEGIN SELECT RAISE(ABORT, 'casework_determination is append-only'); END;
-- only postgres
CREATE TRIGGER casework_determination_fixed BEFORE UPDATE OR DELETE OR TRUNCATE ON casework_determination FOR EACH STATEMENT EXECUTE FUNCTION casework_refuse_change();
-- only sqlite
CREATE TRIGGER casework_decision_no_update BEFORE UPDATE ON casework_decision BEGIN SELECT RAISE(ABORT, 'casework_decision is append-only'); END;
-- only sqlite
CREATE TRIGGER casework_decision_no_delete BEFORE DELETE ON casework_decision BEGIN SELECT RAISE(ABORT, 'casework_decision is append-only'); END;
-- only postgres
CREATE TRIGGER casework_decision_fixed BEFORE UPDATE OR DELETE OR TRUNCATE ON casework_decision FOR EACH STATEMENT EXECUTE FUNCTION casework_refuse_change();
";

const DRAFT_CHANGE: &str = "
CREATE TABLE casework_draft_change (
  id {id} NOT NULL PRIMARY KEY,
  draft_id {id} NOT NULL REFERENCES casework_draft (id),
  version {int} NOT NULL,
  person_id {id},
  fact {text} NOT NULL,
  before {text},
  after {text},
  officer_id {id} NOT NULL,
  officer {text} NOT NULL,
  at {instant} NOT NULL
);
CREATE INDEX casework_draft_change_draft ON casework_draft_change (draft_id, version);
";

const ADJUSTMENT: &str = "
CREATE TABLE casework_adjustment (
  id {id} NOT NULL PRIMARY KEY,
  region {text} NOT NULL,
  programmes {text} NOT NULL,
  from_month {text} NOT NULL,
  basis {text} NOT NULL,
  reverses {id} REFERENCES casework_adjustment (id),
  state {text} NOT NULL,
  pack_version {text} NOT NULL,
  pack_hash {text} NOT NULL,
  looked_at {int} NOT NULL,
  proposed_by {id} NOT NULL,
  proposer {text} NOT NULL,
  proposed_at {instant} NOT NULL,
  approved_by {id},
  approver {text},
  approved_at {instant}
);
CREATE INDEX casework_adjustment_region ON casework_adjustment (region, proposed_at);
CREATE TABLE casework_adjustment_line (
  id {id} NOT NULL PRIMARY KEY,
  adjustment_id {id} NOT NULL REFERENCES casework_adjustment (id),
  case_id {id} NOT NULL REFERENCES casework_case (id),
  number {text} NOT NULL,
  programme {text} NOT NULL,
  region {text} NOT NULL,
  subject_masked {text} NOT NULL,
  amount_before {fen} NOT NULL,
  amount_after {fen},
  difference {text} NOT NULL,
  result {text},
  said {text} NOT NULL,
  determination_id {id},
  decision_id {id}
);
CREATE UNIQUE INDEX casework_adjustment_line_case ON casework_adjustment_line (adjustment_id, case_id);
CREATE INDEX casework_adjustment_line_open ON casework_adjustment_line (adjustment_id, result, number);
";

const RULEBOOK: &str = "
CREATE TABLE casework_rule_text (
  sm3 {text} NOT NULL PRIMARY KEY,
  text {text} NOT NULL
);
CREATE TABLE casework_rule_edition (
  number {int} NOT NULL PRIMARY KEY,
  region {text} NOT NULL,
  kind {text} NOT NULL,
  programme {text} NOT NULL,
  sm3 {text} NOT NULL,
  book_version {text} NOT NULL,
  book_hash {text} NOT NULL,
  files {text} NOT NULL,
  delivered {text} NOT NULL,
  changed {text} NOT NULL,
  from_day {date} NOT NULL,
  basis {text} NOT NULL,
  correction {text} NOT NULL,
  draft_id {id},
  proposed_by {id},
  proposer {text} NOT NULL,
  published_by {id},
  publisher {text} NOT NULL,
  published_at {instant} NOT NULL
);
CREATE TABLE casework_rule_draft (
  id {id} NOT NULL PRIMARY KEY,
  region {text} NOT NULL,
  programme {text} NOT NULL,
  state {text} NOT NULL,
  version {int} NOT NULL,
  basis {text} NOT NULL,
  correction {text} NOT NULL,
  from_day {date},
  checked {text} NOT NULL,
  sm3 {text} NOT NULL,
  edition {int},
  writers {text} NOT NULL,
  started_by {id} NOT NULL,
  starter {text} NOT NULL,
  started_at {instant} NOT NULL,
  saved_at {instant} NOT NULL,
  proposed_by {id},
  proposer {text} NOT NULL,
  proposed_at {instant},
  closed_by {id},
  closer {text} NOT NULL,
  closed_at {instant}
);
CREATE INDEX casework_rule_draft_region ON casework_rule_draft (region, saved_at);
CREATE UNIQUE INDEX casework_rule_draft_open ON casework_rule_draft (region, programme) WHERE state IN ('draft', 'proposed');
CREATE TABLE casework_rule_file (
  id {id} NOT NULL PRIMARY KEY,
  draft_id {id} NOT NULL REFERENCES casework_rule_draft (id),
  path {text} NOT NULL,
  base_sm3 {text} NOT NULL,
  text {text} NOT NULL,
  made {bool} NOT NULL,
  saved_by {id} NOT NULL,
  saver {text} NOT NULL,
  saved_at {instant} NOT NULL
);
CREATE UNIQUE INDEX casework_rule_file_path ON casework_rule_file (draft_id, path);
-- only sqlite
CREATE TRIGGER casework_rule_text_no_update BEFORE UPDATE ON casework_rule_text BEGIN SELECT RAISE(ABORT, 'casework_rule_text is append-only'); END;
-- only sqlite
CREATE TRIGGER casework_rule_text_no_delete BEFORE DELETE ON casework_rule_text BEGIN SELECT RAISE(ABORT, 'casework_rule_text is append-only'); END;
-- only postgres
CREATE TRIGGER casework_rule_text_fixed BEFORE UPDATE OR DELETE OR TRUNCATE ON casework_rule_text FOR EACH STATEMENT EXECUTE FUNCTION casework_refuse_change();
-- only sqlite
CREATE TRIGGER casework_rule_edition_no_update BEFORE UPDATE ON casework_rule_edition BEGIN SELECT RAISE(ABORT, 'casework_rule_edition is append-only'); END;
-- only sqlite
CREATE TRIGGER casework_rule_edition_no_delete BEFORE DELETE ON casework_rule_edition BEGIN SELECT RAISE(ABORT, 'casework_rule_edition is append-only'); END;
-- only postgres
CREATE TRIGGER casework_rule_edition_fixed BEFORE UPDATE OR DELETE OR TRUNCATE ON casework_rule_edition FOR EACH STATEMENT EXECUTE FUNCTION casework_refuse_change();
";

const LIFE_EVENT: &str = "
CREATE TABLE casework_review (
  id {id} NOT NULL PRIMARY KEY,
  case_id {id} NOT NULL REFERENCES casework_case (id),
  programme {text} NOT NULL,
  region {text} NOT NULL,
  class {text} NOT NULL,
  counted_from {date} NOT NULL,
  due_on {date} NOT NULL,
  warn_on {date},
  shows_from {date} NOT NULL,
  provisional {bool} NOT NULL,
  task_id {id},
  done_on {date},
  done_by {text} NOT NULL,
  outcome {text},
  said {text} NOT NULL,
  determination_id {id}
);
CREATE UNIQUE INDEX casework_review_open ON casework_review (case_id) WHERE done_on IS NULL;
CREATE INDEX casework_review_region ON casework_review (region, due_on);
CREATE INDEX casework_review_waiting ON casework_review (shows_from) WHERE done_on IS NULL AND task_id IS NULL;
CREATE TABLE casework_life_event (
  id {id} NOT NULL PRIMARY KEY,
  kind {text} NOT NULL,
  subject_id {id} NOT NULL,
  household_id {id} NOT NULL,
  person_id {id},
  subject_masked {text} NOT NULL,
  region {text} NOT NULL,
  on_day {date} NOT NULL,
  detail {text} NOT NULL,
  source {text} NOT NULL,
  evidence_file {text},
  evidence_name {text} NOT NULL,
  looked_at {int} NOT NULL,
  recorded_by {id} NOT NULL,
  recorder {text} NOT NULL,
  recorded_at {instant} NOT NULL
);
CREATE UNIQUE INDEX casework_life_event_once ON casework_life_event (subject_id, kind, on_day, detail);
CREATE INDEX casework_life_event_region ON casework_life_event (region, recorded_at);
CREATE INDEX casework_life_event_household ON casework_life_event (household_id, on_day);
CREATE TABLE casework_life_event_line (
  id {id} NOT NULL PRIMARY KEY,
  event_id {id} NOT NULL REFERENCES casework_life_event (id),
  programme {text} NOT NULL,
  subject_id {id} NOT NULL,
  household_id {id} NOT NULL,
  member_id {id},
  case_id {id},
  number {text} NOT NULL,
  region {text} NOT NULL,
  subject_masked {text} NOT NULL,
  effect {text} NOT NULL,
  amount_before {fen},
  amount_after {fen},
  from_month {text},
  back {fen} NOT NULL,
  said {text} NOT NULL,
  task_id {id},
  closed_on {date},
  closed_by {text} NOT NULL,
  result {text} NOT NULL
);
CREATE UNIQUE INDEX casework_life_event_line_once ON casework_life_event_line (event_id, programme, subject_id);
CREATE INDEX casework_life_event_line_case ON casework_life_event_line (case_id, closed_on);
CREATE INDEX casework_life_event_line_region ON casework_life_event_line (effect, region, closed_on);
CREATE INDEX casework_life_event_line_household ON casework_life_event_line (household_id);
CREATE TABLE casework_daily (
  name {text} NOT NULL PRIMARY KEY,
  done_until {date} NOT NULL,
  at {instant} NOT NULL
);
";

/// `held_key` is the household, programme and person of a lead that is still found; absent once it is found no more.
const LEAD: &str = "
CREATE TABLE casework_lead (
  id {id} NOT NULL PRIMARY KEY,
  region {text} NOT NULL,
  household_id {id} NOT NULL,
  person_id {id},
  subject_masked {text} NOT NULL,
  programme {text} NOT NULL,
  kind {text} NOT NULL,
  due {fen},
  paid {fen} NOT NULL,
  missing {text} NOT NULL,
  source {text} NOT NULL,
  event_id {id},
  found_on {date} NOT NULL,
  seen_on {date} NOT NULL,
  state {text} NOT NULL,
  state_at {instant} NOT NULL,
  state_by {text} NOT NULL,
  visited_on {date},
  visits {text} NOT NULL,
  reason {text} NOT NULL,
  note {text} NOT NULL,
  case_id {id},
  held_key {text}
);
CREATE UNIQUE INDEX casework_lead_held ON casework_lead (held_key);
CREATE INDEX casework_lead_region ON casework_lead (region, state);
CREATE INDEX casework_lead_household ON casework_lead (household_id);
ALTER TABLE casework_life_event_line ADD COLUMN lead_id {id};
";
