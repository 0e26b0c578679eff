//! A pay run row (发放批次行).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_pay_run")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) month: String,
    pub(crate) region: String,
    pub(crate) programmes: Option<Json>,
    pub(crate) state: crate::payrun::RunState,
    pub(crate) proposed_by: Uuid,
    pub(crate) proposed_at: DateTimeUtc,
    pub(crate) released_by: Option<Uuid>,
    pub(crate) released_at: Option<DateTimeUtc>,
    pub(crate) release_key: Option<String>,
    pub(crate) sent_at: Option<DateTimeUtc>,
    pub(crate) sent_file: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
