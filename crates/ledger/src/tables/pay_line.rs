//! A pay line row (发放明细行).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_pay_line")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) run_id: Uuid,
    pub(crate) seq: i64,
    pub(crate) instruction: String,
    pub(crate) kind: crate::payrun::LineKind,
    pub(crate) entitlement_id: Uuid,
    pub(crate) payee_id: Uuid,
    pub(crate) programme: String,
    pub(crate) part: String,
    pub(crate) region: String,
    pub(crate) decision_id: Uuid,
    pub(crate) month: String,
    pub(crate) regular: i64,
    pub(crate) arrears: i64,
    pub(crate) recovery: i64,
    pub(crate) net: i64,
    pub(crate) previous: Option<i64>,
    pub(crate) difference: crate::payrun::Difference,
    pub(crate) state: crate::payrun::LineState,
    pub(crate) blocked: Option<Json>,
    pub(crate) reissues: Option<Uuid>,
    pub(crate) bank_code: Option<String>,
    pub(crate) bank_reason: Option<String>,
    pub(crate) changed_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
