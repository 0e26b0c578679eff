//! Telephone numbers (电话) as packed digits, and how near two of them are.
//!
//! Guarantees: the country's own code, blanks and strokes do not matter; fillers such as 13800000000 in a row of one digit are
//! missing. Deliberately absent: whether a number was ever issued.

use crate::distance::{differing_digits, is_swap};
use crate::name::half_width;

/// One of the two has none (缺失).
pub const MISSING: u8 = 0;
/// The same (相同).
pub const SAME: u8 = 1;
/// One digit wrong or two neighbours swapped (错一位).
pub const ONE: u8 = 2;
/// Different (不同).
pub const DIFFERENT: u8 = 3;

/// The levels in words (各档).
pub const WORDS: &[&str] = &["缺失", "相同", "错一位或相邻两位颠倒", "不同"];

/// Reads the first number of seven digits or more (读取); 0 if there is none.
pub(crate) fn read(written: &str) -> u64 {
    let (mut number, mut length) = (0_u64, 0);
    for letter in written.chars().map(half_width).chain(['/']) {
        match letter {
            '0'..='9' => {
                number = number << 4 | u64::from(u32::from(letter) - u32::from('0'));
                length += 1;
            }
            ' ' | '-' | '(' | ')' | '+' => {}
            _ if (7..=16).contains(&length) => break,
            _ => (number, length) = (0, 0),
        }
    }
    let country = number >> 44;
    let own = number & 0xFFF_FFFF_FFFF;
    match length {
        13 | 15 if country == 0x86 && own >> 40 == 1 => own,
        7..=16 if !is_filler(number, length) => number,
        _ => 0,
    }
}

/// A number that came as a number (数字形式).
#[cfg_attr(
    not(feature = "file"),
    expect(dead_code, reason = "only files hold such")
)]
pub(crate) fn of_number(number: u64) -> u64 {
    let (mut packed, mut rest, mut place) = (0, number, 0);
    while rest > 0 && place < 64 {
        packed |= (rest % 10) << place;
        (rest, place) = (rest / 10, place + 4);
    }
    if place < 28 || is_filler(packed, place / 4) {
        return 0;
    }
    packed
}

/// All but the first three digits are one and the same.
fn is_filler(number: u64, length: u32) -> bool {
    let kept = length.saturating_sub(3);
    let last = number & 0xF;
    (0..kept).all(|place| number >> (4 * place) & 0xF == last)
}

/// The level of two numbers (比较).
pub(crate) fn level(a: u64, b: u64) -> u8 {
    match (a, b) {
        (0, _) | (_, 0) => MISSING,
        _ if a == b => SAME,
        _ if differing_digits(a, b) == 1 || is_swap(a, b) => ONE,
        _ => DIFFERENT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        let usual = read("13812345678");
        assert_eq!(usual, 0x138_1234_5678);
        for same in [
            "138 1234 5678",
            "+86 138-1234-5678",
            "008613812345678",
            "１３８１２３４５６７８",
            "13812345678/0755-26666661",
        ] {
            assert_eq!(read(same), usual, "{same}");
        }
        assert_eq!(of_number(13_812_345_678), usual);
        assert_eq!(read("0755-26543210"), 0x0755_2654_3210);
        for none in ["", "无", "12345", "13800000000", "00000000"] {
            assert_eq!(read(none), 0, "{none}");
        }
        assert_eq!((of_number(0), of_number(13_800_000_000)), (0, 0));
    }

    #[test]
    fn levels_of_numbers_are_as_worked_by_hand() {
        let usual = read("13812345678");
        for (b, expected) in [
            ("", MISSING),
            ("13812345678", SAME),
            ("13812345679", ONE),
            ("13812345687", ONE),
            ("13812345600", DIFFERENT),
        ] {
            assert_eq!(level(usual, read(b)), expected, "{b}");
        }
    }
}
