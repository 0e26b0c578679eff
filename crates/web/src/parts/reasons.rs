//! A determination as people read it (认定结论): the verdict, every condition with its article and the source of its
//! values, what is missing, and the whole working for who wants to check it.
//!
//! Only what the determination says is shown; nothing is computed again here.

use crate::locale::Lang;
use crate::parts::answer::{Asked, shown_at};
use crate::parts::{format, mark, piece, table};
use crate::visit::Visit;
use maud::{Markup, html};
use policy::{Book, ConditionResult, Determination, FactRef, FactUsed, Outcome};
use std::collections::BTreeSet;

/// The class of the edge that goes with an outcome.
fn tone(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Met => "met",
        Outcome::NotMet => "notmet",
        Outcome::ToVerify => "verify",
    }
}

/// Who a member of the sheet is: his name where it is known, else his number.
fn member(lang: Lang, names: &[String], at: usize) -> String {
    names
        .get(at)
        .cloned()
        .unwrap_or_else(|| lang.f("第 {n} 人", &[("n", &(at + 1))]))
}

/// The verdict (结论): mark, amount, the filled-in arithmetic.
pub fn verdict(lang: Lang, determination: &Determination) -> Markup {
    html! {
        div class=(format!("verdict {}", tone(determination.outcome))) {
            (mark::outcome(lang, determination.outcome))
            @if let Some(amount) = determination.amount {
                (mark::amount(lang, amount, determination.every))
            }
            @if !determination.amount_formula.is_empty() {
                span.formula { "= " (determination.amount_formula) }
            }
        }
    }
}

/// The name of a fact and, for a person's fact, whose it is (事实名称).
pub fn fact_name(lang: Lang, book: &Book, names: &[String], fact: &FactRef) -> String {
    let label = book.fact(&fact.fact).map_or(fact.fact.as_str(), |def| {
        lang.pick(&def.label_zh, &def.label_en)
    });
    match fact.member {
        Some(at) => lang.f(
            "{who}：{fact}",
            &[("who", &member(lang, names, at)), ("fact", &label)],
        ),
        None => label.to_owned(),
    }
}

/// The facts a condition rests on, through the variables it names.
fn facts_behind(
    book: &Book,
    determination: &Determination,
    condition: &ConditionResult,
) -> BTreeSet<String> {
    let programme = book.programme(&determination.programme);
    let mut open: Vec<&str> = condition.uses.iter().map(String::as_str).collect();
    let mut seen = BTreeSet::new();
    let mut facts = BTreeSet::new();
    while let Some(name) = open.pop() {
        let name = name.rsplit('.').next().unwrap_or(name);
        if !seen.insert(name.to_owned()) {
            continue;
        }
        if book.fact(name).is_some() {
            facts.insert(name.to_owned());
        }
        let variable = programme
            .and_then(|programme| {
                programme
                    .variables
                    .iter()
                    .find(|variable| variable.id == name)
            })
            .or_else(|| {
                let mut shared = book.libraries().iter().flat_map(|(_, variables)| variables);
                shared.find(|variable| variable.id == name)
            });
        if let Some(variable) = variable {
            open.extend(
                variable
                    .versions
                    .iter()
                    .flat_map(|version| version.uses.iter().map(String::as_str)),
            );
        }
    }
    facts
}

/// Who said the values a condition rests on, and up to when that is known (来源).
fn sources(visit: &Visit, determination: &Determination, condition: &ConditionResult) -> Markup {
    let behind = facts_behind(&visit.app.desk.book, determination, condition);
    let used: Vec<&FactUsed> = determination
        .facts
        .iter()
        .filter(|fact| behind.contains(&fact.fact))
        .collect();
    let who: BTreeSet<&str> = used
        .iter()
        .map(|fact| fact.source.as_str())
        .filter(|source| !source.is_empty())
        .collect();
    let latest = used.iter().filter_map(|fact| fact.known_since).max();
    html! {
        @for (at, source) in who.iter().enumerate() { @if at > 0 { (visit.t("、")) } (source) }
        @if let Some(latest) = latest { " " (format::instant(latest).get(..10).unwrap_or("")) }
    }
}

/// The conditions (条件): one line each, with article and source.
pub fn conditions(visit: &Visit, determination: &Determination, names: &[String]) -> Markup {
    let lang = visit.lang;
    html! {
        ul.conditions {
            @for condition in &determination.conditions {
                @let missing = (!condition.missing.is_empty()).then(|| html! {
                    (visit.t("还缺：")) (missing_list(visit, names, &condition.missing))
                });
                (mark::condition(lang, condition, missing.as_ref(), &sources(visit, determination, condition)))
            }
        }
    }
}

/// Missing facts named at once in one line; the rest stand behind a fold.
const NAMED_AT_ONCE: usize = 4;

/// The missing facts (缺少的事实), each once: `存款 2 人、车辆`, the first few at once.
pub fn missing_list(visit: &Visit, names: &[String], missing: &[FactRef]) -> Markup {
    let lang = visit.lang;
    let book = &visit.app.desk.book;
    let mut facts: Vec<(&str, Vec<&FactRef>)> = Vec::new();
    for fact in missing {
        match facts.iter_mut().find(|(known, _)| *known == fact.fact) {
            Some((_, several)) => several.push(fact),
            None => facts.push((&fact.fact, vec![fact])),
        }
    }
    let told: Vec<String> = facts
        .into_iter()
        .map(|(id, several)| match several.as_slice() {
            [one] => fact_name(lang, book, names, one),
            more => {
                let label = book
                    .fact(id)
                    .map_or(id, |def| lang.pick(&def.label_zh, &def.label_en));
                lang.f(
                    "{fact} {count} 人",
                    &[("fact", &label), ("count", &more.len())],
                )
            }
        })
        .collect();
    let joint = lang.t("、");
    html! {
        @if told.len() <= NAMED_AT_ONCE + 1 { (told.join(joint)) }
        @else {
            (told[..NAMED_AT_ONCE].join(joint))
            details.more {
                summary { (lang.f("等 {count} 项", &[("count", &told.len())])) }
                (told[NAMED_AT_ONCE..].join(joint))
            }
        }
    }
}

/// What one programme says so far, in the panel beside the form (实时预览的一项), for one member or for several of whom
/// it says the same.
pub fn brief(
    visit: &Visit,
    determination: &Determination,
    who: &[usize],
    names: &[String],
) -> Markup {
    let lang = visit.lang;
    let people: Vec<String> = who.iter().map(|at| member(lang, names, *at)).collect();
    let book = &visit.app.desk.book;
    let title = book
        .programme(&determination.programme)
        .map_or(determination.programme.as_str(), |found| {
            lang.pick(&found.title_zh, &found.title_en)
        });
    let refused = determination.conditions.iter().find_map(|condition| {
        condition
            .refusal
            .as_ref()
            .map(|said| (lang.pick(&said.zh, &said.en), &condition.article_title))
    });
    html! {
        li {
            div.head {
                strong {
                    (title)
                    @if !people.is_empty() { " · " (people.join(lang.t("、"))) }
                }
                (mark::outcome(lang, determination.outcome))
            }
            @match determination.outcome {
                Outcome::Met => @if let Some(amount) = determination.amount {
                    (mark::amount(lang, amount, determination.every))
                },
                Outcome::NotMet => @if let Some((said, article)) = refused {
                    p.quiet { (said) " " (article) }
                },
                Outcome::ToVerify => p.quiet {
                    @if determination.missing.is_empty() {
                        (determination.faults.first().map_or(visit.t("还不能判断"), |fault| fault.as_str()))
                    } @else { (visit.t("还缺：")) (missing_list(visit, names, &determination.missing)) }
                },
            }
        }
    }
}

/// The whole working (认定依据): variables, facts, what counts as nothing by law, and which rules were used.
pub fn working(visit: &Visit, determination: &Determination, names: &[String]) -> Markup {
    let lang = visit.lang;
    let whose = |at: Option<usize>| {
        at.map_or_else(|| lang.t("家庭").to_owned(), |at| member(lang, names, at))
    };
    let book = &visit.app.desk.book;
    let article = |citation: &vocab::Citation| {
        book.article_title(citation)
            .unwrap_or_else(|| citation.to_string())
    };
    let variables = determination
        .variables
        .iter()
        .map(|variable| {
            table::still(vec![
                html! { (lang.pick(&variable.label_zh, &variable.label_en)) },
                html! { (whose(variable.member)) },
                html! { @if variable.shown.is_empty() { (lang.t("未知")) } @else { (variable.shown) } },
                html! { (article(&variable.article)) },
            ])
        })
        .collect();
    let facts = determination
        .facts
        .iter()
        .map(|fact| {
            let def = book.fact(&fact.fact);
            table::still(vec![
                html! { (def.map_or(fact.fact.as_str(), |def| lang.pick(&def.label_zh, &def.label_en))) },
                html! { (whose(fact.member)) },
                html! {
                    @match def {
                        Some(def) => (shown_at(visit, &Asked::of(lang, def), &fact.value)),
                        None => (format!("{:?}", fact.value)),
                    }
                },
                html! { (crate::pages::facts::period(visit, &fact.period)) },
                html! {
                    (fact.source)
                    @if let Some(evidence) = &fact.evidence { " · " (crate::pages::facts::evidence_link(visit, evidence)) }
                },
                html! { (fact.known_since.map_or_else(|| "—".to_owned(), format::instant)) },
            ])
        })
        .collect();
    html! {
        (piece::section(lang.t("计算过程"), &table::table(lang, lang.t("计算过程"), &[
            table::text(lang.t("项目")), table::text(lang.t("谁的")), table::text(lang.t("值")), table::text(lang.t("依据")),
        ], variables, "", &visit.query)))
        (piece::section(lang.t("采用的事实"), &html! {
            (table::table(lang, lang.t("采用的事实"), &[
                table::text(lang.t("事实")), table::text(lang.t("谁的")), table::text(lang.t("值")),
                table::text(lang.t("期间")), table::text(lang.t("来源")), table::text(lang.t("得知时间")),
            ], facts, "", &visit.query))
            @if !determination.absent_as_zero.is_empty() {
                p { (lang.t("以下事实没有记录，依法按零计算：")) }
                ul.plain-list {
                    @for absent in &determination.absent_as_zero {
                        li {
                            (fact_name(lang, book, names, &FactRef { fact: absent.fact.clone(), member: absent.member }))
                            " · " (article(&absent.article))
                        }
                    }
                }
            }
        }))
        (piece::section(lang.t("用的是哪一版规则"), &piece::facts(&[
            (lang.t("基准日").to_owned(), html! { (format::date(determination.as_of)) }),
            (lang.t("截至何时得知的事实").to_owned(),
                html! { (determination.known_at.map_or_else(|| "—".to_owned(), format::instant)) }),
            (lang.t("规则版本").to_owned(), html! { (determination.pack_version) }),
            (lang.t("规则指纹").to_owned(), html! { code { (determination.pack_hash.get(..16).unwrap_or(&determination.pack_hash)) } }),
        ])))
    }
}
