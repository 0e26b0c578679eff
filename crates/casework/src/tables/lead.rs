//! Rows of `casework_lead`: what the rules and the payments do not agree on, by name, until somebody has seen to it (线索).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "casework_lead")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub region: String,
    pub household_id: Uuid,
    pub person_id: Option<Uuid>,
    pub subject_masked: String,
    pub programme: String,
    pub kind: String,
    pub due: Option<i64>,
    pub paid: i64,
    pub missing: String,
    pub source: String,
    pub event_id: Option<Uuid>,
    pub found_on: Date,
    pub seen_on: Date,
    pub state: String,
    pub state_at: DateTimeUtc,
    pub state_by: String,
    pub visited_on: Option<Date>,
    pub visits: String,
    pub reason: String,
    pub note: String,
    pub case_id: Option<Uuid>,
    pub held_key: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
