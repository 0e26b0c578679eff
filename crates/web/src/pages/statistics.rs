//! Statistics (统计): a month of a place by programme and by the places below, against last month and last year.
//!
//! Every number opens the list that proves it, where the visitor may see that list. The page reads the aggregates only;
//! who may not see persons is not shown small numbers. Without script it is a form and links.

pub(crate) mod figures;
pub(super) mod tables;

use crate::parts::export::Export;
use crate::parts::form::{field, lesser};
use crate::parts::{format, listing, piece};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Purpose, Scope};
use batch::statistics::{self, Measure};
use figures::{Figures, Of, Shown};
use maud::{Markup, html};
use sheets::{Column, Field, Kind};
use vocab::{Money, Month, Region};

/// What is looked at (查看条件).
pub(crate) struct Look {
    pub(crate) scope: Scope,
    /// The widest place shown: the visitor's, or the district where theirs is wider.
    pub(crate) root: Region,
    pub(crate) at: Region,
    pub(crate) month: Month,
    pub(crate) programme: Option<String>,
    measure: Measure,
    /// The months of which totals are wanted, oldest first.
    pub(crate) span: Vec<Month>,
}

impl Look {
    pub(crate) fn of(visit: &Visit) -> Result<Self, Problem> {
        let scope = visit.scope(Purpose::Review)?;
        let query = &visit.query;
        let division = visit.app.desk.book.place().division;
        let root = if scope.region.holds(division) {
            division
        } else {
            scope.region
        };
        let at = match query.some("region") {
            None => root,
            Some(code) => code
                .parse()
                .ok()
                .filter(|asked| root.holds(*asked))
                .ok_or(Problem::NotFound)?,
        };
        let this = Month::of(visit.today());
        let month: Month = query.get("month").parse().unwrap_or(this);
        Ok(Self {
            scope,
            root,
            at,
            month,
            programme: query.some("programme").map(str::to_owned),
            measure: Measure::from_word(query.get("measure")).unwrap_or(Measure::Paid),
            span: year(month).collect(),
        })
    }

    /// The months compared: this, the one before, the same of the year before.
    pub(super) fn compared(&self) -> [Month; 3] {
        [self.month, self.month.previous(), self.month.plus(-12)]
    }
}

/// The twelve months up to one, oldest first.
pub(super) fn year(month: Month) -> impl Iterator<Item = Month> {
    (-11..=0).map(move |months| month.plus(months))
}

/// What a measure is called (指标名).
fn measure_name(visit: &Visit, measure: Measure) -> &'static str {
    match measure {
        Measure::Applied => visit.t("申请"),
        Measure::Decided => visit.t("作出决定"),
        Measure::Paid => visit.t("发放"),
        Measure::InPayment => visit.t("在发"),
    }
}

/// `GET /statistics` (统计).
///
/// # Errors
/// [`Problem::NotFound`] for a place outside the scope.
pub async fn show(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let look = Look::of(visit)?;
    let figures = Figures::read(visit, &look).await?;
    let up_to = statistics::up_to(&visit.app.db).await?;
    let body = html! {
        (pickers(visit, &look))
        (way_up(visit, &look))
        @if figures.is_empty() {
            (piece::empty(visit.t("这个月在这里还没有统计数。可以换一个月份或者地区。"), &html! {}))
        } @else {
            (piece::section(visit.t("按事项"), &tables::by_programme(visit, &look, &figures)))
            @if look.at.level() != vocab::region::Level::Community {
                (piece::section(visit.t("按地区"), &tables::by_place(visit, &look, &figures)))
            }
            (tables::by_group(visit, &look, &figures).await?)
        }
        (piece::section(visit.t("近十二个月"), &tables::trend(visit, &look, &figures)))
        @if figures.masked() {
            p.quiet { (visit.t("少于 10 的数，和为了不让人推算出它而一并隐去的数，写作 ＊。")) }
        }
        p.quiet {
            (visit.t("申请按提交的月份、决定按最近一次决定的月份、发放按批次的月份统计，在发是当月享受的待遇；一人享受几项的按几人次计；金额单位：元。"))
            @if let Some(at) = up_to { " " (lang.f("统计到 {time}。", &[("time", &format::instant(at))])) }
        }
    };
    let acts = html! {
        a.button href=(visit.query.with("measure", "").href("/statistics/export")) { (visit.t("导出 Excel")) }
    };
    let title = lang.f(
        "{place} {month} 统计",
        &[("place", &visit.place(look.at)), ("month", &look.month)],
    );
    Ok(visit
        .page(title)
        .nav("/statistics")
        .wide()
        .acts(acts)
        .show(&body))
}

fn pickers(visit: &Visit, look: &Look) -> Markup {
    let lang = visit.lang;
    let desk = &visit.app.desk;
    let programmes = words::titled(lang, desk.open_programmes());
    let measures: Vec<(String, String)> = Measure::ALL
        .into_iter()
        .map(|one| (one.word().to_owned(), measure_name(visit, one).to_owned()))
        .collect();
    html! {
        form.filters method="get" action="/statistics" {
            (field(lang, "month", visit.t("月份")).value(&look.month.to_string()).month())
            (listing::place(visit, look.root))
            (field(lang, "programme", visit.t("事项")).value(visit.query.get("programme")).filter(visit.t("全部事项"), &programmes))
            (field(lang, "measure", visit.t("走势")).value(look.measure.word()).select(&measures))
            (lesser(visit.t("查看")))
        }
    }
}

/// The places above, to go back up.
fn way_up(visit: &Visit, look: &Look) -> Markup {
    let mut above: Vec<Region> = look
        .at
        .with_ancestors()
        .filter(|place| *place != look.at && look.root.holds(*place))
        .collect();
    above.reverse();
    html! {
        @if !above.is_empty() {
            p {
                @for place in above {
                    a href=(visit.query.with("region", &place.to_string()).href("/statistics")) { (visit.place(place)) }
                    " › "
                }
                (visit.place(look.at))
            }
        }
    }
}

/// `GET /statistics/export` (导出统计): each place and programme a row, with what the page shows and no more.
///
/// # Errors
/// [`Problem::NotFound`] for a place outside the scope.
pub async fn export(visit: &Visit) -> Answer {
    let look = Look::of(visit)?;
    let figures = Figures::read(visit, &look).await?;
    let columns = vec![
        Column::new(visit.t("月份"), Kind::Text, 10),
        Column::new(visit.t("区划代码"), Kind::Text, 16),
        Column::new(visit.t("地区"), Kind::Text, 20),
        Column::new(visit.t("事项"), Kind::Text, 20),
        Column::new(visit.t("申请（件）"), Kind::Integer, 12),
        Column::new(visit.t("作出决定（件）"), Kind::Integer, 14),
        Column::new(visit.t("发放（笔）"), Kind::Integer, 12),
        Column::new(visit.t("发放（人）"), Kind::Integer, 12),
        Column::new(visit.t("发放金额（元）"), Kind::Money, 16),
        Column::new(visit.t("在发（项）"), Kind::Integer, 12),
        Column::new(visit.t("在发（人次）"), Kind::Integer, 12),
        Column::new(visit.t("在发月额（元）"), Kind::Money, 16),
    ];
    let mut rows = Vec::new();
    for month in look.compared() {
        let mut places: Vec<Option<Region>> = figures.places().iter().copied().map(Some).collect();
        places.push(None);
        for place in places {
            let mut programmes: Vec<Option<&str>> = figures
                .programmes()
                .iter()
                .filter(|id| look.programme.as_ref().is_none_or(|only| only == *id))
                .map(|one| Some(one.as_str()))
                .collect();
            if look.programme.is_none() {
                programmes.push(None);
            }
            for programme in programmes {
                let of = Of { place, programme };
                rows.push(exported(visit, &look, &figures, month, of));
            }
        }
    }
    let total = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    Export {
        name: visit.t("统计"),
        file: format!("{}-{}-{}", visit.t("统计"), look.at, look.month),
        act: "web.export_statistics",
        subject: ("region", look.at.to_string()),
        columns,
        rows,
        total,
    }
    .answer(visit, &look.scope)
    .await
}

fn exported(visit: &Visit, look: &Look, figures: &Figures, month: Month, of: Of<'_>) -> Vec<Field> {
    let place = of.place.unwrap_or(look.at);
    let name = of.programme.map_or_else(
        || visit.t("合计").to_owned(),
        |id| super::pay_runs::programme(visit, id),
    );
    let mut fields = vec![
        Field::text(month.to_string()),
        Field::text(place.to_string()),
        Field::text(visit.place(place)),
        Field::text(name),
    ];
    for measure in Measure::ALL {
        let shown = figures.shown(measure, month, of);
        let numbers = match shown {
            Shown::Known(numbers) => Some(numbers),
            Shown::Hidden => None,
        };
        fields.push(numbers.map_or(Field::Empty, |n| Field::Integer(n.count)));
        if matches!(measure, Measure::Paid | Measure::InPayment) {
            fields.push(numbers.map_or(Field::Empty, |n| Field::Integer(n.persons)));
            fields.push(numbers.map_or(Field::Empty, |n| Field::Money(Money::from_fen(n.fen))));
        }
    }
    fields
}
