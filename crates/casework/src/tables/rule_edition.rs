//! Rows of `casework_rule_edition`: The whole rules in force from a moment on (规则版次); append-only.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "casework_rule_edition")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    pub region: String,
    pub kind: String,
    pub programme: String,
    pub sm3: String,
    pub book_version: String,
    pub book_hash: String,
    pub files: String,
    pub delivered: String,
    pub changed: String,
    pub from_day: Date,
    pub basis: String,
    pub correction: String,
    pub draft_id: Option<Uuid>,
    pub proposed_by: Option<Uuid>,
    pub proposer: String,
    pub published_by: Option<Uuid>,
    pub publisher: String,
    pub published_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
