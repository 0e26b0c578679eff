//! Public notices (公示): what anyone may read while they stand, and how anyone may object.
//!
//! Guarantees: a notice holds the applicant's name, the number of members and the amount, or fewer, and nothing else
//! exists in it to show; it is gone the day after its last one; an objection is kept sealed and becomes a task at once.
//! Deliberately absent: search by name; a notice is read in its place.

use crate::act::situation::Situation;
use crate::act::{ActInput, permitted};
use crate::case::{Case, Notice};
use crate::desk::Desk;
use crate::procedure::{Act, Effect, NoticeField};
use crate::{law, rows, tables};
use access::{Actor, Purpose, Scope};
use anyhow::Context;
use chrono::NaiveDate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;
use store::{Db, Event, Page, Tx, inside};
use vocab::ids::NoticeId;
use vocab::{Money, Region};

/// The notices now up in a place (近期公示), newest first.
///
/// # Errors
/// Faults of the database.
pub async fn notices(
    db: &Db,
    desk: &Desk,
    region: Region,
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<Notice>> {
    use tables::notice::Column as N;
    let today = db.today();
    let query = tables::notice::Entity::find()
        .filter(inside(N::Region, region))
        .filter(N::TakenDownOn.is_null())
        .filter(N::PostedOn.lte(today))
        .filter(N::EndsOn.gte(today));
    let query = query.order_by_desc(N::PostedOn).order_by_desc(N::Id);
    store::page::cut(db.conn(), query, offset, limit)
        .await
        .context("listing notices")?
        .try_map(|row| shown(desk, &row))
}

/// One notice, while it is up (查看公示).
///
/// # Errors
/// Faults of the database.
pub async fn notice(db: &Db, desk: &Desk, id: NoticeId) -> anyhow::Result<Option<Notice>> {
    let today = db.today();
    tables::notice::Entity::find_by_id(id.0)
        .one(db.conn())
        .await
        .context("reading a notice")?
        .filter(|row| is_up(row, today))
        .map(|row| shown(desk, &row))
        .transpose()
}

fn is_up(row: &tables::notice::Model, today: NaiveDate) -> bool {
    row.taken_down_on.is_none() && row.posted_on <= today && today <= row.ends_on
}

pub(crate) fn shown(desk: &Desk, row: &tables::notice::Model) -> anyhow::Result<Notice> {
    let fields: Vec<NoticeField> =
        serde_json::from_str(&row.fields).context("reading what a notice shows")?;
    let region: Region = row.region.parse().context("the region of a notice")?;
    let (programme_zh, programme_en) = desk.title(&row.programme);
    let article = row.article.parse().map_or_else(
        |_| row.article.clone(),
        |cited| law::title(&desk.book, &cited),
    );
    Ok(Notice {
        id: NoticeId(row.id),
        programme_zh,
        programme_en,
        place_zh: desk.place_name(region),
        region,
        name: Some(row.name.clone())
            .filter(|name| fields.contains(&NoticeField::Name) && !name.is_empty()),
        member_count: Some(row.member_count).filter(|_| fields.contains(&NoticeField::MemberCount)),
        amount: row
            .amount
            .map(Money::from_fen)
            .filter(|_| fields.contains(&NoticeField::Amount)),
        article,
        posted_on: row.posted_on,
        ends_on: row.ends_on,
    })
}

/// Why an objection was not taken (异议未受理原因).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such notice, or it is over.
    #[error("没有这条公示，或公示已经结束；如有情况反映，请联系所在社区")]
    NotUp,
    /// Nothing said.
    #[error("请写明您反映的情况")]
    NothingSaid,
    /// Too long.
    #[error("内容太长，请控制在 2000 字以内")]
    TooLong,
    /// This procedure takes objections at the window only.
    #[error("请到公示所在的社区窗口提出异议")]
    AtTheWindow,
}

impl Refused {
    /// The sentence in English.
    pub const fn en(self) -> &'static str {
        match self {
            Self::NotUp => "There is no such notice, or it is over; please contact the community",
            Self::NothingSaid => "Please write what you have to say",
            Self::TooLong => "Too long; at most 2000 characters",
            Self::AtTheWindow => "Please object at the window of the community",
        }
    }
}

/// Objects to a notice through the public door (提出异议). Who objects stays unnamed unless a contact is given.
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn object(
    tx: &mut Tx,
    desk: &Desk,
    notice: NoticeId,
    said: &str,
    contact: Option<String>,
) -> anyhow::Result<Result<(), Refused>> {
    let said = said.trim();
    if said.is_empty() {
        return Ok(Err(Refused::NothingSaid));
    }
    if said.chars().count() > 2_000
        || contact
            .as_deref()
            .is_some_and(|contact| contact.chars().count() > 200)
    {
        return Ok(Err(Refused::TooLong));
    }
    let today = tx.today();
    let found = tables::notice::Entity::find_by_id(notice.0)
        .one(tx.conn())
        .await
        .context("reading a notice")?;
    let Some(found) = found.filter(|row| is_up(row, today)) else {
        return Ok(Err(Refused::NotUp));
    };
    let scope = Scope {
        actor: Actor::public(),
        region: desk.book.place().division,
        purpose: Purpose::Application,
    };
    let Some(row) = rows::case_row(tx, &scope, found.case_id).await? else {
        return Ok(Err(Refused::NotUp));
    };
    let case = Case::read(&row)?;
    let Some(procedure) = desk.procedure(&case.programme) else {
        return Ok(Err(Refused::NotUp));
    };
    let situation = Situation::load(tx, &scope, desk, procedure, case).await?;
    let open = |act: &&Act| {
        act.effect == Effect::Object
            && permitted::hindrances(&situation, act, &scope.actor).is_empty()
    };
    if !procedure.acts.iter().any(|act| open(&act)) {
        return Ok(Err(Refused::AtTheWindow));
    }
    let input = ActInput {
        said: said.to_owned(),
        contact,
        ..ActInput::default()
    };
    crate::act::object(tx, &row, &situation, &input, "public").await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "casework.object".to_owned(),
        subject_kind: "case".to_owned(),
        subject_id: row.id.to_string(),
        region: row.region.parse().ok(),
        detail: json!({ "notice": notice, "channel": "public" }),
    });
    Ok(Ok(()))
}
