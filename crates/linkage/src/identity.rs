//! Identity numbers (公民身份号码) as packed digits, and how near two of them are.
//!
//! Fifteen digits become eighteen; a number whose check character and date fit is *valid*. Two valid numbers that differ are two
//! numbers, however near: a slip of the pen shows in the check character, neighbours and twins do not. Guarantees: numbers that
//! are none (blanks, zeros, 无) are missing, not equal to one another. Deliberately absent: refusing a number; see `vocab`.

use crate::birth;
use crate::distance::{alignment, differing_digits, digit_slips};
use crate::name::half_width;
use crate::table::fingerprint;
use vocab::id_number::check_digit;

/// One of the two has none (缺失).
pub const MISSING: u8 = 0;
/// Equal, fifteen and eighteen digits included (相同).
pub const EQUAL: u8 = 1;
/// Equal, but one of the records has another birth date or sex than its number (相同但与本人出生或性别不符).
pub const CONTRADICTED: u8 = 2;
/// One digit wrong or two swapped, and one number is not valid (错一位或两位颠倒).
pub const ONE: u8 = 3;
/// Two slips, and one number is not valid (错两处).
pub const TWO: u8 = 4;
/// Three or four slips, and one number is not valid (错三四处).
pub const FEW: u8 = 5;
/// Two valid numbers that differ (两个有效号码不同).
pub const OTHER: u8 = 6;
/// Different, and one is not valid (不同).
pub const DIFFERENT: u8 = 7;

/// The levels in words (各档).
pub const WORDS: &[&str] = &[
    "缺失",
    "相同",
    "相同但与本人出生或性别不符",
    "错一位或相邻两位颠倒",
    "错两处",
    "错三四处",
    "两个有效号码不同",
    "不同",
];

/// What is to be thought of a number (号码的成色).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// None.
    Missing,
    /// Eighteen characters that fit together.
    Valid,
    /// Made of fifteen digits: nothing checks them.
    Old,
    /// The check character or the date does not fit.
    Wrong,
    /// Not of such a shape at all; the packed digits are a fingerprint.
    Odd,
}

/// A number, packed (打包的号码): the first two characters apart, then sixteen of four bits each, X as ten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code {
    pub(crate) digits: u64,
    pub(crate) province: u8,
    pub(crate) kind: Kind,
}

impl Code {
    const NONE: Self = Self {
        digits: 0,
        province: 0,
        kind: Kind::Missing,
    };

    /// The birth date in it, packed as in `birth`; 0 if it has none.
    pub(crate) fn birth(self) -> u32 {
        match self.kind {
            Kind::Missing | Kind::Odd => 0,
            _ => {
                let day = crate::sort::halves(self.digits >> 16).1;
                if birth::is_day(day) { day } else { 0 }
            }
        }
    }

    /// 1 for a man, 2 for a woman, 0 if it does not say (性别).
    pub(crate) fn sex(self) -> u8 {
        match self.kind {
            Kind::Missing | Kind::Odd => 0,
            _ if self.digits >> 4 & 1 == 1 => 1,
            _ => 2,
        }
    }
}

/// Characters as people write them without meaning them.
pub(crate) fn cleaned(written: &str) -> Cleaned {
    let mut text = Cleaned::default();
    // Nearly all are written as they should be.
    if let Ok(regular) = <[u8; 18]>::try_from(written.as_bytes())
        && regular.iter().all(u8::is_ascii_alphanumeric)
    {
        text.bytes[..18].copy_from_slice(&regular.to_ascii_uppercase());
        text.length = 18;
        return text;
    }
    for letter in written.chars() {
        let letter = half_width(letter).to_ascii_uppercase();
        if letter.is_ascii_alphanumeric() || letter == '*' {
            text.push(letter);
        } else if !letter.is_ascii() && letter.is_alphabetic() {
            // A word, such as 无 or 不详.
            return Cleaned::default();
        }
    }
    text
}

/// Up to 24 characters without an allocation (清理后的号码).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Cleaned {
    bytes: [u8; 24],
    length: u8,
}

impl Cleaned {
    fn push(&mut self, letter: char) {
        if let (Some(place), Ok(byte)) = (
            self.bytes.get_mut(usize::from(self.length)),
            u8::try_from(letter),
        ) {
            *place = byte;
            self.length += 1;
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// Reads a number (读取).
pub(crate) fn code(text: &Cleaned) -> Code {
    let bytes = text.bytes();
    let is_filler = bytes.iter().all(|byte| Some(byte) == bytes.first());
    if bytes.len() < 6 || is_filler {
        return Code::NONE;
    }
    let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    match bytes.len() {
        18 if digits(&bytes[..17]) && (bytes[17].is_ascii_digit() || bytes[17] == b'X') => {
            let body = std::str::from_utf8(&bytes[..17]).unwrap_or_default();
            let fits = check_digit(body).is_some_and(|check| check == char::from(bytes[17]));
            let code = packed(bytes, Kind::Wrong);
            let is_valid = fits && code.birth() != 0;
            Code {
                kind: if is_valid { Kind::Valid } else { Kind::Wrong },
                ..code
            }
        }
        15 if digits(bytes) => {
            let mut whole = [b'0'; 18];
            whole[..6].copy_from_slice(&bytes[..6]);
            whole[6..8].copy_from_slice(b"19");
            whole[8..17].copy_from_slice(&bytes[6..]);
            let body = std::str::from_utf8(&whole[..17]).unwrap_or_default();
            let check = check_digit(body).and_then(|check| u8::try_from(check).ok());
            whole[17] = check.unwrap_or(b'0');
            packed(&whole, Kind::Old)
        }
        _ => Code {
            digits: fingerprint(bytes).max(1),
            province: 0,
            kind: Kind::Odd,
        },
    }
}

fn packed(bytes: &[u8], kind: Kind) -> Code {
    let value = |byte: u8| if byte == b'X' { 10 } else { byte - b'0' };
    Code {
        digits: bytes[2..18]
            .iter()
            .fold(0, |number, byte| number << 4 | u64::from(value(*byte))),
        province: value(bytes[0]) << 4 | value(bytes[1]),
        kind,
    }
}

/// The level of two numbers of regular shape (比较). Neither is missing or odd.
pub(crate) fn level(a: Code, b: Code, contradicts: bool) -> u8 {
    // The check character of a number of fifteen digits was computed here: it proves nothing.
    let mask = if a.kind == Kind::Old || b.kind == Kind::Old {
        !0xF
    } else {
        !0
    };
    let (x, y) = (a.digits & mask, b.digits & mask);
    if x == y && a.province == b.province {
        return if contradicts { CONTRADICTED } else { EQUAL };
    }
    if a.kind == Kind::Valid && b.kind == Kind::Valid {
        return OTHER;
    }
    let ahead = differing_digits(u64::from(a.province), u64::from(b.province));
    if differing_digits(x, y) + ahead > 8 {
        return DIFFERENT;
    }
    of_slips(digit_slips(x, y) + ahead)
}

/// The level of two numbers as written, one of them of no regular shape (比较异形号码).
pub(crate) fn odd_level(a: &[u8], b: &[u8]) -> u8 {
    match alignment(a, b) {
        0 => EQUAL,
        slips => of_slips(slips),
    }
}

fn of_slips(slips: u32) -> u8 {
    match slips {
        0 | 1 => ONE,
        2 => TWO,
        3 | 4 => FEW,
        _ => DIFFERENT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Code {
        code(&cleaned(text))
    }

    /// 440300 19900101 001 6 and 440305 19850315 002 4 are valid, see the tests of `vocab`.
    const ONE_PERSON: &str = "440300199001010016";

    #[test]
    fn numbers_are_read_as_people_write_them() {
        assert_eq!(read(ONE_PERSON).kind, Kind::Valid);
        assert_eq!(read(" ４４０３００ 19900101-0016 "), read(ONE_PERSON));
        assert_eq!(read("11010519491231002x").kind, Kind::Valid);
        assert_eq!(read("440300900101001").kind, Kind::Old);
        assert_eq!(read("440300900101001").digits, read(ONE_PERSON).digits);
        assert_eq!(read("440300199001010017").kind, Kind::Wrong);
        // Month 13, though the check character fits.
        assert_eq!(read("440305199913010010").kind, Kind::Wrong);
        assert_eq!(read("44030019900101001").kind, Kind::Odd);
        for none in ["", "无", "0000000000000000", "不详", "12"] {
            assert_eq!(read(none).kind, Kind::Missing, "{none}");
        }
        assert_eq!(read(ONE_PERSON).birth(), 0x1990_0101);
        assert_eq!(
            (read(ONE_PERSON).sex(), read("440305198503150024").sex()),
            (1, 2)
        );
    }

    #[test]
    fn levels_of_numbers_are_as_worked_by_hand() {
        for (b, expected) in [
            (ONE_PERSON, EQUAL),
            ("440300900101001", EQUAL),
            // The last but one digit of the birth year, 9 read as 8: the check character no longer fits.
            ("440300198001010016", ONE),
            // 0101 with the neighbours 1 and 0 swapped: 0110.
            ("440300199001100016", ONE),
            ("440300198001100016", TWO),
            ("440300187601100016", FEW),
            // Fifteen digits with one wrong: nothing checks them, so it may be a slip.
            ("440300800101001", ONE),
            // The next number of the day, 003 with its own check character 2: somebody else.
            ("440300199001010032", OTHER),
            ("440305198503150024", OTHER),
            ("510305198503150029", DIFFERENT),
        ] {
            let (a, b) = (read(ONE_PERSON), read(b));
            assert_eq!(level(a, b, false), expected, "{b:?}");
            assert_eq!(level(b, a, false), expected, "{b:?}");
        }
        let a = read(ONE_PERSON);
        assert_eq!(level(a, a, true), CONTRADICTED);
    }

    #[test]
    fn a_number_with_a_digit_lost_is_one_slip_away() {
        assert_eq!(odd_level(ONE_PERSON.as_bytes(), b"44030019900101016"), ONE);
        assert_eq!(
            odd_level(ONE_PERSON.as_bytes(), ONE_PERSON.as_bytes()),
            EQUAL
        );
        assert_eq!(odd_level(ONE_PERSON.as_bytes(), b"ABC123"), DIFFERENT);
    }
}
