//! Rows of `casework_application`: One form handed in (申请).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "casework_application")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub household_id: Uuid,
    pub region: String,
    pub applicant_id: Uuid,
    pub applied_by: String,
    pub agent_id: Option<Uuid>,
    pub agent_relation: Option<String>,
    pub channel: String,
    pub receipt_key: String,
    pub answers: String,
    pub submitted_at: DateTimeUtc,
    pub submitted_on: Date,
    pub officer_id: Uuid,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
