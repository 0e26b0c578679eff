//! Rows of `casework_life_event`: What happened in a household (生活事件).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "casework_life_event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: String,
    pub subject_id: Uuid,
    pub household_id: Uuid,
    pub person_id: Option<Uuid>,
    pub subject_masked: String,
    pub region: String,
    pub on_day: Date,
    pub detail: String,
    pub source: String,
    pub evidence_file: Option<String>,
    pub evidence_name: String,
    pub looked_at: i64,
    pub recorded_by: Uuid,
    pub recorder: String,
    pub recorded_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
