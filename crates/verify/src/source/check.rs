//! What holds between columns, figures and facts (数据源核对), after all layers were read.
//!
//! Guarantees: a source that comes out of here can be landed and asked: it has an identity column, its figures read columns
//! that are there and fit, and what they become are facts of the rule book of the right kind. Deliberately absent: files.

use super::read::{Draft, RawFigure};
use super::{Column, ColumnKind, FigureDef, Source, Take};
use policy::toml_file::Said;
use policy::{Book, Faults, Kind, Spot};

pub(super) fn finish(
    id: &str,
    draft: Draft,
    book: Option<&Book>,
    faults: &Faults,
) -> Option<Source> {
    let spot = draft.spot.clone()?;
    let text = |key: &'static str| {
        let found = draft.texts.get(key).map(|said| said.text.clone());
        if found.is_none() {
            faults.note(&spot, format!("[source] 缺少“{key}”"));
        }
        found.unwrap_or_default()
    };
    let (zh, en, department) = (text("zh"), text("en"), text("department"));
    let (basis, tag) = (text("basis"), text("tag"));
    if draft.whole.is_none() {
        faults.note(
            &spot,
            "[source] 缺少“whole”：不在册的人是不是就没有，请写 true 或 false",
        );
    }
    if draft.max_age_days.is_none() {
        faults.note(&spot, "[source] 缺少“max_age_days”：数据超过多少天不能再用");
    }
    if draft.arrival.by.is_empty() {
        faults.note(&spot, "[arrival] 缺少“by”：文件怎样送来");
    }
    check_columns(&draft, &spot, faults);
    let columns: Vec<Column> = draft
        .columns
        .iter()
        .map(|(_, column)| column.clone())
        .collect();
    let mut source = Source {
        id: id.to_owned(),
        zh,
        en,
        department,
        basis,
        whole: draft.whole.unwrap_or(false),
        max_age_days: draft.max_age_days.unwrap_or(0),
        tag,
        arrival: draft.arrival,
        drift: draft.drift,
        columns,
        figures: Vec::new(),
    };
    for raw in &draft.figures {
        if let Some(figure) = figure(raw, &source, faults) {
            if let (Some(book), Some(fact)) = (book, &raw.fact) {
                check_fact(book, &source, &figure, fact, faults);
            }
            source.figures.push(figure);
        }
    }
    Some(source)
}

fn check_columns(draft: &Draft, spot: &Spot, faults: &Faults) {
    let of = |kind: &ColumnKind| {
        draft
            .columns
            .iter()
            .filter(|(_, column)| column.kind == *kind)
            .count()
    };
    if of(&ColumnKind::Id) != 1 {
        faults.note(spot, "要有一列，也只能有一列 kind = \"id\"（身份证号）");
    }
    for (kind, word) in [
        (ColumnKind::OtherId, "other_id"),
        (ColumnKind::Name, "name"),
    ] {
        if of(&kind) > 1 {
            faults.note(spot, format!("kind = \"{word}\" 只能有一列"));
        }
    }
    let mut headings: Vec<&str> = Vec::new();
    for (spot, column) in &draft.columns {
        if ["key", "other", "sealed"].contains(&column.id.as_str()) {
            faults.note(spot, format!("列的代号不能叫“{}”，请换一个", column.id));
        }
    }
    for (spot, column) in &draft.columns {
        for heading in &column.headings {
            if headings.contains(&heading.as_str()) {
                faults.note(spot, format!("列名“{heading}”已经是另一列的"));
            }
            headings.push(heading);
        }
        if draft.arrival.by.iter().any(|way| way == "fixed") && column.width.is_none() {
            faults.note(spot, "定宽文件的每一列要写 width（字节数）");
        }
    }
}

fn figure(raw: &RawFigure, source: &Source, faults: &Faults) -> Option<FigureDef> {
    let look = |said: &Said| {
        let found = source.column(said);
        if found.is_none() {
            faults.note(&said.spot, format!("没有叫“{}”的列", &**said));
        }
        found
    };
    let need = |said: &Option<Said>, key: &str| match said {
        Some(said) => look(said),
        None => {
            faults.note(&raw.spot, format!("缺少“{key}”"));
            None
        }
    };
    let said = raw.take.as_ref()?;
    let take = match &**said {
        "count" => Take::Count,
        "any" => Take::Any,
        "sum" => Take::Sum(need(&raw.column, "column")?),
        "latest" => Take::Latest(need(&raw.column, "column")?, need(&raw.by, "by")?),
        "earliest" => Take::Earliest(need(&raw.column, "column")?, need(&raw.by, "by")?),
        "average" => Take::Average(
            need(&raw.column, "column")?,
            need(&raw.by, "by")?,
            raw.months.filter(|months| *months > 0).or_else(|| {
                faults.note(&raw.spot, "average 要写 months（几个月平均）");
                None
            })?,
        ),
        _ => {
            faults.note(
                &said.spot,
                "take 可以写 count sum any latest earliest average",
            );
            return None;
        }
    };
    check_take(take, raw, source, faults);
    let mut filters = Vec::new();
    for (column, codes) in &raw.filters {
        let place = look(column)?;
        let ColumnKind::Code(list) = &source.columns[place].kind else {
            faults.note(&column.spot, "where 只能写代码列");
            return None;
        };
        let mut allowed = Vec::new();
        for code in codes {
            match list.iter().position(|(known, _)| *known == **code) {
                Some(at) => allowed.push(i64::try_from(at).ok()?),
                None => faults.note(&code.spot, format!("“{}”不是这一列的代码", &**code)),
            }
        }
        filters.push((place, allowed));
    }
    let word = |said: &Option<Said>, words: &[&str], column: &ColumnKind, what: &str| {
        let said = said.as_ref()?;
        if source.of_kind(column).is_none() {
            faults.note(&said.spot, format!("这个数据源没有{what}一列"));
        }
        let at = words.iter().position(|word| *word == &**said);
        if at.is_none() {
            faults.note(&said.spot, format!("这里可以写：{}", words.join(" ")));
        }
        at
    };
    let name = word(&raw.name, &["same", "differs"], &ColumnKind::Name, "姓名");
    let other = word(
        &raw.other,
        &["outside"],
        &ColumnKind::OtherId,
        "另一人身份证号",
    );
    let distinct = match &raw.distinct {
        Some(said) => {
            let place = look(said)?;
            if !source.columns[place].kind.is_figured() {
                faults.note(&said.spot, "distinct 要写号码、代码或数字列");
            }
            Some(place)
        }
        None => None,
    };
    Some(FigureDef {
        id: raw.id.text.clone(),
        zh: raw.zh.as_ref()?.text.clone(),
        en: raw.en.as_ref()?.text.clone(),
        take,
        filters,
        name_differs: name.map(|at| at == 1),
        other_outside: other.is_some(),
        distinct,
        fact: raw.fact.as_ref().map(|said| said.text.clone()),
        codes: raw
            .codes
            .iter()
            .map(|(from, to)| (from.text.clone(), to.text.clone()))
            .collect(),
    })
}

/// Whether the columns it takes can be taken so.
fn check_take(take: Take, raw: &RawFigure, source: &Source, faults: &Faults) {
    let kind = |place: usize| &source.columns[place].kind;
    let spot = raw.column.as_ref().map_or(&raw.spot, |said| &said.spot);
    let summed = match take {
        Take::Sum(column) | Take::Average(column, ..) => Some(column),
        _ => None,
    };
    if summed.is_some_and(|column| {
        !matches!(
            kind(column),
            ColumnKind::Money(_) | ColumnKind::Count | ColumnKind::Area(_)
        )
    }) {
        faults.note(spot, "只有金额、数量、面积可以合计或平均");
    }
    if let Take::Latest(column, by) | Take::Earliest(column, by) | Take::Average(column, by, _) =
        take
    {
        if !matches!(kind(by), ColumnKind::Date | ColumnKind::Month) {
            faults.note(
                &raw.by.as_ref().map_or(&raw.spot, |said| &said.spot).clone(),
                "by 要写日期列或月份列",
            );
        }
        if matches!(
            kind(column),
            ColumnKind::Id
                | ColumnKind::OtherId
                | ColumnKind::Name
                | ColumnKind::Number
                | ColumnKind::Text
        ) {
            faults.note(spot, "这一列的文字是封存的，不能作指标");
        }
    }
    if matches!(take, Take::Count | Take::Any) && raw.column.is_some() {
        faults.note(spot, "count 和 any 不写 column");
    }
}

/// Whether the figure fits the fact it becomes.
fn check_fact(book: &Book, source: &Source, figure: &FigureDef, said: &Said, faults: &Faults) {
    let Some(fact) = book.fact(said) else {
        faults.note(&said.spot, format!("没有叫“{}”的事实", &**said));
        return;
    };
    let kind = |place: usize| &source.columns[place].kind;
    let fits = match figure.take {
        Take::Count => fact.kind == Kind::Count,
        Take::Any => fact.kind == Kind::Bool,
        Take::Average(column, ..) => {
            matches!(kind(column), ColumnKind::Money(_)) && fact.kind == Kind::MoneyPerMonth
        }
        Take::Sum(column) | Take::Latest(column, _) | Take::Earliest(column, _) => {
            match kind(column) {
                ColumnKind::Money(_) => matches!(
                    fact.kind,
                    Kind::Money | Kind::MoneyPerMonth | Kind::MoneyPerYear
                ),
                ColumnKind::Count => fact.kind == Kind::Count,
                ColumnKind::Date | ColumnKind::Month => fact.kind == Kind::Date,
                ColumnKind::Code(_) => fact.kind == Kind::Code,
                _ => false,
            }
        }
    };
    if !fits {
        faults.note(
            &said.spot,
            format!(
                "指标“{}”的类型与事实“{}”（{}）不符",
                figure.id, fact.id, fact.label_zh
            ),
        );
    }
    if fact.kind == Kind::Code {
        for code in figure.codes.values() {
            if !fact.codes.iter().any(|known| known.code == *code) {
                faults.note(&said.spot, format!("“{code}”不是事实“{}”的代码", fact.id));
            }
        }
        if figure.codes.is_empty() {
            faults.note(
                &said.spot,
                "代码类事实要写 as = { 来源代码 = \"事实代码\" }",
            );
        }
    }
}
