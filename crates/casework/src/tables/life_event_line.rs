//! Rows of `casework_life_event_line`: What a life event means for one programme (生活事件涉及的事项).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "casework_life_event_line")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub event_id: Uuid,
    pub programme: String,
    pub subject_id: Uuid,
    pub household_id: Uuid,
    pub member_id: Option<Uuid>,
    pub case_id: Option<Uuid>,
    pub number: String,
    pub region: String,
    pub subject_masked: String,
    pub effect: String,
    pub amount_before: Option<i64>,
    pub amount_after: Option<i64>,
    pub from_month: Option<String>,
    pub back: i64,
    pub said: String,
    pub task_id: Option<Uuid>,
    pub closed_on: Option<Date>,
    pub closed_by: String,
    pub result: String,
    pub lead_id: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
