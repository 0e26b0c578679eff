//! Bars beside numbers (条形图): drawn by the server inside the table that holds the numbers, so that the chart is its own table.
//!
//! Guarantees: works without scripts, in every size of text, in print and in the dark; the number always stands beside it.
//! Deliberately absent: axes; the numbers say more.

use maud::{Markup, html};

/// A bar of so much out of the most (条形); with `before`, a paler one above it to compare with.
pub fn bar(before: Option<i64>, now: i64, most: i64) -> Markup {
    let width = |number: i64| {
        let most = i128::from(most.max(1));
        let tenths = i128::from(number.max(0)) * 1_000 / most;
        format!("{}.{}", tenths / 10, tenths % 10)
    };
    html! {
        svg viewBox="0 0 100 10" width="120" height="12" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
            @if let Some(before) = before {
                rect x="0" y="0" width=(width(before)) height="4" fill="currentColor" opacity="0.35" {}
                rect x="0" y="5" width=(width(now)) height="5" fill="currentColor" opacity="0.8" {}
            } @else {
                rect x="0" y="1" width=(width(now)) height="8" fill="currentColor" opacity="0.7" {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::bar;

    #[test]
    fn a_bar_is_as_long_as_its_share() {
        let drawn = bar(Some(25), 50, 200).into_string();
        // 25 of 200 is 12.5 %, 50 of 200 is 25.0 %.
        assert!(
            drawn.contains("width=\"12.5\"") && drawn.contains("width=\"25.0\""),
            "{drawn}"
        );
        assert!(bar(None, -5, 0).into_string().contains("width=\"0.0\""));
    }
}
