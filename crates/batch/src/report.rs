//! The simulation as tables (试算结果表): for a spreadsheet, one sheet an overview and one each by place, age and size.
//!
//! Guarantees: a group that is held back shows no number. Deliberately absent: charts; the page draws them.

use crate::decide::region_of;
use crate::effect::{AGES, Effect, Group, STEPS};
use crate::simulate::Simulated;
use crate::suppress::Measure;
use policy::Book;
use sheets::{Column, Field, Kind, Table};
use vocab::Money;

/// What stands where a number is held back (隐去的写法).
pub const HELD_BACK: &str = "不显示";

/// The tables of a simulation (结果表).
pub fn tables(book: &Book, simulated: &Simulated) -> Vec<Table> {
    let mut overview = table("合计", "情景", simulated);
    let mut streets = table("按街道", "街道", simulated);
    let mut communities = table("按社区", "社区", simulated);
    let mut ages = table("按年龄", "年龄段", simulated);
    let mut sizes = table("按户规模", "户规模", simulated);
    let mut steps = Table {
        columns: vec![
            Column::new("情景", Kind::Text, 12),
            Column::new("每户每月变化", Kind::Text, 24),
            Column::new("户数", Kind::Integer, 10),
        ],
        ..table("变化分布", "", simulated)
    };
    for (name, effect) in &simulated.effects {
        overview.rows.push(row(name, "全部", &effect.all));
        for (street, group) in &effect.streets {
            streets.rows.push(row(name, &place(book, *street), group));
        }
        for (community, group) in &effect.communities {
            communities
                .rows
                .push(row(name, &place(book, *community), group));
        }
        for (band, group) in &effect.ages {
            ages.rows.push(row(name, &age_band(*band), group));
        }
        for (size, group) in &effect.sizes {
            let more = if *size >= 6 { "人及以上" } else { "人" };
            sizes.rows.push(row(name, &format!("{size} {more}"), group));
        }
        distribution(name, effect, &mut steps);
    }
    vec![overview, streets, communities, ages, sizes, steps]
}

fn table(name: &str, by: &str, simulated: &Simulated) -> Table {
    let number = |title: &str| Column::new(title, Kind::Integer, 10);
    let money = |title: &str| Column::new(title, Kind::Money, 16);
    Table {
        name: name.to_owned(),
        notes: vec![format!(
            "试算，基准日 {}，规则 {}；不改变任何决定",
            simulated.as_of, simulated.pack_version
        )],
        columns: vec![
            Column::new("情景", Kind::Text, 12),
            Column::new(by, Kind::Text, 20),
            number("户数"),
            number("人数"),
            number("多得户"),
            number("多得人"),
            number("少得户"),
            number("少得人"),
            number("新进户"),
            number("退出户"),
            number("变为待核实户"),
            number("变为待核实人"),
            number("可判断了的户"),
            money("现每月（元）"),
            money("改后每月（元）"),
            money("每月增支（元）"),
            money("每年增支（元）"),
            money("变为待核实的现每月（元）"),
        ],
        rows: Vec::new(),
        open_rows: 0,
    }
}

fn row(reform: &str, name: &str, group: &Group) -> Vec<Field> {
    let shown = |measure: Measure, field: Field| {
        if group.hidden.holds(measure) {
            Field::text(HELD_BACK)
        } else {
            field
        }
    };
    let number = |measure: Measure, count: u64| {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        shown(measure, Field::Integer(count))
    };
    let money = |fen: i64| shown(Measure::Money, Field::Money(Money::from_fen(fen)));
    vec![
        Field::text(reform),
        Field::text(name),
        number(Measure::All, group.all.households),
        number(Measure::All, group.all.persons),
        number(Measure::Gain, group.gain.households),
        number(Measure::Gain, group.gain.persons),
        number(Measure::Lose, group.lose.households),
        number(Measure::Lose, group.lose.persons),
        number(Measure::Enter, group.enter.households),
        number(Measure::Leave, group.leave.households),
        number(Measure::Unsettled, group.unsettled.households),
        number(Measure::Unsettled, group.unsettled.persons),
        number(Measure::Settled, group.settled.households),
        money(group.before),
        money(group.after),
        money(group.more()),
        money(group.more_a_year()),
        money(group.in_doubt),
    ]
}

fn distribution(reform: &str, effect: &Effect, table: &mut Table) {
    for (step, count) in &effect.steps {
        table.rows.push(vec![
            Field::text(reform),
            Field::text(step_label(*step)),
            Field::Integer(i64::try_from(*count).unwrap_or(i64::MAX)),
        ]);
    }
    for step in &effect.steps_hidden {
        table.rows.push(vec![
            Field::text(reform),
            Field::text(step_label(*step)),
            Field::text(HELD_BACK),
        ]);
    }
}

/// How an age band is called (年龄段称呼), counted in [`AGES`].
pub fn age_band(band: usize) -> String {
    match (AGES.get(band), AGES.get(band + 1)) {
        (Some(from), Some(beyond)) => format!("{from}—{} 岁", beyond - 1),
        (Some(from), None) => format!("{from} 岁及以上"),
        (None, _) => "年龄不明".to_owned(),
    }
}

/// How a class of change is called (变化分档称呼), counted in [`STEPS`].
pub fn step_label(step: usize) -> String {
    let yuan = |fen: i64| Money::from_fen(fen).to_string();
    match (STEPS.get(step), STEPS.get(step + 1)) {
        (Some(&i64::MIN), Some(beyond)) => format!("少 {} 元以上", yuan(beyond.saturating_neg())),
        (Some(from), Some(beyond)) if *beyond <= 1 => {
            let least = if *beyond == 1 {
                0
            } else {
                beyond.saturating_neg()
            };
            format!("少 {}—{} 元", yuan(least), yuan(from.saturating_neg()))
        }
        (Some(1), Some(beyond)) => format!("多 {} 元以下", yuan(*beyond)),
        (Some(from), Some(beyond)) => format!("多 {}—{} 元", yuan(*from), yuan(*beyond)),
        (Some(from), None) => format!("多 {} 元及以上", yuan(*from)),
        (None, _) => String::new(),
    }
}

/// The name of a place on the book's list (地名); its code where it has none.
pub fn place(book: &Book, code: i64) -> String {
    let Ok(region) = region_of(code) else {
        return code.to_string();
    };
    book.place()
        .regions
        .iter()
        .rev()
        .find(|place| place.code == region)
        .map_or_else(|| region.to_string(), |place| place.name_zh.clone())
}
