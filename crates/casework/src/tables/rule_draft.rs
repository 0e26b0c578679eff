//! Rows of `casework_rule_draft`: Changed files of one programme on their way to publication (规则草稿).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "casework_rule_draft")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub region: String,
    pub programme: String,
    pub state: String,
    pub version: i64,
    pub basis: String,
    pub correction: String,
    pub from_day: Option<Date>,
    pub checked: String,
    pub sm3: String,
    pub edition: Option<i64>,
    pub writers: String,
    pub started_by: Uuid,
    pub starter: String,
    pub started_at: DateTimeUtc,
    pub saved_at: DateTimeUtc,
    pub proposed_by: Option<Uuid>,
    pub proposer: String,
    pub proposed_at: Option<DateTimeUtc>,
    pub closed_by: Option<Uuid>,
    pub closer: String,
    pub closed_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
