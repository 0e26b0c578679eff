//! Rows of `casework_draft_change`: One answer of a draft changed by one saving (草稿改动); gone once it is handed in.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "casework_draft_change")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub draft_id: Uuid,
    /// The version this saving made.
    pub version: i64,
    /// Whose answer; `None`: the household's, or the list of programmes.
    pub person_id: Option<Uuid>,
    /// The fact; empty: the list of programmes.
    pub fact: String,
    /// As JSON; `None`: unanswered.
    pub before: Option<String>,
    pub after: Option<String>,
    pub officer_id: Uuid,
    pub officer: String,
    pub at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
