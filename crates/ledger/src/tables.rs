//! The ledger's tables (总账数据表): their text for both databases, and one entity file each.
//!
//! Guarantees: transfers, claims and changes are append-only by trigger on both engines; an amount of a transfer is
//! positive; a person × programme × month × part is claimed once by a unique key. Other crates' rows are named by their
//! ids only: there is no foreign key out of the ledger.
//! Deliberately absent: logic.

pub(crate) mod account;
pub(crate) mod adjustment;
pub(crate) mod change;
pub(crate) mod claim;
pub(crate) mod covered;
pub(crate) mod entitlement;
pub(crate) mod gate;
pub(crate) mod pay_item;
pub(crate) mod pay_line;
pub(crate) mod pay_run;
pub(crate) mod recovery;
pub(crate) mod transfer;

use store::Migration;

/// The ledger's own migrations (总账建表).
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "0030_ledger",
    sql: LEDGER,
}];

/// All migrations the ledger needs, lower crates first (含下层的建表).
pub fn migrations() -> Vec<Migration> {
    let mut all = access::migrations();
    all.extend(MIGRATIONS.iter().cloned());
    all
}

const LEDGER: &str = "
CREATE TABLE ledger_gate (
  shard {int} PRIMARY KEY
);
WITH RECURSIVE shards(shard) AS (SELECT 0 UNION ALL SELECT shard + 1 FROM shards WHERE shard < 63)
  INSERT INTO ledger_gate (shard) SELECT shard FROM shards;

CREATE TABLE ledger_account (
  id {id} PRIMARY KEY,
  kind {text} NOT NULL,
  programme {text} NOT NULL,
  person_id {id},
  debits {fen} NOT NULL CHECK (debits >= 0),
  credits {fen} NOT NULL CHECK (credits >= 0)
);
CREATE INDEX ledger_account_person ON ledger_account (person_id);

CREATE TABLE ledger_entitlement (
  id {id} PRIMARY KEY,
  programme {text} NOT NULL,
  part {text} NOT NULL,
  payee_id {id} NOT NULL,
  household_id {id},
  region {text} NOT NULL,
  decision_id {id} NOT NULL,
  excludes {json} NOT NULL,
  from_month {text} NOT NULL,
  planned_until {text},
  until_month {text},
  paid_to {text} NOT NULL,
  created_at {instant} NOT NULL,
  created_by {id} NOT NULL
);
CREATE INDEX ledger_entitlement_region ON ledger_entitlement (region, id);
CREATE INDEX ledger_entitlement_payee ON ledger_entitlement (payee_id);

CREATE TABLE ledger_covered (
  entitlement_id {id} NOT NULL REFERENCES ledger_entitlement (id),
  person_id {id} NOT NULL,
  PRIMARY KEY (entitlement_id, person_id)
);
CREATE INDEX ledger_covered_person ON ledger_covered (person_id);

CREATE TABLE ledger_change (
  id {id} PRIMARY KEY,
  entitlement_id {id} NOT NULL REFERENCES ledger_entitlement (id),
  seq {int} NOT NULL,
  kind {text} NOT NULL,
  from_month {text} NOT NULL,
  amount {fen},
  decision_id {id} NOT NULL,
  made_at {instant} NOT NULL,
  made_by {id} NOT NULL,
  UNIQUE (entitlement_id, seq),
  UNIQUE (entitlement_id, decision_id, kind, from_month)
);

CREATE TABLE ledger_pay_run (
  id {id} PRIMARY KEY,
  month {text} NOT NULL,
  region {text} NOT NULL,
  programmes {json},
  state {text} NOT NULL,
  proposed_by {id} NOT NULL,
  proposed_at {instant} NOT NULL,
  released_by {id},
  released_at {instant},
  release_key {text},
  sent_at {instant},
  sent_file {text}
);
CREATE INDEX ledger_pay_run_month ON ledger_pay_run (month, region);

CREATE TABLE ledger_pay_line (
  id {id} PRIMARY KEY,
  run_id {id} NOT NULL REFERENCES ledger_pay_run (id),
  seq {int} NOT NULL,
  instruction {text} NOT NULL UNIQUE,
  kind {text} NOT NULL,
  entitlement_id {id} NOT NULL REFERENCES ledger_entitlement (id),
  payee_id {id} NOT NULL,
  programme {text} NOT NULL,
  part {text} NOT NULL,
  region {text} NOT NULL,
  decision_id {id} NOT NULL,
  month {text} NOT NULL,
  regular {fen} NOT NULL,
  arrears {fen} NOT NULL,
  recovery {fen} NOT NULL,
  net {fen} NOT NULL CHECK (net >= 0),
  previous {fen},
  difference {text} NOT NULL,
  state {text} NOT NULL,
  blocked {json},
  reissues {id},
  bank_code {text},
  bank_reason {text},
  changed_at {instant} NOT NULL,
  UNIQUE (run_id, seq),
  CHECK (net = regular + arrears - recovery)
);
CREATE INDEX ledger_pay_line_state ON ledger_pay_line (run_id, state, seq);
CREATE INDEX ledger_pay_line_payee ON ledger_pay_line (payee_id, month);
CREATE INDEX ledger_pay_line_entitlement ON ledger_pay_line (entitlement_id, month);
CREATE INDEX ledger_pay_line_region ON ledger_pay_line (region, month);

CREATE TABLE ledger_pay_item (
  line_id {id} NOT NULL REFERENCES ledger_pay_line (id),
  seq {int} NOT NULL,
  kind {text} NOT NULL,
  month {text} NOT NULL,
  amount {fen} NOT NULL CHECK (amount > 0),
  source_id {id},
  PRIMARY KEY (line_id, seq)
);

CREATE TABLE ledger_claim (
  id {id} PRIMARY KEY,
  person_id {id} NOT NULL,
  programme {text} NOT NULL,
  month {text} NOT NULL,
  part {text} NOT NULL,
  kind {text} NOT NULL,
  region {text} NOT NULL,
  entitlement_id {id} NOT NULL REFERENCES ledger_entitlement (id),
  line_id {id} NOT NULL REFERENCES ledger_pay_line (id),
  amount {fen} NOT NULL,
  UNIQUE (person_id, programme, month, part)
);
CREATE INDEX ledger_claim_entitlement ON ledger_claim (entitlement_id, month);
CREATE INDEX ledger_claim_line ON ledger_claim (line_id);

CREATE TABLE ledger_adjustment (
  id {id} PRIMARY KEY,
  change_id {id} NOT NULL REFERENCES ledger_change (id),
  entitlement_id {id} NOT NULL REFERENCES ledger_entitlement (id),
  region {text} NOT NULL,
  month {text} NOT NULL,
  amount {fen} NOT NULL CHECK (amount <> 0),
  set_off {fen} NOT NULL CHECK (set_off >= 0),
  decision_id {id} NOT NULL,
  line_id {id},
  recovery_id {id},
  made_at {instant} NOT NULL,
  UNIQUE (change_id, month)
);
CREATE INDEX ledger_adjustment_entitlement ON ledger_adjustment (entitlement_id, month);
CREATE INDEX ledger_adjustment_open ON ledger_adjustment (line_id, region);

CREATE TABLE ledger_recovery (
  id {id} PRIMARY KEY,
  change_id {id} NOT NULL UNIQUE REFERENCES ledger_change (id),
  entitlement_id {id} NOT NULL REFERENCES ledger_entitlement (id),
  payee_id {id} NOT NULL,
  programme {text} NOT NULL,
  region {text} NOT NULL,
  decision_id {id} NOT NULL,
  total {fen} NOT NULL CHECK (total > 0),
  remaining {fen} NOT NULL CHECK (remaining >= 0),
  monthly {fen} CHECK (monthly > 0),
  made_at {instant} NOT NULL
);
CREATE INDEX ledger_recovery_payee ON ledger_recovery (payee_id, programme);
CREATE INDEX ledger_recovery_region ON ledger_recovery (region, id);

CREATE TABLE ledger_transfer (
  id {id} PRIMARY KEY,
  batch {id} NOT NULL,
  debit_id {id} NOT NULL REFERENCES ledger_account (id),
  credit_id {id} NOT NULL REFERENCES ledger_account (id),
  amount {fen} NOT NULL CHECK (amount > 0),
  code {text} NOT NULL,
  decision_id {id} NOT NULL,
  entitlement_id {id} NOT NULL REFERENCES ledger_entitlement (id),
  payee_id {id} NOT NULL,
  programme {text} NOT NULL,
  region {text} NOT NULL,
  month {text} NOT NULL,
  line_id {id},
  source_id {id},
  reverses {id} UNIQUE REFERENCES ledger_transfer (id),
  reference {text} NOT NULL,
  posted_at {instant} NOT NULL,
  posted_by {id} NOT NULL,
  CHECK (debit_id <> credit_id)
);
CREATE INDEX ledger_transfer_line ON ledger_transfer (line_id);
CREATE INDEX ledger_transfer_payee ON ledger_transfer (payee_id, posted_at);
CREATE INDEX ledger_transfer_debit ON ledger_transfer (debit_id);
CREATE INDEX ledger_transfer_credit ON ledger_transfer (credit_id);
CREATE INDEX ledger_transfer_posted ON ledger_transfer (posted_at, id);
CREATE INDEX ledger_transfer_batch ON ledger_transfer (batch, id);

{never_changes ledger_transfer};
{never_changes ledger_claim};
{never_changes ledger_change};
";
