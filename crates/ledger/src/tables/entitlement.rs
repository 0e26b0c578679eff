//! An entitlement row (待遇行).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_entitlement")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) programme: String,
    pub(crate) part: String,
    pub(crate) payee_id: Uuid,
    pub(crate) household_id: Option<Uuid>,
    pub(crate) region: String,
    pub(crate) decision_id: Uuid,
    pub(crate) excludes: Json,
    pub(crate) from_month: String,
    /// The end the first decision set, if any.
    pub(crate) planned_until: Option<String>,
    /// The first month no longer paid; closed by a stop, opened again by a reinstatement.
    pub(crate) until_month: Option<String>,
    /// Every due month before this one is claimed: a bookmark that spares the pay run the past, not a fact.
    pub(crate) paid_to: String,
    pub(crate) created_at: DateTimeUtc,
    pub(crate) created_by: Uuid,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
