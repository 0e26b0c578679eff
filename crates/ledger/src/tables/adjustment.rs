//! An adjustment row (补差行): by how much an already claimed month turned out different.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_adjustment")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) change_id: Uuid,
    pub(crate) entitlement_id: Uuid,
    pub(crate) region: String,
    pub(crate) month: String,
    /// Positive: arrears to be paid. Negative: an overpayment.
    pub(crate) amount: i64,
    /// How much of it was set against an adjustment the other way, so that nobody pays and chases the same money.
    pub(crate) set_off: i64,
    pub(crate) decision_id: Uuid,
    /// The posted line that paid these arrears.
    pub(crate) line_id: Option<Uuid>,
    /// The recovery this overpayment went into.
    pub(crate) recovery_id: Option<Uuid>,
    pub(crate) made_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
