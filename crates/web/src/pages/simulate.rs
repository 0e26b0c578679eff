//! The simulation page (试算): other values of a programme's parameters on the newest snapshot, up to three reforms side by
//! side: who would gain, lose, enter, leave, become to verify, and what it would cost.
//!
//! Everything typed stands in the address, so that a scenario can be sent to a colleague; with a script the page answers while a
//! slider moves. Other conditions and formulas are drafted, and the draft stands beside the reforms. Guarantees: nothing is
//! changed; who may not see persons sees no number below ten, nor one that could be had by subtraction; a street sees its own
//! households. Deliberately absent: writing rules.

use super::simulate_answer as answer;
use super::simulate_candidate::Candidates;
use super::simulate_input::{REFORMS, Slot, changes, slots};
use crate::fields::Fields;
use crate::parts::export::handed_over;
use crate::parts::form::{self, FieldError, field};
use crate::parts::{format, piece, table};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose, Scope};
use batch::simulate::{Reform, Simulated, Simulation};
use batch::{Folder, Manifest, night, report};
use chrono::NaiveDate;
use maud::{Markup, html};
use policy::Programme;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};
use vocab::Month;

/// How long rows stay in memory after the last simulation.
const IDLE: Duration = Duration::from_secs(600);

/// What is asked (问题).
pub(super) struct Question<'a> {
    pub(super) programme: &'a Programme,
    pub(super) day: NaiveDate,
    pub(super) slots: Vec<Slot<'a>>,
    /// How many reforms are shown.
    count: usize,
    pub(super) reforms: Vec<Reform>,
    wrong: Vec<FieldError>,
}

/// The name of a reform.
pub(super) fn reform_name(visit: &Visit, at: usize) -> &'static str {
    match at {
        0 => visit.t("情景甲"),
        1 => visit.t("情景乙"),
        _ => visit.t("情景丙"),
    }
}

fn programmes(visit: &Visit) -> Vec<&Programme> {
    visit
        .app
        .desk
        .open_programmes()
        .filter(|programme| programme.benefit.every.pays())
        .collect()
}

/// Reads the question from what was typed.
pub(super) fn question<'a>(visit: &'a Visit, typed: &Fields) -> Result<Question<'a>, Problem> {
    let all = programmes(visit);
    let wanted = typed.get("programme");
    // Where nothing is chosen: the monthly benefit most others ask about.
    let asked_about = |one: &Programme| {
        let fact = format!("in_payment.{}", one.id);
        let others = visit.app.desk.book.programmes().iter();
        others.filter(|other| other.facts.contains(&fact)).count()
    };
    let monthly = || {
        all.iter()
            .filter(|one| one.benefit.every == policy::Every::Month)
            .max_by_key(|one| asked_about(one))
    };
    let programme = all
        .iter()
        .find(|programme| programme.id == wanted)
        .or_else(monthly)
        .copied()
        .ok_or(Problem::NotFound)?;
    let day = typed.get("day").parse().unwrap_or_else(|_| visit.today());
    let slots = slots(&visit.app.desk.book, programme, day);
    let count = typed
        .get("reforms")
        .parse()
        .unwrap_or(1)
        .clamp(1, REFORMS.len());
    let (mut reforms, mut wrong) = (Vec::new(), Vec::new());
    for (at, letter) in REFORMS.iter().enumerate().take(count) {
        let (changes, faults) = changes(visit.lang, typed, &slots, letter, day);
        wrong.extend(faults);
        if !changes.is_empty() {
            reforms.push(Reform {
                name: reform_name(visit, at).to_owned(),
                changes,
            });
        }
    }
    Ok(Question {
        programme,
        day,
        slots,
        count,
        reforms,
        wrong,
    })
}

/// Decides everybody of the newest snapshot; small numbers are held back where they must be.
async fn simulated(
    visit: &Visit,
    scope: &Scope,
    asked: &Question<'_>,
    candidates: &Candidates,
    folder: &Folder,
) -> anyhow::Result<Simulated> {
    let book = Arc::clone(&visit.app.desk.book);
    let division = book.place().division;
    let mut simulation = Simulation::new(book, asked.day, &asked.reforms)?;
    if let (Some(name), Some((_, chosen))) = (candidates.name(visit), &candidates.chosen) {
        simulation = simulation.beside(vec![(name, Arc::clone(&chosen.desk.book))]);
    }
    simulation.region =
        (scope.region != division && division.holds(scope.region)).then_some(scope.region);
    let shared = Arc::clone(&visit.app.simulations);
    simulation.held = Some(Arc::clone(&shared.held));
    let stop = AtomicBool::new(false);
    let turn = shared.turn.acquire().await?;
    let mut found = simulation.run(folder, &stop, |_, _| {}).await?;
    drop(turn);
    // What is held is let go when nobody moved a slider for a while.
    tokio::spawn(async move {
        tokio::time::sleep(IDLE).await;
        shared.held.forget_unused(IDLE);
    });
    if hides(visit) {
        for (_, effect) in &mut found.effects {
            effect.hide_small();
        }
    }
    Ok(found)
}

/// Whether small numbers are held back from this visitor.
fn hides(visit: &Visit) -> bool {
    !visit.can(Permission::SeePeople)
}

/// `GET /simulate` (试算).
///
/// # Errors
/// A fault of the folder; a place without any benefit.
pub async fn show(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Review)?;
    let mut asked = question(visit, &visit.query)?;
    let candidates = Candidates::of(visit, &scope).await?;
    asked.wrong.extend(candidates.wrong.clone());
    let is_asked = !asked.reforms.is_empty() || candidates.chosen.is_some();
    let newest = night::newest(super::sweep::base(visit)?).await?;
    let body = match &newest {
        None => nothing_yet(visit),
        Some((folder, manifest)) => {
            let begun = Instant::now();
            let found = if asked.wrong.is_empty() && is_asked {
                Some(simulated(visit, &scope, &asked, &candidates, folder).await?)
            } else {
                None
            };
            let millis = begun.elapsed().as_millis();
            html! {
                (choice(visit, &asked, manifest))
                div.columns {
                    (inputs(visit, &asked, &candidates))
                    // The brief answer stands beside what is typed, and comes with the long one.
                    aside.aside.card #brief aria-live="polite" hx-swap-oob=[visit.partial.then_some("true")] {
                        @match &found {
                            Some(found) => (answer::brief(visit, found)),
                            None => p.quiet { (visit.t("改一个数，这里就显示会影响谁、多花多少。")) },
                        }
                    }
                }
                div #answer {
                    @if let Some(found) = &found {
                        (answer::shown(visit, found, hides(visit)))
                        @if !asked.reforms.is_empty() { (super::simulate_draft::publish(visit, &asked)) }
                        (candidates.leads_on(visit))
                        p.quiet { (visit.lang.f("按 {day} 的快照，用时 {millis} 毫秒。试算不改变任何决定。", &[
                            ("day", &format::date(manifest.as_of)), ("millis", &millis),
                        ])) }
                    }
                }
            }
        }
    };
    let acts = html! {
        @if newest.is_some() && is_asked {
            a.button href=(visit.query.href("/simulate/export")) { (visit.t("导出")) }
        }
    };
    Ok(visit
        .page(visit.t("试算"))
        .nav("/simulate")
        .wide()
        .acts(acts)
        .errors(&asked.wrong)
        .show(&body))
}

fn nothing_yet(visit: &Visit) -> Markup {
    piece::empty(
        visit.t("还没有人口快照，算不了。快照由全人口比对生成，每晚一次。"),
        &html! {
            @if visit.can(Permission::RunSweep) {
                a.button.primary href="/leads/sweep" { (visit.t("去比对全部人口")) }
            } @else { p { (visit.t("请区级同事在“政策找人”里比对一次。")) } }
        },
    )
}

/// Which programme, on which day.
fn choice(visit: &Visit, asked: &Question<'_>, manifest: &Manifest) -> Markup {
    let lang = visit.lang;
    let choices = words::titled(lang, programmes(visit));
    let day = asked.day.to_string();
    html! {
        @if manifest.pack_hash != visit.app.desk.book.hash() {
            p.note.warn { (visit.t("快照是按以前的规则生成的：规则新读的事实里面还没有。请重新比对后再试算。")) }
        }
        form.filters method="get" action="/simulate" {
            (field(lang, "programme", visit.t("事项")).value(&asked.programme.id).select(&choices))
            (field(lang, "day", visit.t("基准日")).value(&day).date())
            (form::lesser(visit.t("换事项或日期")))
        }
    }
}

/// What each reform sets.
fn inputs(visit: &Visit, asked: &Question<'_>, candidates: &Candidates) -> Markup {
    let day = asked.day.to_string();
    let more = (asked.count + 1).to_string();
    html! {
        form method="get" action="/simulate" data-simulate hx-get="/simulate" hx-trigger="change delay:200ms" hx-target="#answer"
            hx-select="#answer" hx-swap="outerHTML" hx-sync="this:replace" {
            input type="hidden" name="programme" value=(asked.programme.id);
            input type="hidden" name="day" value=(day);
            input type="hidden" name="reforms" value=(asked.count);
            (slot_table(visit, asked))
            (candidates.choice(visit))
            div.buttons {
                (form::act(visit.t("试算")))
                @if asked.count < REFORMS.len() {
                    button type="submit" name="reforms" value=(more) { (visit.t("再加一个情景")) }
                }
                a.button.plain href=(Fields::new().with("programme", &asked.programme.id).href("/simulate")) { (visit.t("清除")) }
            }
        }
    }
}

fn slot_table(visit: &Visit, asked: &Question<'_>) -> Markup {
    let lang = visit.lang;
    let mut columns = vec![table::text(visit.t("参数")), table::number(visit.t("现在"))];
    for at in 0..asked.count {
        columns.push(table::text(reform_name(visit, at)));
    }
    let rows = asked
        .slots
        .iter()
        .map(|slot| {
            let mut cells = vec![
                html! {
                    span lang="zh-CN" { (slot.parameter.what) }
                    @if let Some(step) = &slot.step { " " (lang.f("{bound} 起", &[("bound", step)])) }
                },
                html! { (slot.shown(lang)) },
            ];
            for (at, letter) in REFORMS.iter().enumerate().take(asked.count) {
                cells.push(input(visit, asked, slot, (letter, reform_name(visit, at))));
            }
            table::still(cells)
        })
        .collect();
    table::table(lang, visit.t("参数"), &columns, rows, "", &visit.query)
}

fn input(
    visit: &Visit,
    asked: &Question<'_>,
    slot: &Slot<'_>,
    (letter, reform): (&str, &str),
) -> Markup {
    let name = slot.field(letter);
    let typed = visit.query.get(&name);
    let wrong = asked.wrong.iter().any(|error| error.field == name);
    let now = slot.typed(slot.now);
    let label = format!(
        "{reform} {} {}",
        slot.parameter.what,
        slot.step.as_deref().unwrap_or_default()
    );
    if slot.parameter.kind == policy::Kind::Bool {
        return html! {
            div.field.short {
                select id=(name) name=(name) aria-label=(label) {
                    option value="" selected[typed.is_empty()] { (visit.t("不改")) }
                    option value="1" selected[typed == "1"] { (visit.t("是")) }
                    option value="0" selected[typed == "0"] { (visit.t("否")) }
                }
            }
        };
    }
    html! {
        div.field.short {
            div.unit {
                input.number id=(name) name=(name) type="text" inputmode="decimal" autocomplete="off" value=(typed) placeholder=(now)
                    aria-label=(label) aria-invalid=[wrong.then_some("true")];
                span { (slot.unit(visit.lang)) }
            }
            @if let Some((most, step)) = slot.range() {
                @let at = if typed.is_empty() { now.as_str() } else { typed };
                input type="range" hidden data-slider=(name) min="0" max=(most) step=(step) value=(at)
                    aria-label=(visit.lang.f("拖动：{name}", &[("name", &label)]));
            }
        }
    }
}

/// `GET /simulate/export` (导出试算): what the page shows, as a spreadsheet, and journalled.
///
/// # Errors
/// [`Problem::Conflict`] when nothing is changed or there is no snapshot.
pub async fn export(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Review)?;
    let asked = question(visit, &visit.query)?;
    let candidates = Candidates::of(visit, &scope).await?;
    // What cannot be read or does not load is not left out of a file that names what was asked.
    if let Some(wrong) = asked.wrong.iter().chain(&candidates.wrong).next() {
        return Err(Problem::Conflict(wrong.sentence.clone()));
    }
    let is_asked = !asked.reforms.is_empty() || candidates.chosen.is_some();
    let newest = night::newest(super::sweep::base(visit)?).await?;
    let Some((folder, _)) = newest.filter(|_| is_asked) else {
        let sentence = visit.t("没有可以导出的试算；请先改一个数。");
        return Err(Problem::Conflict(sentence.to_owned()));
    };
    let found = simulated(visit, &scope, &asked, &candidates, &folder).await?;
    handed_over(
        visit,
        &scope,
        &report::tables(&visit.app.desk.book, &found),
        &format!("{}-{}", visit.t("试算"), Month::of(asked.day)),
        "web.export_simulation",
        ("programme", asked.programme.id.clone()),
        serde_json::json!({ "reforms": asked.reforms.len() }),
    )
    .await
}
