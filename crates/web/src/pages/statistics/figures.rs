//! The numbers of the page (统计页的数): added up by place and programme, with small ones hidden from the top down.
//!
//! Guarantees: what a table above hides, the one below does not tell: each level is hidden with the level above given.
//! Deliberately absent: markup.

use super::Look;
use crate::problem::Problem;
use crate::visit::Visit;
use access::Permission;
use batch::small_cells::{self, Mask, Totals};
use batch::statistics::{Asked, Measure, Numbers, Row, rows};
use std::collections::{BTreeMap, BTreeSet};
use vocab::{Month, Region};

/// What a number is of (哪个数): a place below and a programme, or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Of<'a> {
    pub(crate) place: Option<Region>,
    pub(crate) programme: Option<&'a str>,
}

/// A number as the visitor may see it (显示的数).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    Known(Numbers),
    Hidden,
}

/// The numbers of a place (统计数).
pub(crate) struct Figures {
    masked: bool,
    places: Vec<Region>,
    programmes: Vec<String>,
    sums: BTreeMap<(Measure, Month), Sums>,
    /// Months of which only the total is read.
    totals: BTreeMap<(Measure, Month), Numbers>,
}

/// One measure in one month.
#[derive(Debug, Default)]
struct Sums {
    cells: BTreeMap<(Region, String), Numbers>,
    mask: Option<Mask>,
}

impl Figures {
    pub(crate) async fn read(visit: &Visit, look: &Look) -> Result<Self, Problem> {
        let masked = !visit.can(Permission::SeePeople);
        let mut months: BTreeSet<Month> = look.compared().into_iter().collect();
        let year = Asked {
            months: look.span.clone(),
            region: look.at,
            programme: look.programme.clone(),
            divided: false,
        };
        let totals = if masked {
            // Which total is hidden hangs on the whole table of its month.
            months.extend(look.span.iter().copied());
            BTreeMap::new()
        } else {
            batch::statistics::months(&visit.app.db, &look.scope, &year).await?
        };
        let asked = Asked {
            months: months.iter().copied().collect(),
            // What is hidden here depends on what stands beside it above.
            region: if masked { look.root } else { look.at },
            programme: look.programme.clone().filter(|_| !masked),
            divided: false,
        };
        let found = rows(&visit.app.db, &look.scope, &asked).await?;
        let known = |at: Region| children(visit, at, &found);
        let all: Vec<String> = found
            .iter()
            .map(|row| row.programme.clone())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let places = known(look.at);
        let mut sums = BTreeMap::new();
        for measure in Measure::ALL {
            for month in &months {
                let these: Vec<&Row> = found
                    .iter()
                    .filter(|row| row.measure == measure && row.month == *month)
                    .collect();
                let cells = added(&these, look.at);
                let mask = masked.then(|| masks(look, &these, &all, &known));
                sums.insert((measure, *month), Sums { cells, mask });
            }
        }
        Ok(Self {
            masked,
            places,
            programmes: all,
            sums,
            totals,
        }
        .narrowed(look))
    }

    /// Only the programme asked for; the masks keep their columns.
    fn narrowed(mut self, look: &Look) -> Self {
        if let Some(one) = &look.programme
            && !self.masked
        {
            self.programmes.retain(|id| id == one);
        }
        self
    }

    pub(crate) fn masked(&self) -> bool {
        self.masked
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sums.values().all(|sums| sums.cells.is_empty())
    }

    pub(crate) fn places(&self) -> &[Region] {
        &self.places
    }

    pub(crate) fn programmes(&self) -> &[String] {
        &self.programmes
    }

    /// One number, as it may be shown (取数).
    pub(crate) fn shown(&self, measure: Measure, month: Month, of: Of<'_>) -> Shown {
        let Some(sums) = self.sums.get(&(measure, month)) else {
            let total = self.totals.get(&(measure, month)).copied();
            return Shown::Known(total.unwrap_or_default());
        };
        if let Some(mask) = &sums.mask
            && self.is_hidden(mask, of)
        {
            return Shown::Hidden;
        }
        Shown::Known(
            sums.cells
                .iter()
                .filter(|((place, programme), _)| {
                    of.place.is_none_or(|one| one == *place)
                        && of.programme.is_none_or(|one| one == programme)
                })
                .fold(Numbers::default(), |sum, (_, one)| sum.plus(*one)),
        )
    }

    fn is_hidden(&self, mask: &Mask, of: Of<'_>) -> bool {
        let row = of
            .place
            .map(|place| self.places.iter().position(|one| *one == place));
        let column = of
            .programme
            .map(|id| self.programmes.iter().position(|one| one == id));
        match (row, column) {
            (None, None) => mask.total,
            (Some(Some(row)), None) => mask.rows[row],
            (None, Some(Some(column))) => mask.columns[column],
            (Some(Some(row)), Some(Some(column))) => mask.cells[row][column],
            // What does not stand in the table is nothing.
            (Some(None), _) | (_, Some(None)) => false,
        }
    }
}

/// The place directly below `at` in which a place lies; `at` itself for what lies in none.
fn below(at: Region, region: Region) -> Region {
    region
        .with_ancestors()
        .find(|place| place.parent() == Some(at))
        .unwrap_or(at)
}

/// The places directly below one: those of the pack still in use, and those with numbers. A community is its own.
fn children(visit: &Visit, at: Region, found: &[Row]) -> Vec<Region> {
    let known = &visit.app.desk.book.place().regions;
    let mut places: BTreeSet<Region> = known
        .iter()
        .filter(|place| place.until.is_none() && place.code.parent() == Some(at))
        .map(|place| place.code)
        .collect();
    places.extend(
        found
            .iter()
            .filter(|row| at.holds(row.region))
            .map(|row| below(at, row.region)),
    );
    if places.is_empty() {
        places.insert(at);
    }
    places.into_iter().collect()
}

fn added(rows: &[&Row], at: Region) -> BTreeMap<(Region, String), Numbers> {
    let mut cells: BTreeMap<(Region, String), Numbers> = BTreeMap::new();
    for row in rows.iter().filter(|row| at.holds(row.region)) {
        let cell = cells
            .entry((below(at, row.region), row.programme.clone()))
            .or_default();
        *cell = cell.plus(row.numbers);
    }
    cells
}

/// The mask of the place looked at, from the widest place down.
fn masks(
    look: &Look,
    rows: &[&Row],
    programmes: &[String],
    children: &impl Fn(Region) -> Vec<Region>,
) -> Mask {
    let mut way: Vec<Region> = look
        .at
        .with_ancestors()
        .filter(|place| look.root.holds(*place))
        .collect();
    way.reverse();
    let mut above: Option<(Vec<Region>, Mask)> = None;
    for at in way {
        let places = children(at);
        let cells = added(rows, at);
        let counts: Vec<Vec<u64>> = places
            .iter()
            .map(|place| {
                programmes
                    .iter()
                    .map(|programme| {
                        cells
                            .get(&(*place, programme.clone()))
                            .map_or(0, |one| u64::try_from(one.count).unwrap_or(0))
                    })
                    .collect()
            })
            .collect();
        let given = above.as_ref().and_then(|(around, mask)| {
            let row = around.iter().position(|place| *place == at)?;
            Some(Mask {
                columns: mask.cells[row].clone(),
                total: mask.rows[row],
                ..Mask::nothing(places.len(), programmes.len())
            })
        });
        let mask = small_cells::hidden(&counts, Totals::BOTH, given.as_ref());
        above = Some((places, mask));
    }
    above.map_or_else(|| Mask::nothing(0, 0), |(_, mask)| mask)
}
