//! A place drawn as squares (位置示意图): each street where it lies about, coloured by its number, which stands in it.
//!
//! The squares come from the pack; a place without them has no sketch, and its table says the same. Guarantees: works without
//! scripts and in every size of text; a square never says more than the table beside it, and without its colour the number is
//! still there. Deliberately absent: borders of land; nobody gave us any that may be handed on.

use crate::visit::Visit;
use maud::{Markup, html};
use policy::Tile;
use vocab::Region;

/// A street on the sketch (示意图的一格).
pub struct Square {
    /// Its code.
    pub place: Region,
    /// What it is coloured by, as compared with the others; `None` where it is not shown.
    pub weight: Option<i64>,
    /// What is written in it.
    pub said: String,
    /// Where it leads.
    pub href: Option<String>,
}

/// How wide a square is at least, and how high, in the drawing's own measure.
const SIZE: (u32, u32) = (150, 84);
/// Between two squares.
const GAP: u32 = 6;

/// The squares drawn, if the place has a sketch and more than one of them stands on it (示意图).
pub fn sketch(visit: &Visit, caption: &str, squares: &[Square]) -> Markup {
    let regions = &visit.app.desk.book.place().regions;
    let tile = |place: Region| {
        let mut named = regions.iter().rev().filter(|one| one.code == place);
        named.find_map(|one| one.tile)
    };
    let placed: Vec<(Tile, &Square)> = squares
        .iter()
        .filter_map(|square| Some((tile(square.place)?, square)))
        .collect();
    if placed.len() < 2 {
        return html! {};
    }
    let name = |square: &Square| short(&visit.place(square.place));
    let widths = placed
        .iter()
        .map(|(_, square)| wide(&name(square)).max(wide(&square.said)));
    let wide = widths.max().unwrap_or(0).max(SIZE.0);
    let end = |of: fn(&Tile) -> u8| placed.iter().map(|(tile, _)| of(tile)).max().unwrap_or(0);
    let width = (u32::from(end(|tile| tile.column)) + 1) * (wide + GAP);
    let height = (u32::from(end(|tile| tile.row)) + 1) * (SIZE.1 + GAP);
    let weights = placed.iter().filter_map(|(_, square)| square.weight);
    let most = weights.map(i64::unsigned_abs).max().unwrap_or(0);
    html! {
        figure.sketch tabindex="0" {
            figcaption { (caption) }
            svg viewBox=(format!("0 0 {width} {height}")) role="group" aria-label=(caption) {
                @for (tile, square) in &placed {
                    @let drawn = drawn(*tile, wide, &name(square), square, most);
                    @match &square.href {
                        Some(href) => a href=(href) aria-label=(format!("{} {}", visit.place(square.place), square.said)) { (drawn) },
                        None => g { (drawn) },
                    }
                }
            }
            p.quiet { (visit.t("方格只表示大致方位，不是地图边界；颜色越深，数越大。")) }
        }
    }
}

/// A name as it fits a square: in English without the word for the kind of place, which the table has.
fn short(name: &str) -> String {
    let kinds = [" Subdistrict", " Township", " Town"];
    let cut = kinds.iter().find_map(|kind| name.strip_suffix(kind));
    cut.unwrap_or(name).to_owned()
}

/// About how wide a text is written.
fn wide(text: &str) -> u32 {
    let letters = text
        .chars()
        .map(|letter| if letter.is_ascii() { 12 } else { 20 });
    letters.sum::<u32>() + 16
}

fn drawn(tile: Tile, wide: u32, name: &str, square: &Square, most: u64) -> Markup {
    let x = u32::from(tile.column) * (wide + GAP);
    let y = u32::from(tile.row) * (SIZE.1 + GAP);
    let middle = x + wide / 2;
    html! {
        rect x=(x) y=(y) width=(wide) height=(SIZE.1) rx="8" fill-opacity=(shade(square.weight, most)) {}
        text x=(middle) y=(y + 34) text-anchor="middle" { (name) }
        text.figure x=(middle) y=(y + 62) text-anchor="middle" { (square.said) }
    }
}

/// How dark a square is, from nothing to four tenths: dark text stays readable on it.
fn shade(weight: Option<i64>, most: u64) -> String {
    let share = match weight {
        Some(weight) if most > 0 => u128::from(weight.unsigned_abs()) * 40 / u128::from(most),
        _ => 0,
    };
    format!("0.{share:02}")
}

#[cfg(test)]
mod tests {
    use super::{shade, short, wide};

    #[test]
    fn names_are_short_and_squares_wide_enough() {
        assert_eq!(short("Xin'an Subdistrict"), "Xin'an");
        assert_eq!(short("新安街道"), "新安街道");
        // Four characters of 20 and 16 beside them; 13 digits and signs of 12.
        assert_eq!((wide("新安街道"), wide("+1,234,567.00")), (96, 172));
    }

    #[test]
    fn the_largest_is_darkest_and_what_is_not_shown_has_no_colour() {
        // 40 hundredths at the most; half of it is 20; less by so much is as dark as more.
        assert_eq!(shade(Some(80), 80), "0.40");
        assert_eq!(shade(Some(-40), 80), "0.20");
        assert_eq!(shade(Some(0), 80), "0.00");
        assert_eq!(shade(None, 80), "0.00");
        assert_eq!(shade(Some(5), 0), "0.00");
    }
}
