//! Rows of `casework_finding_objection`: The person's objection to a finding, and its answer (对核对结果的异议).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "casework_finding_objection")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub case_id: Uuid,
    pub subject_kind: String,
    pub subject_id: Uuid,
    pub fact: String,
    pub department: String,
    pub valid_from: Option<Date>,
    pub valid_until: Option<Date>,
    pub value: String,
    pub by_id: Uuid,
    pub said: Vec<u8>,
    pub papers: String,
    pub at: DateTimeUtc,
    pub on_day: Date,
    pub due_on: Date,
    pub officer_id: Uuid,
    pub taken_by: Uuid,
    pub answered_on: Option<Date>,
    pub answered_by: Option<Uuid>,
    pub answerer: String,
    pub upheld: Option<bool>,
    pub reason: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
