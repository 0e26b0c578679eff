//! Rows of `casework_case`: One programme asked for by one household or person (办件).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "casework_case")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub number: String,
    pub application_id: Uuid,
    pub programme: String,
    pub household_id: Uuid,
    pub member_id: Option<Uuid>,
    pub applicant_id: Uuid,
    pub applicant_masked: String,
    pub subject_masked: String,
    pub member_count: i64,
    pub region: String,
    pub state: String,
    pub kind: String,
    pub queue: String,
    pub version: i64,
    pub applied_on: Date,
    pub accepted_on: Option<Date>,
    pub decided_on: Option<Date>,
    pub outcome: Option<String>,
    pub amount: Option<i64>,
    pub determination_id: Option<Uuid>,
    pub decision_id: Option<Uuid>,
    pub entitlement_id: Option<Uuid>,
    pub sampled: bool,
    pub taken_over: bool,
    pub due_on: Option<Date>,
    pub warn_on: Option<Date>,
    pub provisional: bool,
    pub paused: bool,
    pub last_officer_id: Option<Uuid>,
    pub last_officer: String,
    pub updated_at: DateTimeUtc,
}

impl Model {
    /// Whether money runs by it, or is only held (在发或者暂停).
    pub(crate) fn is_in_payment(&self) -> bool {
        matches!(self.kind.as_str(), "in_force" | "suspended")
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
