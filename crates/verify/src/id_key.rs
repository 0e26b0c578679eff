//! Identity numbers as departments write them (身份证号归一), brought to one whole number a person.
//!
//! Fifteen digits become eighteen, a lower-case x an upper-case one; full-width characters, blanks and a guarding
//! apostrophe are forgiven; the check character and the calendar are not. The key is the first seventeen digits, which
//! leave the eighteenth no choice. Guarantees: a text has a key exactly if `vocab` accepts it after this cleaning.
//! Deliberately absent: guessing. A number with one digit wrong is nobody's, and finding whose it may be is the work of
//! tolerant matching, which is another crate's.

use chrono::{Datelike, NaiveDate};
use vocab::id_number::{IdFault, IdNumber};

/// An identity number as a whole number (身份证号键): its first seventeen digits.
pub type IdKey = u64;

/// Why a text is no identity number (号码问题).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdTrouble {
    /// Nothing written.
    #[error("身份证号为空；请补填")]
    Missing,
    /// A spreadsheet has rounded it.
    #[error("身份证号被电子表格存成了数字，后几位已丢失；请把这一列设为“文本”格式后重新导出")]
    DigitsLost,
    /// What the standard says against it.
    #[error("{0}")]
    Fault(IdFault),
}

/// What was read (读出的号码).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packed {
    /// The key.
    pub key: IdKey,
    /// Whether it was written otherwise than with its eighteen characters, so that the original is kept as evidence.
    pub altered: bool,
}

/// The seventeen digits of a text of eighteen or fifteen plain characters, unchecked (粗读); `None` for any other text.
///
/// For sifting millions: whoever finds a match checks it with [`pack`].
#[inline]
pub fn sift(text: &[u8]) -> Option<IdKey> {
    let text = text.trim_ascii();
    match text.len() {
        18 => Some(eight(text, 0)? * 1_000_000_000 + eight(text, 8)? * 10 + digit(text[16])?),
        15 => {
            let place = eight(text, 0)?;
            // Six digits of place and two of the year; the century goes between them.
            let (place, year) = (place / 100, place % 100);
            let mut rest = 0;
            for byte in &text[8..] {
                rest = rest * 10 + digit(*byte)?;
            }
            Some(place * 100_000_000_000 + (1900 + year) * 10_000_000 + rest)
        }
        _ => None,
    }
}

#[inline]
fn digit(byte: u8) -> Option<u64> {
    let digit = byte.wrapping_sub(b'0');
    (digit <= 9).then_some(u64::from(digit))
}

/// Eight digits at once: the bytes are added up in pairs, pairs of pairs and so on.
#[inline]
fn eight(text: &[u8], from: usize) -> Option<u64> {
    let bytes: [u8; 8] = text.get(from..from + 8)?.try_into().ok()?;
    let word = u64::from_le_bytes(bytes);
    let low = word.wrapping_sub(0x3030_3030_3030_3030);
    // A byte below '0' borrows and one above '9' reaches 0x80 when 0x76 is added.
    if (low | low.wrapping_add(0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    let pairs = (low.wrapping_mul(10)).wrapping_add(low >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs.wrapping_mul(100)).wrapping_add(pairs >> 16) & 0x0000_FFFF_0000_FFFF;
    Some((fours.wrapping_mul(10_000)).wrapping_add(fours >> 32) & 0xFFFF_FFFF)
}

/// Reads a number as it was delivered (归一).
///
/// # Errors
/// [`IdTrouble`].
pub fn pack(text: &str, today: NaiveDate) -> Result<Packed, IdTrouble> {
    if let Some(packed) = quickly(text.as_bytes(), today) {
        return Ok(packed);
    }
    let clean = cleaned(text);
    if clean.is_empty() {
        return Err(IdTrouble::Missing);
    }
    if is_rounded(&clean) {
        return Err(IdTrouble::DigitsLost);
    }
    let number = IdNumber::read(&clean, today).map_err(IdTrouble::Fault)?;
    let key = number.as_str()[..17]
        .parse()
        .map_err(|_| IdTrouble::Fault(IdFault::Characters))?;
    Ok(Packed {
        key,
        altered: number.as_str() != text,
    })
}

/// The eighteen characters of a key (还原); what is no seventeen digits gives nonsense of the same length.
pub fn unpack(key: IdKey) -> String {
    let body = format!("{key:017}");
    let check = vocab::id_number::check_digit(&body).unwrap_or('?');
    format!("{body}{check}")
}

const WEIGHTS: [u8; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECKS: [u8; 11] = *b"10X98765432";

/// The usual case without a detour: plain characters that fit in every respect. `None` leaves it to the long way.
fn quickly(text: &[u8], today: NaiveDate) -> Option<Packed> {
    let plain = text.trim_ascii();
    let key = sift(plain)?;
    let born = key / 1000 % 100_000_000;
    let number = |part: u64| u32::try_from(part).ok();
    let (year, month, day) = (
        number(born / 10_000)?,
        number(born / 100 % 100)?,
        number(born % 100)?,
    );
    let last = match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    let now = i64::from(today.year()) * 10_000 + i64::from(today.month() * 100 + today.day());
    if day == 0 || day > last || year < 1850 || i64::try_from(born).ok()? > now {
        return None;
    }
    if plain.len() == 15 {
        return Some(Packed { key, altered: true });
    }
    let mut sum = 0_u32;
    for (byte, weight) in plain.iter().zip(WEIGHTS) {
        sum += u32::from(byte - b'0') * u32::from(weight);
    }
    let check = CHECKS[usize::try_from(sum % 11).ok()?];
    let written = plain[17];
    let upper = written.to_ascii_uppercase();
    (upper == check).then_some(Packed {
        key,
        altered: plain.len() != text.len() || upper != written,
    })
}

/// Full-width characters become plain ones; blanks of every kind and a guarding apostrophe go.
fn cleaned(text: &str) -> String {
    text.chars()
        .filter_map(|c| match c {
            '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0),
            _ if c.is_whitespace() => None,
            '\u{200B}' | '\u{FEFF}' | '\u{200E}' | '\u{200F}' => None,
            '\'' | '’' | '`' => None,
            _ => Some(c),
        })
        .collect()
}

/// `4.4E+17`, or eighteen digits of which a spreadsheet kept fifteen and made the rest zero, which no check character
/// would tell in one case of eleven.
fn is_rounded(clean: &str) -> bool {
    let exponent = clean
        .split_once(['E', 'e'])
        .is_some_and(|(mantissa, rest)| {
            let rest = rest.trim_start_matches(['+', '-']);
            let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            digits(rest) && digits(&mantissa.replacen('.', "", 1))
        });
    exponent
        || clean
            .strip_suffix(".0")
            .is_some_and(|rest| rest.len() >= 15)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 22).unwrap()
    }

    fn key(text: &str) -> Result<(IdKey, bool), IdTrouble> {
        pack(text, today()).map(|packed| (packed.key, packed.altered))
    }

    #[test]
    fn one_person_has_one_key_however_the_number_is_written() {
        // 110105194912310 02X: the seventeen digits without the check character.
        let whole = 11_010_519_491_231_002;
        assert_eq!(key("11010519491231002X"), Ok((whole, false)));
        for written in [
            "11010519491231002x",
            " 11010519491231002X",
            "11010519491231002X\t",
            "110105 19491231 002X",
            "１１０１０５１９４９１２３１００２Ｘ",
            "'11010519491231002X",
            "\u{3000}11010519491231002X",
            "110105491231002",
            "１１０１０５４９１２３１００２",
        ] {
            assert_eq!(key(written), Ok((whole, true)), "{written:?}");
        }
        assert_eq!(unpack(whole), "11010519491231002X");
    }

    #[test]
    fn what_is_no_number_says_why() {
        let fault = |fault| Err(IdTrouble::Fault(fault));
        for (written, why) in [
            ("", Err(IdTrouble::Missing)),
            (" \u{3000}", Err(IdTrouble::Missing)),
            ("1.1E+17", Err(IdTrouble::DigitsLost)),
            ("1.10105194912310e17", Err(IdTrouble::DigitsLost)),
            ("110105194912310000.0", Err(IdTrouble::DigitsLost)),
            ("1101051949123100", fault(IdFault::Length(16))),
            ("1101O519491231002X", fault(IdFault::Characters)),
            ("110105194913310021", fault(IdFault::NotADate)),
            ("110105209912310020", fault(IdFault::InTheFuture)),
            ("110105194912310021", fault(IdFault::CheckDigit)),
        ] {
            assert_eq!(key(written), why.map(|()| (0, false)), "{written:?}");
        }
    }

    proptest! {
        #[test]
        fn a_text_has_a_key_exactly_if_the_standard_accepts_it(text in "[ '０-９0-9xXeE.+]{0,21}") {
            let clean = cleaned(&text);
            let read = IdNumber::read(&clean, today());
            prop_assert_eq!(pack(&text, today()).is_ok(), read.is_ok() && !is_rounded(&clean));
        }

        #[test]
        fn the_quick_way_and_the_long_way_agree(
            place in 100_000_u64..1_000_000, year in 1849_u64..2028, month in 0_u64..14, day in 0_u64..33,
            sequence in 0_u64..1000, check in "[0-9xX]", old in any::<bool>(), before in " {0,1}",
        ) {
            let eighteen = format!("{place}{year:04}{month:02}{day:02}{sequence:03}{check}");
            let text = if old {
                format!("{before}{}{}", &eighteen[..6], &eighteen[8..17])
            } else {
                format!("{before}{eighteen}")
            };
            let read = IdNumber::read(&text, today());
            let packed = pack(&text, today());
            prop_assert_eq!(packed.is_ok(), read.is_ok());
            if let (Ok(packed), Ok(read)) = (packed, read) {
                prop_assert_eq!(unpack(packed.key), read.as_str());
                prop_assert_eq!(sift(text.as_bytes()), Some(packed.key));
                prop_assert_eq!(packed.altered, read.as_str() != text);
            }
        }

        #[test]
        fn every_text_is_answered(text in "\\PC{0,40}") {
            let _answer = pack(&text, today());
            let _sifted = sift(text.as_bytes());
        }
    }
}
