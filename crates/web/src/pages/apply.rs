//! Beginning an application (新申请): first find the household, or register it. The rest is one form.
//!
//! An identity number is sent in the body, never in an address, so that it stands in no history and no log.

use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::{format, listing, piece, table};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose};
use maud::html;
use registry::people::Query;
use vocab::ids::HouseholdId;
use vocab::{Document, DocumentKind};

/// `GET /apply` (新申请).
///
/// # Errors
/// None.
pub async fn show(visit: &Visit) -> Answer {
    page(visit, &[], &html! {})
}

fn page(visit: &Visit, errors: &[FieldError], found: &maud::Markup) -> Answer {
    let lang = visit.lang;
    let body = html! {
        form.card.narrow method="post" action="/apply" {
            (form::token(visit))
            (field(lang, "who", visit.t("申请人是谁"))
                .hint(html! { (visit.t("身份证号最准；也可以填姓名、拼音首字母或手机尾号")) })
                .value(visit.form.get("who")).errors(errors).text())
            div.buttons {
                (form::act(visit.t("查找")))
                a.button.plain href="/people/new" { (visit.t("没有登记过，直接登记")) }
            }
        }
        (found)
    };
    Ok(visit
        .page(visit.t("新申请：先找到这一家"))
        .nav("/drafts")
        .errors(errors)
        .show(&body))
}

/// `POST /apply` (查找申请人).
///
/// # Errors
/// A fault of the database.
pub async fn find(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let who = visit.form.get("who");
    if who.is_empty() {
        return page(
            visit,
            &[fault("who", visit.t("请填写身份证号或姓名"))],
            &html! {},
        );
    }
    let scope = visit.scope(Purpose::Application)?;
    let db = &visit.app.db;
    let looks_like_number = who.len() >= 15 && who.bytes().all(|b| b.is_ascii_alphanumeric());
    if looks_like_number {
        let document = match Document::read(DocumentKind::ResidentId, who, visit.today()) {
            Ok(document) => document,
            Err(not) => {
                return page(
                    visit,
                    &[fault("who", words::sentence(lang, &not.to_string()))],
                    &html! {},
                );
            }
        };
        let Some(person) = registry::people::find_by_document(db, &scope, &document).await? else {
            let none = piece::empty(
                visit.t("这个身份证号在您的区域内还没有登记。"),
                &html! {
                    form method="post" action="/people/start" {
                        (form::token(visit))
                        input type="hidden" name="number" value=(document.number());
                        (form::act(visit.t("用这个号码登记人员")))
                    }
                },
            );
            return page(visit, &[], &none);
        };
        let home = registry::households::household_of(db, &scope, person.id, visit.today()).await?;
        return match home {
            Some(household) => visit.go(&format!("/households/{household}")),
            None => visit.go(&format!("/people/{}", person.id)),
        };
    }
    let people = registry::search(
        db,
        &scope,
        &Query {
            text: who.to_owned(),
            region: None,
        },
        0,
        20,
    )
    .await?;
    let found = if people.rows.is_empty() {
        piece::empty(
            visit.t("没有找到这个人。可能不在您的区域内，或还没有登记。"),
            &html! { a.button.primary href="/people/new" { (visit.t("登记新人员")) } },
        )
    } else {
        html! {
            (super::search::people(visit, &people.rows, "/apply"))
            @if people.total > 20 { p.quiet { (visit.t("还有更多，请填得更具体，例如完整姓名或身份证号。")) } }
        }
    };
    page(visit, &[], &found)
}

/// `POST /drafts` (为这一家开始申请): a draft for what every household is asked about; more is added on its first page, and
/// what is applied for is chosen at the end.
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn start(visit: &Visit) -> Answer {
    let household: HouseholdId = visit
        .form
        .get("household")
        .parse()
        .map_err(|_| Problem::NotFound)?;
    let scope = visit.scope(Purpose::Application)?;
    let desk = &visit.app.desk;
    let mut programmes: Vec<String> = desk
        .offered_programmes()
        .into_iter()
        .map(|programme| programme.id.clone())
        .collect();
    // From a lead: what was found is asked about, too.
    let wanted = visit.form.get("programme");
    if !programmes.iter().any(|known| known == wanted)
        && desk.open_programmes().any(|known| known.id == wanted)
    {
        programmes.push(wanted.to_owned());
    }
    let mut tx = visit.app.db.begin().await?;
    match casework::draft::start_draft(&mut tx, &scope, desk, household, programmes).await? {
        Ok(draft) => {
            tx.commit().await?;
            visit.go(&format!("/drafts/{draft}"))
        }
        Err(casework::draft::Refused::NotThere) => Err(Problem::NotFound),
        Err(refused) => Err(Problem::Conflict(
            visit
                .lang
                .pick(&refused.to_string(), &refused.en())
                .to_owned(),
        )),
    }
}

/// Rows of drafts a page shows.
const ROWS: u64 = 30;

/// `GET /drafts` (申请草稿).
///
/// # Errors
/// A fault of the database.
pub async fn drafts(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Application)?;
    let db = &visit.app.db;
    let (offset, limit) = visit.paging(ROWS);
    let found = casework::draft::drafts(db, &scope, offset, limit).await?;
    let people = visit.scope_for(Permission::SeePeople, Purpose::Application)?;
    let mut rows = Vec::with_capacity(found.rows.len());
    for draft in &found.rows {
        let home =
            registry::households::household_view(db, &people, draft.household, visit.today())
                .await?;
        let (name, place, size) = home.map_or_else(
            || (String::new(), String::new(), 0),
            |home| {
                let head = home
                    .members
                    .iter()
                    .find(|member| Some(member.person.id) == home.head);
                let name = head.map_or_else(
                    || home.number.clone(),
                    |head| access::mask_name(&head.person.name),
                );
                (name, visit.place(home.region), home.members.len())
            },
        );
        rows.push(table::row(
            format!("/drafts/{}", draft.id),
            vec![
                html! { (name) },
                html! { (size) },
                html! { (place) },
                html! { (format::instant(draft.saved_at)) },
            ],
        ));
    }
    let columns = [
        table::text(visit.t("家庭")),
        table::number(visit.t("人数")),
        table::text(visit.t("社区")),
        table::text(visit.t("最近保存")),
    ];
    let body = html! {
        (listing::listed(visit, (visit.t("申请草稿"), "/drafts"), &columns, rows, &found, &piece::empty(visit.t("没有未提交的草稿。"), &html! {
                a.button.primary href="/apply" data-new="" { (visit.t("新申请")) }
            })))
    };
    let acts = html! { a.button.primary href="/apply" data-new="" { (visit.t("新申请")) } };
    Ok(visit
        .page(visit.t("申请草稿"))
        .nav("/drafts")
        .acts(acts)
        .show(&body))
}
