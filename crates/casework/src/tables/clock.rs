//! Rows of `casework_clock`: A running or stopped time limit (时限).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "casework_clock")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub case_id: Uuid,
    pub clock: String,
    pub started_on: Date,
    pub anchor_on: Date,
    pub remaining: i64,
    pub total: i64,
    pub due_on: Option<Date>,
    pub warn_on: Option<Date>,
    pub missing_year: Option<i64>,
    pub paused_from: Option<Date>,
    pub paused_until: Option<Date>,
    pub extended: bool,
    pub stopped_on: Option<Date>,
    pub calendar: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
