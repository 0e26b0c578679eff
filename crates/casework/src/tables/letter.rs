//! Rows of `casework_letter`: A letter issued (文书): its data, sealed, in both languages, and the fingerprints of the
//! template and of what templates share; absent in letters from before templates were kept.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "casework_letter")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub case_id: Uuid,
    pub kind: String,
    pub event_seq: i64,
    pub issued_on: Date,
    pub sealed: Vec<u8>,
    pub at: DateTimeUtc,
    pub template_sm3: Option<String>,
    pub shared_sm3: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
