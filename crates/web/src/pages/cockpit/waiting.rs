//! What waits (在办): cases, leads, alerts, enquiries, duplicates, and the places compared.
//!
//! Guarantees: each number is the count of the list it opens, asked in the scope in which the visitor may see that list; what
//! they may not see is not there. Deliberately absent: names.

use super::money::proved;
use crate::pages::cases::KINDS;
use crate::pages::statistics::Look;
use crate::pages::statistics::figures::{Figures, Of, Shown};
use crate::pages::statistics::tables::{Part, heading, worth};
use crate::parts::{bars, format, piece, table};
use crate::problem::Problem;
use crate::visit::Visit;
use access::{Permission, Purpose, Scope};
use batch::statistics::Measure;
use casework::clock::Light;
use casework::lead::{LeadFilter, LeadState};
use casework::list::{CaseFilter, count};
use casework::procedure::StateKind;
use maud::{Markup, html};
use registry::duplicates::{PairFilter, PairState};
use verify::enquiry::EnquiryFilter;
use vocab::Region;

/// The scope in which a list may be seen, if it may.
fn may(visit: &Visit, permission: Permission) -> Option<Scope> {
    visit.scope_for(permission, Purpose::Review).ok()
}

/// An address of a list in the place looked at.
fn at(look: &Look, path: &str, query: &str) -> String {
    let joint = if query.is_empty() { "" } else { "&" };
    format!("{path}?{query}{joint}region={}", look.at)
}

fn figure(label: &'static str, count: u64, href: String, tone: &'static str) -> piece::Figure {
    piece::Figure {
        label: label.to_owned(),
        count,
        href,
        tone: if count > 0 { tone } else { "" },
        chosen: false,
    }
}

/// Cases in hand, and those whose time is nearly up or over (在办).
pub(super) async fn cases(visit: &Visit, look: &Look) -> Result<Markup, Problem> {
    let Some(scope) = may(visit, Permission::SeeCases) else {
        return Ok(html! {});
    };
    let db = &visit.app.db;
    let here = CaseFilter {
        region: Some(look.at),
        ..CaseFilter::default()
    };
    let mut figures = Vec::new();
    for (light, word, label, tone) in [
        (Light::Red, "red", visit.t("已超期"), "red"),
        (Light::Yellow, "yellow", visit.t("即将到期"), "yellow"),
    ] {
        let filter = CaseFilter {
            light: Some(light),
            ..here.clone()
        };
        let found = count(db, &scope, &filter).await?;
        figures.push(figure(
            label,
            found,
            at(look, "/cases", &format!("light={word}")),
            tone,
        ));
    }
    for (kind, label) in [
        (StateKind::Working, visit.t("办理中")),
        (StateKind::Waiting, visit.t("等申请人")),
        (StateKind::Publicity, visit.t("公示中")),
    ] {
        let filter = CaseFilter {
            kind: Some(kind),
            ..here.clone()
        };
        let found = count(db, &scope, &filter).await?;
        let word = KINDS
            .iter()
            .find(|(one, _)| *one == kind)
            .map_or("", |(_, word)| word);
        figures.push(figure(
            label,
            found,
            at(look, "/cases", &format!("kind={word}")),
            "",
        ));
    }
    Ok(piece::section(
        visit.t("在办申请"),
        &piece::figures(&figures),
    ))
}

/// Leads on their way, and what else waits (政策找人和待核实).
pub(super) async fn watched(visit: &Visit, look: &Look) -> Result<Markup, Problem> {
    let db = &visit.app.db;
    let mut found = Vec::new();
    let mut open = Vec::new();
    if let Some(scope) = may(visit, Permission::SeeCases) {
        let here = LeadFilter {
            region: Some(look.at),
            ..LeadFilter::default()
        };
        let funnel = casework::lead::funnel(db, &scope, &here).await?;
        for state in [LeadState::Found, LeadState::Visited, LeadState::Enrolled] {
            let (zh, en) = state.wording();
            let count = funnel.get(&state).copied().unwrap_or(0);
            let href = at(look, "/leads", &format!("state={}", state.word()));
            found.push(figure(visit.lang.pick(zh, en), count, href, ""));
        }
        let here = verify::alert::AlertFilter {
            region: Some(look.at),
            ..verify::alert::AlertFilter::default()
        };
        let alerts = verify::alert::counts(db, &scope, &here).await?;
        let count = alerts
            .get(&verify::alert::State::Open)
            .copied()
            .unwrap_or(0);
        open.push(figure(
            visit.t("预警"),
            count,
            at(look, "/alerts", "state=open"),
            "red",
        ));
    }
    if let Some(scope) = may(visit, Permission::RegisterPeople) {
        let here = PairFilter {
            region: Some(look.at),
            ..PairFilter::default()
        };
        let pairs = registry::duplicates::counts(db, &scope, &here).await?;
        let of = |state| pairs.get(&state).copied().unwrap_or(0);
        let count = of(PairState::Open) + of(PairState::Prepared);
        open.push(figure(
            visit.t("重复登记"),
            count,
            at(look, "/duplicates", ""),
            "",
        ));
    }
    // This list knows no filter by place.
    if look.at == look.root
        && let Some(scope) = may(visit, Permission::SeeEnquiries)
    {
        let first = look.month.first_day();
        let this_month = EnquiryFilter {
            from: Some(first),
            ..EnquiryFilter::default()
        };
        let count = verify::enquiry::list(db, &scope, &this_month, &[], 0, 1)
            .await?
            .total;
        let href = format!("/enquiries?from={}", format::date(first));
        open.push(figure(visit.t("本月核对"), count, href, ""));
    }
    Ok(html! {
        @if !found.is_empty() { (piece::section(visit.t("政策找人"), &piece::figures(&found))) }
        @if !open.is_empty() { (piece::section(visit.t("待核实"), &piece::figures(&open))) }
    })
}

/// The places below side by side (各地比较).
pub(super) async fn places(
    visit: &Visit,
    look: &Look,
    figures: &Figures,
) -> Result<Markup, Problem> {
    let scope = may(visit, Permission::SeeCases);
    let of = |place: &Region| Of {
        place: Some(*place),
        programme: None,
    };
    let high = |place: &Region| match figures.shown(Measure::InPayment, look.month, of(place)) {
        Shown::Hidden => 0,
        Shown::Known(numbers) => worth(numbers, Part::Count),
    };
    let most = figures.places().iter().map(high).max().unwrap_or(0);
    let mut rows = Vec::new();
    for place in figures.places() {
        let mut cells = vec![
            html! { a href=(format!("/cockpit?region={place}")) { (visit.place(*place)) } },
            proved(
                visit,
                look,
                figures,
                of(place),
                (Measure::InPayment, Part::Count),
            ),
            bars::bar(None, high(place), most),
            proved(
                visit,
                look,
                figures,
                of(place),
                (Measure::Paid, Part::Money),
            ),
        ];
        if let Some(scope) = &scope {
            let late = CaseFilter {
                region: Some(*place),
                light: Some(Light::Red),
                ..CaseFilter::default()
            };
            let late = count(&visit.app.db, scope, &late).await?;
            cells.push(html! {
                @if late > 0 { a href=(format!("/cases?light=red&region={place}")) { (format::number(late)) } } @else { "0" }
            });
        }
        rows.push(table::still(cells));
    }
    let mut columns = vec![
        table::text(visit.t("地区")),
        table::number(heading(visit, Measure::InPayment, Part::Count)),
        table::text(visit.t("在发")),
        table::number(heading(visit, Measure::Paid, Part::Money)),
    ];
    if scope.is_some() {
        columns.push(table::number(visit.t("已超期")));
    }
    let caption = visit.t("各地比较");
    Ok(table::table(
        visit.lang,
        caption,
        &columns,
        rows,
        "/cockpit",
        &visit.query,
    ))
}
