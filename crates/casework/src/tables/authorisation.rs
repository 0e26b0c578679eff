//! Rows of `casework_authorisation`: A person's consent to the enquiry of other departments' data (核对授权).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "casework_authorisation")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub person_id: Uuid,
    pub household_id: Uuid,
    pub region: String,
    pub purpose: String,
    pub way: String,
    pub signed_on: Date,
    pub until: Option<Date>,
    pub file_id: Option<String>,
    pub signed_by_id: Option<Uuid>,
    pub officer_id: Uuid,
    pub at: DateTimeUtc,
    pub withdrawn_on: Option<Date>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
