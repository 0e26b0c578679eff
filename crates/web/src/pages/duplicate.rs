//! A pair of records (一对记录): side by side, what speaks for and against one person, what each holds; and what to do: merge with a
//! choice where they differ, judge them to be two people, put it off; decide or turn down a merge, or undo it.
//!
//! Guarantees: both records lie in the officer's area or the page does not exist; opening it stands in the journal for both; numbers
//! stay masked, and how near they are is said in words; where two records differ somebody chooses, and what was chosen stands after a
//! refusal. Deliberately absent: choosing a document; the record with the right one stays.

use super::duplicate_record::{Whole, lines, whole};
use super::duplicates::{band, reasons, state};
use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::side_by_side::side_by_side;
use crate::parts::{format, piece};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose, Scope};
use casework::same_person;
use maud::{Markup, html};
use registry::duplicates::{self, DifferentRefused, PairRow, PairState};
use registry::merging::{self, Choices, Differing, MergeRow, NewMerge, Side};
use registry::people::Person;
use store::Tx;
use uuid::Uuid;

/// `GET /duplicates/{id}` (一对记录); both looks are journalled.
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn show(visit: &Visit) -> Answer {
    page(visit, &[]).await
}

async fn page(visit: &Visit, errors: &[FieldError]) -> Answer {
    let scope = visit.scope_for(Permission::RegisterPeople, Purpose::Review)?;
    let db = &visit.app.db;
    let pair = duplicates::pair(db, &scope, visit.id("id")?)
        .await?
        .ok_or(Problem::NotFound)?;
    let a = whole(visit, &scope, pair.a.id).await?;
    let b = whole(visit, &scope, pair.b.id).await?;
    let merges = merging::merge_between(db, &scope, pair.a.id, pair.b.id).await?;
    let differ = merging::differing(db, &scope, pair.a.id, pair.b.id)
        .await?
        .ok_or(Problem::NotFound)?;
    let heads = [visit.t("左边的记录"), visit.t("右边的记录")].map(str::to_owned);
    let against = reasons(visit, &pair.reasons, false);
    let body = html! {
        (piece::section(visit.t("为什么提示"), &html! {
            p { (piece::tag(band(visit, pair.band))) " " (reasons(visit, &pair.reasons, true)) }
            @if !against.is_empty() { p.quiet { (visit.t("不一致的：")) (against) } }
            @if pair.numbers_conflict {
                p.note.warn { (visit.t("两个号码都有效却不相同，或同一号码下姓名和出生日期都不同。请看证件原件再认定。")) }
            }
        }))
        (side_by_side(visit, heads, lines(visit, &a, &b, differ)))
        p {
            a href=(format!("/people/{}", pair.a.id)) { (visit.t("打开左边的记录")) } " · "
            a href=(format!("/people/{}", pair.b.id)) { (visit.t("打开右边的记录")) }
        }
        (next(visit, &pair, ((&a, &b), differ), &merges, errors))
        (history(visit, &pair, &merges).await?)
    };
    let note = match visit.query.get("done") {
        "different" => Some(html! { (visit.t("已认定不是同一人，以后不再提示这一对。")) }),
        "later" => Some(html! { (visit.t("已放到以后，到日子会再列出来。")) }),
        "prepared" => Some(html! { (visit.t("合并已拟定，等复核。复核以前两条记录都照旧。")) }),
        "merged" => {
            Some(html! { (visit.t("已合并。两条记录的历史都保留，打开任一条都到留下的这一条。")) })
        }
        "rejected" => Some(html! { (visit.t("已退回，这一对重新待核对。")) }),
        "undone" => Some(html! { (visit.t("合并已撤销，两条记录恢复为合并以前的样子。")) }),
        _ => None,
    };
    Ok(visit
        .page(format!("{} / {}", pair.a.name, pair.b.name))
        .nav("/duplicates")
        .back("/duplicates", visit.t("重复登记"))
        .note(note)
        .errors(errors)
        .show(&body))
}

/// What to do next, by where the pair stands.
fn next(
    visit: &Visit,
    pair: &PairRow,
    both: ((&Whole, &Whole), Differing),
    merges: &[MergeRow],
    errors: &[FieldError],
) -> Markup {
    match pair.state {
        PairState::Open | PairState::Later | PairState::Different => html! {
            section.part {
                h2 { (visit.t("下一步")) }
                (merge_form(visit, pair, both, errors))
                @if pair.state != PairState::Different { (other_forms(visit, pair, errors)) }
            }
        },
        PairState::Prepared => match merges.iter().find(|merge| merge.is_waiting()) {
            Some(merge) => waiting(visit, pair, merge, errors),
            None => html! {},
        },
        PairState::Merged => match merges.iter().find(|merge| merge.is_in_force()) {
            Some(merge) if visit.can(Permission::MergePeople) => {
                undo_form(visit, pair, merge, errors)
            }
            _ => html! {},
        },
    }
}

/// Merging: which record stays, what it says where they differ, and why.
fn merge_form(
    visit: &Visit,
    pair: &PairRow,
    ((a, b), differ): ((&Whole, &Whole), Differing),
    errors: &[FieldError],
) -> Markup {
    let lang = visit.lang;
    let (x, y) = (&a.person, &b.person);
    let sides = |left: &str, right: &str| {
        [("a", left), ("b", right)].map(|(value, shown)| {
            let shown = if shown.trim().is_empty() {
                "—"
            } else {
                shown
            };
            let label = if value == "a" {
                lang.f("左边：{value}", &[("value", &shown)])
            } else {
                lang.f("右边：{value}", &[("value", &shown)])
            };
            (value.to_owned(), label)
        })
    };
    let documented = |one: &Person| format!("{} {}", one.name, one.document_masked);
    let homed = |one: &Person| format!("{} {}", visit.place(one.lives_in), one.address);
    let phones = [x, y].map(|one| one.phone_masked.clone().unwrap_or_default());
    // Nobody chooses for the officer, but where one record says nothing the other does.
    let chosen = |name: &str, left: &str, right: &str| match visit.form.some(name) {
        Some(chosen) => chosen.to_owned(),
        None if right.trim().is_empty() => "a".to_owned(),
        None if left.trim().is_empty() => "b".to_owned(),
        None => String::new(),
    };
    let one = |name: &str, label: &str, left: &str, right: &str| {
        field(lang, name, label)
            .value(&chosen(name, left, right))
            .errors(errors)
            .radios(&sides(left, right))
    };
    let sent = visit.form.has("merge_reason");
    html! {
        details.act-form open[sent || pair.state == PairState::Open] {
            summary { (visit.t("是同一人：拟定合并")) }
            form method="post" action=(format!("/duplicates/{}/merge", pair.id)) {
                (form::token(visit))
                p.quiet { (visit.t("留下证件正确的那一条；另一条的证件、历史和发放记录都保留，仍能查到。")) }
                (field(lang, "survivor", visit.t("留下哪一条")).value(visit.form.get("survivor")).errors(errors)
                    .radios(&sides(&documented(x), &documented(y))))
                @if differ.name { (one("name", visit.t("姓名用哪一个"), &x.name, &y.name)) }
                @if differ.phone {
                    (one("phone", visit.t("手机用哪一个"), &phones[0], &phones[1]))
                    @if phones[0] == phones[1] {
                        p.quiet { (visit.t("两个手机号打码后看着一样，其实不同；请打开记录核对后再选。")) }
                    }
                }
                @if differ.home { (one("home", visit.t("住址用哪一个"), &homed(x), &homed(y))) }
                (field(lang, "merge_reason", visit.t("合并的依据")).value(visit.form.get("merge_reason")).errors(errors).area(2))
                @if a.paid + b.paid > 0 {
                    p.quiet { (visit.t("有在发待遇，须由另一位同事复核后才合并。")) }
                }
                (form::act(visit.t("拟定合并")))
            }
        }
    }
}

/// Two people, or not now.
fn other_forms(visit: &Visit, pair: &PairRow, errors: &[FieldError]) -> Markup {
    let lang = visit.lang;
    let until = visit.form.some("until").map_or_else(
        || format::date(visit.today() + chrono::Days::new(30)),
        str::to_owned,
    );
    html! {
        details.act-form open[visit.form.has("different_reason")] {
            summary { (visit.t("不是同一人")) }
            form method="post" action=(format!("/duplicates/{}/different", pair.id)) {
                (form::token(visit))
                (field(lang, "different_reason", visit.t("理由")).value(visit.form.get("different_reason")).errors(errors).area(2))
                (form::act(visit.t("认定不是同一人")))
            }
        }
        details.act-form open[visit.form.has("later_reason")] {
            summary { (visit.t("以后再看")) }
            form method="post" action=(format!("/duplicates/{}/later", pair.id)) {
                (form::token(visit))
                (field(lang, "until", visit.t("到哪一天再提示")).value(&until).errors(errors).date())
                (field(lang, "later_reason", visit.t("在等什么")).value(visit.form.get("later_reason")).errors(errors).area(2))
                (form::act(visit.t("放到以后")))
            }
        }
    }
}

/// A merge that waits for its decision.
fn waiting(visit: &Visit, pair: &PairRow, merge: &MergeRow, errors: &[FieldError]) -> Markup {
    let lang = visit.lang;
    let stays = if merge.survivor == pair.a.id {
        &pair.a
    } else {
        &pair.b
    };
    let own = merge.prepared.0 == visit.actor().officer;
    html! {
        section.part {
            h2 { (visit.t("待复核的合并")) }
            p { (lang.f("留下：{name} {number}", &[("name", &stays.name), ("number", &stays.document_masked)])) }
            p { (visit.t("依据")) (visit.t("：")) (merge.reason) }
            @if merge.two_people && own {
                p.note { (visit.t("这次合并由您拟定，请由另一位同事复核。")) }
            } @else if visit.can(Permission::MergePeople) {
                form method="post" action=(format!("/duplicates/{}/decide", pair.id)) {
                    (form::token(visit))
                    (form::act(visit.t("复核并合并")))
                }
            } @else {
                p.quiet { (visit.t("由街道或区里的同事复核。")) }
            }
            @if visit.can(Permission::MergePeople) {
                details.act-form open[visit.form.has("reject_reason")] {
                    summary { (visit.t("退回")) }
                    form method="post" action=(format!("/duplicates/{}/reject", pair.id)) {
                        (form::token(visit))
                        (field(lang, "reject_reason", visit.t("理由")).value(visit.form.get("reject_reason")).errors(errors).area(2))
                        (form::act(visit.t("退回合并")))
                    }
                }
            }
        }
    }
}

/// Undoing a merge.
fn undo_form(visit: &Visit, pair: &PairRow, merge: &MergeRow, errors: &[FieldError]) -> Markup {
    let lang = visit.lang;
    let (stays, other) = if merge.survivor == pair.a.id {
        (&pair.a, &pair.b)
    } else {
        (&pair.b, &pair.a)
    };
    let whose = [("survivor", stays), ("merged", other)].map(|(value, one)| {
        (
            value.to_owned(),
            format!("{} {}", one.name, one.document_masked),
        )
    });
    html! {
        section.part {
            h2 { (visit.t("合并有误")) }
            details.act-form open[visit.form.has("undo_reason")] {
                summary { (visit.t("撤销合并")) }
                form method="post" action=(format!("/duplicates/{}/undo", pair.id)) {
                    (form::token(visit))
                    p.quiet { (visit.t("两条记录恢复为合并以前的样子，并认定为两个人。")) }
                    (field(lang, "since", visit.t("合并以后录入的事实和变更归谁")).value(visit.form.get("since")).errors(errors).radios(&whose))
                    (field(lang, "undo_reason", visit.t("理由")).value(visit.form.get("undo_reason")).errors(errors).area(2))
                    (form::act(visit.t("撤销合并")))
                }
            }
        }
    }
}

/// Who did what to this pair.
async fn history(visit: &Visit, pair: &PairRow, merges: &[MergeRow]) -> Result<Markup, Problem> {
    let lang = visit.lang;
    let mut officers = vec![pair.state_by];
    for merge in merges {
        officers.push(merge.prepared.0);
        officers.extend(merge.done.iter().map(|(by, _)| *by));
        officers.extend(merge.ended.iter().map(|(by, ..)| *by));
    }
    let names = access::officer::names(&visit.app.db, &officers).await?;
    let name = |id| {
        names
            .get(&id)
            .cloned()
            .unwrap_or_else(|| visit.t("系统").to_owned())
    };
    let mut said = Vec::new();
    for merge in merges {
        let (by, at) = merge.prepared;
        said.push((
            at,
            lang.f(
                "{name} 拟定合并：{why}",
                &[("name", &name(by)), ("why", &merge.reason)],
            ),
        ));
        if let Some((by, at)) = merge.done {
            said.push((at, lang.f("{name} 复核并合并", &[("name", &name(by))])));
        }
        if let Some((by, at, why)) = &merge.ended {
            let text = if merge.done.is_some() {
                lang.f(
                    "{name} 撤销合并：{why}",
                    &[("name", &name(*by)), ("why", why)],
                )
            } else {
                lang.f(
                    "{name} 退回合并：{why}",
                    &[("name", &name(*by)), ("why", why)],
                )
            };
            said.push((*at, text));
        }
    }
    // A step of a merge moves the pair and is told already; any other judgement stands in the pair alone.
    let is_told = matches!(pair.state, PairState::Prepared | PairState::Merged)
        || merges.iter().any(|merge| {
            merge.ended.as_ref().is_some_and(|(_, at, why)| {
                *at == pair.state_at && why.trim() == pair.reason.trim()
            })
        });
    if !is_told && !pair.reason.is_empty() {
        let what = state(visit, pair.state);
        said.push((
            pair.state_at,
            lang.f(
                "{name}：{what}，{why}",
                &[
                    ("name", &name(pair.state_by)),
                    ("what", &what),
                    ("why", &pair.reason),
                ],
            ),
        ));
    }
    said.sort();
    Ok(html! {
        (piece::section(visit.t("经过"), &html! {
            ul.plain-list {
                li { (format::instant(pair.found_at)) " " (visit.t("比对发现")) }
                @for (at, text) in &said { li { (format::instant(*at)) " " (text) } }
            }
            p { (visit.t("状态")) (visit.t("：")) strong { (state(visit, pair.state)) }
                @if let Some(day) = pair.again_on { " " (lang.f("{day} 再提示", &[("day", &format::date(day))])) } }
        }))
    })
}

/// `POST /duplicates/{id}/different` (认定不是同一人).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn different(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Review)?;
    let mut tx = visit.app.db.begin().await?;
    let why = visit.form.get("different_reason");
    let step = duplicates::decide_different(&mut tx, &scope, visit.id("id")?, why).await?;
    judged(visit, tx, step, ("different", "different_reason")).await
}

/// `POST /duplicates/{id}/later` (以后再看).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn later(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Review)?;
    let mut tx = visit.app.db.begin().await?;
    let until = visit.form.get("until").parse().unwrap_or(visit.today());
    let why = visit.form.get("later_reason");
    let step = duplicates::decide_later(&mut tx, &scope, visit.id("id")?, why, until).await?;
    judged(visit, tx, step, ("later", "later_reason")).await
}

async fn judged(
    visit: &Visit,
    tx: Tx,
    step: Result<(), DifferentRefused>,
    (word, reason): (&str, &str),
) -> Answer {
    let refused = match step {
        Ok(()) => return done(visit, tx, word).await,
        Err(refused) => refused,
    };
    tx.rollback().await?;
    let at = match refused {
        DifferentRefused::NotFound => return Err(Problem::NotFound),
        DifferentRefused::ReasonMissing => reason,
        DifferentRefused::DayImpossible => "until",
        DifferentRefused::Closed => "",
    };
    page(
        visit,
        &[fault(at, words::sentence(visit.lang, &refused.to_string()))],
    )
    .await
}

async fn done(visit: &Visit, tx: Tx, word: &str) -> Answer {
    tx.commit().await?;
    visit.go(&format!(
        "/duplicates/{}?done={word}",
        visit.id::<Uuid>("id")?
    ))
}

/// What was asked and not chosen.
fn unchosen(visit: &Visit, differ: Differing) -> Vec<FieldError> {
    let asked = [
        ("survivor", true, visit.t("请选择留下哪一条记录")),
        ("name", differ.name, visit.t("请选择姓名用哪一个")),
        ("phone", differ.phone, visit.t("请选择手机用哪一个")),
        ("home", differ.home, visit.t("请选择住址用哪一个")),
    ];
    let chosen = |name: &str| matches!(visit.form.get(name), "a" | "b");
    asked
        .into_iter()
        .filter(|(name, is_asked, _)| *is_asked && !chosen(name))
        .map(|(name, _, sentence)| fault(name, sentence))
        .collect()
}

/// `POST /duplicates/{id}/merge` (拟定合并).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn prepare(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Review)?;
    let form = &visit.form;
    let mut tx = visit.app.db.begin().await?;
    let pair = duplicates::pair(&tx, &scope, visit.id("id")?)
        .await?
        .ok_or(Problem::NotFound)?;
    let survivor = form.get("survivor");
    let differ = merging::differing(&tx, &scope, pair.a.id, pair.b.id)
        .await?
        .ok_or(Problem::NotFound)?;
    let wrong = unchosen(visit, differ);
    if !wrong.is_empty() {
        tx.rollback().await?;
        return page(visit, &wrong).await;
    }
    let (stays, goes) = if survivor == "a" {
        (pair.a.id, pair.b.id)
    } else {
        (pair.b.id, pair.a.id)
    };
    // What was not asked is the same on both, so either does.
    let side = |name: &str| match form.some(name) {
        Some(chosen) if chosen != survivor => Side::Merged,
        _ => Side::Survivor,
    };
    let new = NewMerge {
        survivor: stays,
        merged: goes,
        choices: Choices {
            name: side("name"),
            phone: side("phone"),
            home: side("home"),
        },
        reason: form.get("merge_reason").to_owned(),
        in_payment: false,
    };
    let step = same_person::prepare(&mut tx, &scope, &visit.app.desk, new).await?;
    merged(visit, tx, step.map(drop), ("prepared", "merge_reason")).await
}

/// The merge of this pair that `fits`, if there is one.
async fn merge_of(
    visit: &Visit,
    tx: &Tx,
    scope: &Scope,
    fits: fn(&MergeRow) -> bool,
) -> Result<Uuid, Problem> {
    let pair = duplicates::pair(tx, scope, visit.id("id")?)
        .await?
        .ok_or(Problem::NotFound)?;
    let merges = merging::merge_between(tx, scope, pair.a.id, pair.b.id).await?;
    let found = merges.into_iter().find(fits);
    found
        .map(|merge| merge.id)
        .ok_or_else(|| Problem::Conflict(merging::Refused::NotOpen.to_string()))
}

/// `POST /duplicates/{id}/decide` (复核合并).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn decide(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Review)?;
    let mut tx = visit.app.db.begin().await?;
    let id = merge_of(visit, &tx, &scope, MergeRow::is_waiting).await?;
    let step = same_person::decide(&mut tx, &scope, &visit.app.desk, id).await?;
    merged(visit, tx, step, ("merged", "")).await
}

/// `POST /duplicates/{id}/reject` (退回合并).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn reject(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Review)?;
    let mut tx = visit.app.db.begin().await?;
    let id = merge_of(visit, &tx, &scope, MergeRow::is_waiting).await?;
    let step = merging::reject(&mut tx, &scope, id, visit.form.get("reject_reason")).await?;
    let step = step.map_err(same_person::Refused::Register);
    merged(visit, tx, step, ("rejected", "reject_reason")).await
}

/// `POST /duplicates/{id}/undo` (撤销合并).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn undo(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Review)?;
    let since = match visit.form.get("since") {
        word @ ("survivor" | "merged") => Side::from_word(word),
        _ => {
            let sentence = visit.t("请选择合并以后录入的内容归哪一条记录");
            return page(visit, &[fault("since", sentence)]).await;
        }
    };
    let mut tx = visit.app.db.begin().await?;
    let id = merge_of(visit, &tx, &scope, MergeRow::is_in_force).await?;
    let step = merging::undo(&mut tx, &scope, id, visit.form.get("undo_reason"), since).await?;
    let step = step.map_err(same_person::Refused::Register);
    merged(visit, tx, step, ("undone", "undo_reason")).await
}

async fn merged(
    visit: &Visit,
    tx: Tx,
    step: Result<(), same_person::Refused>,
    (word, reason): (&str, &str),
) -> Answer {
    let refused = match step {
        Ok(()) => return done(visit, tx, word).await,
        Err(refused) => refused,
    };
    tx.rollback().await?;
    let at = match &refused {
        same_person::Refused::Register(merging::Refused::NotFound) => {
            return Err(Problem::NotFound);
        }
        same_person::Refused::Register(merging::Refused::ReasonMissing) => reason,
        _ => "",
    };
    let sentence = match refused.en() {
        Some(en) => visit.lang.pick(&refused.zh(), &en).to_owned(),
        None => words::sentence(visit.lang, &refused.zh()),
    };
    page(visit, &[fault(at, sentence)]).await
}
