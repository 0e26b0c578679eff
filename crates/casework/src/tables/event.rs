//! Rows of `casework_event`: One act done on a case; never changed (办理记录).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "casework_event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub case_id: Uuid,
    pub seq: i64,
    pub act: String,
    pub at: DateTimeUtc,
    pub on_day: Date,
    pub officer_id: Uuid,
    pub officer: String,
    pub from_state: String,
    pub to_state: String,
    pub opinion: String,
    pub input: String,
    pub determination_id: Option<Uuid>,
    pub decision_id: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
