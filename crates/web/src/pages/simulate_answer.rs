//! The answer of a simulation (试算结果): the reforms side by side, then each by street, community, age and size of household.

use crate::parts::sketch::{Square, sketch};
use crate::parts::{bars, format, piece, table};
use crate::visit::Visit;
use batch::effect::{Count, Effect, Group, STEPS};
use batch::region_of;
use batch::report::{self, age_band, step_label};
use batch::simulate::Simulated;
use batch::suppress::Measure;
use maud::{Markup, html};
use vocab::Money;

/// What stands where a number is held back.
fn held_back(visit: &Visit) -> Markup {
    html! { span.quiet { (visit.t("不显示")) } }
}

fn count(visit: &Visit, group: &Group, measure: Measure, count: Count) -> Markup {
    if group.hidden.holds(measure) {
        return held_back(visit);
    }
    html! {
        @if count == Count::default() { "0" }
        @if count.households > 0 { (format::number(count.households)) " " (visit.t("户")) " " }
        @if count.persons > 0 { (format::number(count.persons)) " " (visit.t("人")) }
    }
}

fn money(visit: &Visit, group: &Group, fen: i64, signed: bool) -> Markup {
    if group.hidden.holds(Measure::Money) {
        return held_back(visit);
    }
    html! { (sum(visit, fen, signed)) }
}

fn sum(visit: &Visit, fen: i64, signed: bool) -> String {
    let sign = if signed && fen > 0 { "+" } else { "" };
    format!("{sign}{}", format::money(visit.lang, Money::from_fen(fen)))
}

/// The whole answer (结果).
pub(super) fn shown(visit: &Visit, found: &Simulated, hides: bool) -> Markup {
    html! {
        (piece::section(visit.t("合计"), &side_by_side(visit, found)))
        @if hides { p.quiet { (visit.t("少于 10 的数不显示；为防止相减得出，另有一个数也不显示。")) } }
        @for (name, effect) in &found.effects { (one(visit, name, effect)) }
    }
}

/// The answer in a few lines a reform (摘要), to stand beside what is typed.
pub(super) fn brief(visit: &Visit, found: &Simulated) -> Markup {
    html! {
        @for (name, effect) in &found.effects {
            @let all = &effect.all;
            h2 { (name) }
            (piece::facts(&[
                (visit.t("新进").to_owned(), count(visit, all, Measure::Enter, all.enter)),
                (visit.t("多得").to_owned(), count(visit, all, Measure::Gain, all.gain)),
                (visit.t("少得").to_owned(), count(visit, all, Measure::Lose, all.lose)),
                (visit.t("变为待核实").to_owned(), count(visit, all, Measure::Unsettled, all.unsettled)),
                (visit.t("每月多支出").to_owned(), html! { strong { (money(visit, all, all.more(), true)) } }),
                (visit.t("每年多支出").to_owned(), money(visit, all, all.more_a_year(), true)),
            ]))
        }
    }
}

/// The reforms beside each other, a line each measure.
fn side_by_side(visit: &Visit, found: &Simulated) -> Markup {
    type Cell = fn(&Visit, &Group) -> Markup;
    let lines: [(&'static str, Cell); 11] = [
        (
            visit.t("新进（原来没有，改后有）"),
            |visit, all| count(visit, all, Measure::Enter, all.enter),
        ),
        (visit.t("多得（含新进）"), |visit, all| {
            count(visit, all, Measure::Gain, all.gain)
        }),
        (visit.t("少得（含退出）"), |visit, all| {
            count(visit, all, Measure::Lose, all.lose)
        }),
        (
            visit.t("退出（原来有，改后没有）"),
            |visit, all| count(visit, all, Measure::Leave, all.leave),
        ),
        (
            visit.t("变为待核实（不算少得）"),
            |visit, all| count(visit, all, Measure::Unsettled, all.unsettled),
        ),
        (visit.t("其中现在每月得"), |visit, all| {
            money(visit, all, all.in_doubt, false)
        }),
        (visit.t("由待核实变为可判断"), |visit, all| {
            count(visit, all, Measure::Settled, all.settled)
        }),
        (visit.t("现在每月"), |visit, all| {
            money(visit, all, all.before, false)
        }),
        (visit.t("改后每月"), |visit, all| {
            money(visit, all, all.after, false)
        }),
        (visit.t("每月多支出"), |visit, all| {
            money(visit, all, all.more(), true)
        }),
        (visit.t("每年多支出"), |visit, all| {
            money(visit, all, all.more_a_year(), true)
        }),
    ];
    let mut columns = vec![table::text(visit.t("影响"))];
    columns.extend(
        found
            .effects
            .iter()
            .map(|(name, _)| table::number(name.clone())),
    );
    let rows = lines
        .into_iter()
        .map(|(label, cell)| {
            let mut cells = vec![html! { (label) }];
            cells.extend(
                found
                    .effects
                    .iter()
                    .map(|(_, effect)| cell(visit, &effect.all)),
            );
            table::still(cells)
        })
        .collect();
    table::table(
        visit.lang,
        visit.t("合计"),
        &columns,
        rows,
        "",
        &visit.query,
    )
}

fn one(visit: &Visit, name: &str, effect: &Effect) -> Markup {
    let book = &visit.app.desk.book;
    let places = |groups: &std::collections::BTreeMap<i64, Group>| -> Vec<(String, Group)> {
        groups
            .iter()
            .map(|(code, group)| (report::place(book, *code), *group))
            .collect()
    };
    let ages: Vec<(String, Group)> = effect
        .ages
        .iter()
        .map(|(band, group)| (age_band(*band), *group))
        .collect();
    let sizes: Vec<(String, Group)> = effect
        .sizes
        .iter()
        .map(|(size, group)| {
            let label = match size {
                6.. => visit.t("6 人及以上").to_owned(),
                _ => visit.lang.f("{count} 人", &[("count", size)]),
            };
            (label, *group)
        })
        .collect();
    html! {
        section.part {
            h2 { (name) }
            h3 { (visit.t("按街道")) }
            (drawn(visit, effect))
            (grouped(visit, visit.t("街道"), &places(&effect.streets), true))
            details.act-form { summary { (visit.t("按社区")) } (grouped(visit, visit.t("社区"), &places(&effect.communities), true)) }
            details.act-form { summary { (visit.t("按年龄")) } (grouped(visit, visit.t("年龄段"), &ages, false)) }
            details.act-form { summary { (visit.t("按户规模")) } (grouped(visit, visit.t("户规模"), &sizes, true)) }
            details.act-form open { summary { (visit.t("每户每月变化的分布")) } (distribution(visit, effect)) }
        }
    }
}

/// How much more each street would cost a month, where it lies.
fn drawn(visit: &Visit, effect: &Effect) -> Markup {
    let square = |(code, group): (&i64, &Group)| {
        let shown = !group.hidden.holds(Measure::Money);
        Some(Square {
            place: region_of(*code).ok()?,
            weight: shown.then(|| group.more()),
            said: match shown {
                true => sum(visit, group.more(), true),
                false => visit.t("不显示").to_owned(),
            },
            href: None,
        })
    };
    let squares: Vec<Square> = effect.streets.iter().filter_map(square).collect();
    sketch(visit, visit.t("各街道每月多支出"), &squares)
}

fn grouped(visit: &Visit, by: &str, groups: &[(String, Group)], with_money: bool) -> Markup {
    let mut columns = vec![
        table::text(by),
        table::number(visit.t("多得")),
        table::number(visit.t("少得")),
        table::number(visit.t("新进")),
        table::number(visit.t("退出")),
        table::number(visit.t("变为待核实")),
    ];
    if with_money {
        columns.extend([
            table::number(visit.t("现在每月")),
            table::number(visit.t("每月多支出")),
            table::text(visit.t("现在和改后")),
        ]);
    }
    let most = groups
        .iter()
        .map(|(_, group)| group.before.max(group.after))
        .max()
        .unwrap_or(0);
    let (touched, rest): (Vec<_>, Vec<_>) = groups.iter().partition(|(_, group)| {
        let changed = [group.gain, group.lose, group.unsettled, group.settled];
        !group.hidden.is_nothing() || changed.iter().any(|count| *count != Count::default())
    });
    let rows = touched
        .into_iter()
        .map(|(label, group)| {
            let mut cells = vec![
                html! { span lang="zh-CN" { (label) } },
                count(visit, group, Measure::Gain, group.gain),
                count(visit, group, Measure::Lose, group.lose),
                count(visit, group, Measure::Enter, group.enter),
                count(visit, group, Measure::Leave, group.leave),
                count(visit, group, Measure::Unsettled, group.unsettled),
            ];
            if with_money {
                cells.push(money(visit, group, group.before, false));
                cells.push(money(visit, group, group.more(), true));
                cells.push(html! {
                    @if group.hidden.holds(Measure::Money) { (held_back(visit)) }
                    @else { (bars::bar(Some(group.before), group.after, most)) }
                });
            }
            table::still(cells)
        })
        .collect();
    html! {
        (table::table(visit.lang, by, &columns, rows, "", &visit.query))
        @if !rest.is_empty() {
            p.quiet { (visit.lang.f("其余 {count} 组没有变化", &[("count", &rest.len())])) }
        }
    }
}

fn distribution(visit: &Visit, effect: &Effect) -> Markup {
    let most = effect.steps.values().copied().max().unwrap_or(0);
    let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let columns = [
        table::text(visit.t("每户每月变化")),
        table::number(visit.t("户数")),
        table::text(visit.t("分布")),
    ];
    let rows: Vec<table::Row> = (0..STEPS.len())
        .filter_map(|step| {
            let shown = effect.steps.get(&step).copied();
            let hidden = effect.steps_hidden.contains(&step);
            if shown.is_none() && !hidden {
                return None;
            }
            Some(table::still(vec![
                html! { span lang="zh-CN" { (step_label(step)) } },
                match shown {
                    Some(count) => html! { (format::number(count)) },
                    None => held_back(visit),
                },
                html! { @if let Some(count) = shown { (bars::bar(None, whole(count), whole(most))) } },
            ]))
        })
        .collect();
    if rows.is_empty() {
        return html! { p.quiet { (visit.t("没有一户的每月金额会变。")) } };
    }
    let caption = visit.t("每户每月变化的分布");
    table::table(visit.lang, caption, &columns, rows, "", &visit.query)
}
