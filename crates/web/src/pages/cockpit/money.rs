//! What is paid (发放): the great numbers, by programme, and twelve months.
//!
//! Guarantees: only the aggregates are read, and they are read already. Deliberately absent: queries.

use crate::pages::pay_runs::programme;
use crate::pages::statistics::figures::{Figures, Of, Shown};
use crate::pages::statistics::tables::{Part, heading, is_nothing, list, said, worth};
use crate::pages::statistics::{Look, year};
use crate::parts::{bars, piece, table};
use crate::visit::Visit;
use access::Permission;
use batch::statistics::{Measure, Numbers};
use maud::{Markup, html};
use vocab::Month;

const ALL: Of<'_> = Of {
    place: None,
    programme: None,
};

/// January up to this month, each with the same month of the year before (本年各月).
pub(super) fn months_of_year(month: Month) -> Vec<[Month; 2]> {
    let (_, order) = month.year_month();
    let order = i32::try_from(order).unwrap_or(1);
    (1 - order..=0)
        .map(|back| month.plus(back))
        .map(|one| [one, one.plus(-12)])
        .collect()
}

/// A number with its list behind it (可点的数).
pub(super) fn proved(
    visit: &Visit,
    look: &Look,
    figures: &Figures,
    of: Of<'_>,
    column: (Measure, Part),
) -> Markup {
    let (measure, part) = column;
    let shown = figures.shown(measure, look.month, of);
    let at = of.place.unwrap_or(look.at);
    let link = list(visit, measure, look.month, at, of.programme)
        .filter(|_| !is_nothing(shown) && shown != Shown::Hidden);
    html! {
        @match link {
            Some((path, query)) => a href=(query.href(path)) { (said(shown, part)) },
            None => (said(shown, part)),
        }
    }
}

/// The great numbers of this month and this year, each beside what it was (要数).
pub(super) fn headline(visit: &Visit, look: &Look, figures: &Figures) -> Markup {
    let lang = visit.lang;
    let of_month = |measure, part| {
        let [_, before, year] = look
            .compared()
            .map(|month| said(figures.shown(measure, month, ALL), part));
        piece::Great {
            label: heading(visit, measure, part).to_owned(),
            said: proved(visit, look, figures, ALL, (measure, part)),
            beside: vec![
                lang.f("上月 {number}", &[("number", &before)]),
                lang.f("去年同月 {number}", &[("number", &year)]),
            ],
        }
    };
    let [this, last] = spent(look, figures);
    let paid = said(this, Part::Money);
    let from = look
        .month
        .plus(1 - months_of_year(look.month).len().try_into().unwrap_or(1));
    let link = list(visit, Measure::Paid, look.month, look.at, None)
        .filter(|_| !is_nothing(this) && this != Shown::Hidden)
        .map(|(path, query)| {
            let query = query
                .with("month", "")
                .with("month_from", &from.to_string())
                .with("month_to", &look.month.to_string());
            query.href(path)
        });
    let so_far = piece::Great {
        label: lang.f(
            "{year} 年发放金额（元）",
            &[("year", &look.month.year_month().0)],
        ),
        said: html! { @match link { Some(href) => a href=(href) { (paid) }, None => (paid) } },
        beside: vec![lang.f("去年同期 {number}", &[("number", &said(last, Part::Money))])],
    };
    piece::great(&[
        of_month(Measure::InPayment, Part::Count),
        of_month(Measure::InPayment, Part::Persons),
        of_month(Measure::Paid, Part::Money),
        so_far,
        of_month(Measure::Applied, Part::Count),
    ])
}

/// What was paid this year so far, and in the same months of last year; hidden where a month of it is.
fn spent(look: &Look, figures: &Figures) -> [Shown; 2] {
    let months = months_of_year(look.month);
    [0, 1].map(|which| {
        months.iter().map(|pair| pair[which]).fold(
            Shown::Known(Numbers::default()),
            |sum, month| match (sum, figures.shown(Measure::Paid, month, ALL)) {
                (Shown::Known(sum), Shown::Known(one)) => Shown::Known(sum.plus(one)),
                _ => Shown::Hidden,
            },
        )
    })
}

/// What is in payment, and what it costs a month, by programme (按事项).
pub(super) fn programmes(visit: &Visit, look: &Look, figures: &Figures) -> Markup {
    let row = |name: Markup, of: Of<'_>| {
        table::still(vec![
            name,
            proved(visit, look, figures, of, (Measure::InPayment, Part::Count)),
            proved(
                visit,
                look,
                figures,
                of,
                (Measure::InPayment, Part::Persons),
            ),
            proved(visit, look, figures, of, (Measure::InPayment, Part::Money)),
        ])
    };
    let mut rows: Vec<table::Row> = figures
        .programmes()
        .iter()
        .map(|id| {
            (
                id,
                Of {
                    place: None,
                    programme: Some(id),
                },
            )
        })
        .filter(|(_, of)| !is_nothing(figures.shown(Measure::InPayment, look.month, *of)))
        .map(|(id, of)| row(html! { (programme(visit, id)) }, of))
        .collect();
    rows.push(row(html! { strong { (visit.t("合计")) } }, ALL));
    let heads = [Part::Count, Part::Persons, Part::Money]
        .map(|part| table::number(heading(visit, Measure::InPayment, part)));
    let columns: Vec<table::Column> = std::iter::once(table::text(visit.t("事项")))
        .chain(heads)
        .collect();
    table::table(
        visit.lang,
        visit.t("在发，按事项"),
        &columns,
        rows,
        "/cockpit",
        &visit.query,
    )
}

/// Twelve months: what was paid, and what was in payment (走势). The table is the chart's own data.
pub(super) fn trend(visit: &Visit, look: &Look, figures: &Figures) -> Markup {
    let months: Vec<(Month, Shown, Shown)> = year(look.month)
        .map(|month| {
            let of = |measure| figures.shown(measure, month, ALL);
            (month, of(Measure::Paid), of(Measure::InPayment))
        })
        .collect();
    let high = |shown: Shown, part| match shown {
        Shown::Hidden => 0,
        Shown::Known(numbers) => worth(numbers, part),
    };
    let most = months
        .iter()
        .map(|(_, paid, _)| high(*paid, Part::Money))
        .max()
        .unwrap_or(0);
    let shown = |month, measure, part, shown: Shown| {
        let link = list(visit, measure, month, look.at, None).filter(|_| {
            visit.can(Permission::SeePayRuns) && !is_nothing(shown) && shown != Shown::Hidden
        });
        html! {
            @match link {
                Some((path, query)) => a href=(query.href(path)) { (said(shown, part)) },
                None => (said(shown, part)),
            }
        }
    };
    let rows = months
        .iter()
        .map(|(month, paid, standing)| {
            table::still(vec![
                html! { (month) },
                shown(*month, Measure::Paid, Part::Money, *paid),
                bars::bar(None, high(*paid, Part::Money), most),
                shown(*month, Measure::InPayment, Part::Count, *standing),
            ])
        })
        .collect();
    let columns = [
        table::text(visit.t("月份")),
        table::number(heading(visit, Measure::Paid, Part::Money)),
        table::text(visit.t("发放")),
        table::number(heading(visit, Measure::InPayment, Part::Count)),
    ];
    table::table(
        visit.lang,
        visit.t("近十二个月"),
        &columns,
        rows,
        "/cockpit",
        &visit.query,
    )
}

#[cfg(test)]
mod tests {
    use super::months_of_year;

    #[test]
    fn a_year_so_far_begins_in_january_and_stands_beside_the_same_months_of_the_last() {
        let said: Vec<String> = months_of_year("2026-03".parse().unwrap())
            .into_iter()
            .map(|[this, last]| format!("{this} {last}"))
            .collect();
        assert_eq!(
            said,
            ["2026-01 2025-01", "2026-02 2025-02", "2026-03 2025-03"]
        );
        assert_eq!(months_of_year("2026-01".parse().unwrap()).len(), 1);
    }
}
