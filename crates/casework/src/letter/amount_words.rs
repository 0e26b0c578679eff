//! Amounts in words (人民币大写): 1,950.50 is 壹仟玖佰伍拾元伍角整.
//!
//! As bank and treasury forms demand it: zeros between digits once, 整 after whole yuan or jiao. Deliberately absent:
//! amounts of a trillion yuan and more, which no benefit reaches; they are given in digits.

use vocab::Money;

const DIGITS: [&str; 10] = ["零", "壹", "贰", "叁", "肆", "伍", "陆", "柒", "捌", "玖"];
const PLACES: [&str; 4] = ["", "拾", "佰", "仟"];
const GROUPS: [&str; 3] = ["", "万", "亿"];

/// An amount in words (人民币大写金额).
pub fn amount_words(money: Money) -> String {
    let fen = money.fen();
    if fen == 0 {
        return "零元整".to_owned();
    }
    let sign = if fen < 0 { "负" } else { "" };
    let fen = fen.unsigned_abs();
    let (yuan, jiao, fen) = (fen / 100, fen / 10 % 10, fen % 10);
    if yuan >= 1_000_000_000_000 {
        return format!("{money}元");
    }
    let mut words = String::from(sign);
    if yuan > 0 {
        words.push_str(&whole(yuan));
        words.push('元');
    }
    match (jiao, fen) {
        (0, 0) => words.push('整'),
        (jiao, 0) => {
            words.push_str(digit(jiao));
            words.push_str("角整");
        }
        (jiao, fen) => {
            if jiao > 0 {
                words.push_str(digit(jiao));
                words.push('角');
            } else if yuan > 0 {
                words.push('零');
            }
            words.push_str(digit(fen));
            words.push('分');
        }
    }
    words
}

fn digit(value: u64) -> &'static str {
    usize::try_from(value)
        .ok()
        .and_then(|value| DIGITS.get(value))
        .copied()
        .unwrap_or("零")
}

fn whole(number: u64) -> String {
    let mut words = String::new();
    let mut zero = false;
    let mut unit = 1_000_000_000_000_u64;
    for place in (0..12_usize).rev() {
        unit /= 10;
        let value = number / unit % 10;
        if value == 0 {
            zero = !words.is_empty();
        } else {
            if zero {
                words.push('零');
            }
            zero = false;
            words.push_str(digit(value));
            words.push_str(PLACES[place % 4]);
        }
        // A group of four digits says its unit if it said anything.
        if place % 4 == 0 && !(number / unit).is_multiple_of(10_000) {
            words.push_str(GROUPS[place / 4]);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_said_as_a_treasury_form_demands() {
        for (fen, words) in [
            (0, "零元整"),
            (5, "伍分"),
            (50, "伍角整"),
            (195_000, "壹仟玖佰伍拾元整"),
            (195_050, "壹仟玖佰伍拾元伍角整"),
            (100_005, "壹仟元零伍分"),
            (100_500, "壹仟零伍元整"),
            (100_000_000, "壹佰万元整"),
            (101_001_000, "壹佰零壹万零壹拾元整"),
            (10_000_100_000, "壹亿零壹仟元整"),
            (-12_000, "负壹佰贰拾元整"),
        ] {
            assert_eq!(amount_words(Money::from_fen(fen)), words);
        }
    }
}
