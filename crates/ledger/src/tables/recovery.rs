//! A recovery row (追回行).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_recovery")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) change_id: Uuid,
    pub(crate) entitlement_id: Uuid,
    pub(crate) payee_id: Uuid,
    pub(crate) programme: String,
    pub(crate) region: String,
    pub(crate) decision_id: Uuid,
    pub(crate) total: i64,
    pub(crate) remaining: i64,
    /// Deducted each month; none until an officer has agreed a plan.
    pub(crate) monthly: Option<i64>,
    pub(crate) made_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
