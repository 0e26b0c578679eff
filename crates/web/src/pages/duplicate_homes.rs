//! Households that may be one (可能是同一户): two entries whose members are probably the same people, side by side in a line.
//!
//! What makes them one is done person by person, on the pairs' own pages: each person's rights and cases hang on the person, and a
//! household that nobody is left in ends by itself. Guarantees: both households lie in the officer's area; the look is journalled;
//! what was typed stands after a refusal. Deliberately absent: joining two households in one step.

use super::duplicates::looked;
use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::{listing, piece, table};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Purpose, Scope};
use maud::{Markup, html};
use registry::duplicates::{self, Home, HomePair, HomesRefused};
use uuid::Uuid;
use vocab::ids::HouseholdId;

/// Rows a page shows.
const ROWS: u64 = 20;

/// `GET /duplicates/homes` (可能是同一户); the look is journalled.
///
/// # Errors
/// A fault of the database.
pub async fn show(visit: &Visit) -> Answer {
    page(visit, &[]).await
}

async fn page(visit: &Visit, errors: &[FieldError]) -> Answer {
    let scope = visit.scope(Purpose::Review)?;
    let (offset, limit) = visit.paging(ROWS);
    let found = duplicates::homes(&visit.app.db, &scope, offset, limit).await?;
    looked(visit, &scope, found.rows.len()).await?;
    let columns = [
        table::text(visit.t("一户")),
        table::text(visit.t("另一户")),
        table::text(visit.t("为什么")),
        table::text(visit.t("待核对的人")),
        table::text(visit.t("认定")),
    ];
    let mut rows = Vec::with_capacity(found.rows.len());
    for one in &found.rows {
        rows.push(row(visit, &scope, one, errors).await?);
    }
    let nothing = piece::empty(
        visit.t("没有可能是同一户的家庭。两户各有两人以上可能是同一人，或者户主可能是同一人且住址相同的，列在这里。"),
        &html! { a.button href="/duplicates" { (visit.t("重复登记")) } },
    );
    let body = html! {
        p.lead { (visit.t("是同一户的，逐人办理：先让一户的人退出，再按“一对记录”拟定合并；人都合并了，这一户就不再列出。")) }
        (listing::listed(visit, (visit.t("可能是同一户"), "/duplicates/homes"), &columns, rows, &found, &nothing))
    };
    let note = (visit.query.get("done") == "different")
        .then(|| html! { (visit.t("已认定不是同一户，以后不再提示这两户。")) });
    Ok(visit
        .page(visit.t("可能是同一户"))
        .nav("/duplicates")
        .back("/duplicates", visit.t("重复登记"))
        .wide()
        .note(note)
        .errors(errors)
        .show(&body))
}

fn home(visit: &Visit, one: &Home) -> Markup {
    html! {
        a href=(format!("/households/{}", one.id)) { (one.number) }
        div.quiet {
            (visit.place(one.region)) " " (one.address) " · "
            (visit.lang.f("{count} 人", &[("count", &one.members)]))
        }
    }
}

async fn row(
    visit: &Visit,
    scope: &Scope,
    pair: &HomePair,
    errors: &[FieldError],
) -> Result<table::Row, Problem> {
    let lang = visit.lang;
    let people =
        duplicates::pairs_between(&visit.app.db, scope, pair.one.id, pair.other.id).await?;
    let mut why = vec![lang.f("{count} 人可能是同一人", &[("count", &pair.members)])];
    if pair.heads {
        why.push(visit.t("户主可能是同一人").to_owned());
    }
    if pair.at_one_address {
        why.push(visit.t("住址相同").to_owned());
    }
    Ok(table::still(vec![
        home(visit, &pair.one),
        home(visit, &pair.other),
        html! { (why.join(visit.t("；"))) },
        html! {
            @for (at, id) in people.iter().enumerate() {
                div { a href=(format!("/duplicates/{id}")) { (lang.f("第 {at} 对", &[("at", &(at + 1))])) } }
            }
        },
        different(visit, pair, errors),
    ]))
}

/// The form that says they are two; open again where its reason was refused.
fn different(visit: &Visit, pair: &HomePair, errors: &[FieldError]) -> Markup {
    let (one, other) = (pair.one.id.to_string(), pair.other.id.to_string());
    let mine =
        !errors.is_empty() && visit.form.get("one") == one && visit.form.get("other") == other;
    let name = format!("reason-{one}-{other}");
    html! {
        details.act-form open[mine] {
            summary { (visit.t("不是同一户")) }
            form method="post" action="/duplicates/homes/different" {
                (form::token(visit))
                input type="hidden" name="one" value=(one);
                input type="hidden" name="other" value=(other);
                (field(visit.lang, &name, visit.t("理由")).value(visit.form.get(&name)).errors(errors).text())
                (form::lesser(visit.t("认定不是同一户")))
            }
        }
    }
}

/// `POST /duplicates/homes/different` (认定不是同一户).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn decide_different(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Review)?;
    let id = |name: &str| -> Result<HouseholdId, Problem> {
        let id: Uuid = visit
            .form
            .get(name)
            .parse()
            .map_err(|_| Problem::NotFound)?;
        Ok(HouseholdId(id))
    };
    let (one, other) = (id("one")?, id("other")?);
    let name = format!("reason-{one}-{other}");
    let mut tx = visit.app.db.begin().await?;
    let step =
        duplicates::homes_different(&mut tx, &scope, (one, other), visit.form.get(&name)).await?;
    match step {
        Ok(()) => {
            tx.commit().await?;
            visit.go("/duplicates/homes?done=different")
        }
        Err(refused) => {
            tx.rollback().await?;
            let at = match refused {
                HomesRefused::ReasonMissing => &*name,
                HomesRefused::NotFound => "",
            };
            let sentence = words::sentence(visit.lang, &refused.to_string());
            page(visit, &[fault(at, sentence)]).await
        }
    }
}
