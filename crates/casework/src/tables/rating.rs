//! Rows of `casework_rating`: How somebody was served (评价).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "casework_rating")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub case_id: Uuid,
    pub event_seq: i64,
    pub round: i64,
    pub region: String,
    pub programme: String,
    pub side: String,
    pub grade: i64,
    pub indicators: String,
    /// What was written; sealed.
    pub said: Option<Vec<u8>>,
    pub rated_officer: Uuid,
    pub at: DateTimeUtc,
    pub on_day: Date,
    pub state: String,
    pub due_on: Option<Date>,
    pub taken_by: Option<Uuid>,
    pub taker: String,
    pub taken_on: Option<Date>,
    /// What was done; sealed.
    pub result: Option<Vec<u8>>,
    pub mended_on: Option<Date>,
    pub mender: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
