//! Characters no font of this machine has (缺字): written as their code, so that nobody is silently misnamed.
//!
//! Guarantees: `〔U+31234〕` stands where a box or nothing would; what a code stands for is never guessed. Private code points
//! mean something on one machine only, so they are written as codes too. Deliberately absent: replacing a character by a
//! similar one.

use crate::fonts::shelf;
use serde_json::Value;
use std::sync::LazyLock;

/// One bit for each code point some font has.
fn known(letter: char) -> bool {
    static KNOWN: LazyLock<Vec<u64>> = LazyLock::new(|| {
        let mut bits = vec![0_u64; 0x11_0000 / 64];
        let mut face = 0;
        while let Some(info) = shelf().book.info(face) {
            for code in info.coverage.iter() {
                if let Some(word) = usize::try_from(code / 64)
                    .ok()
                    .and_then(|at| bits.get_mut(at))
                {
                    *word |= 1 << (code % 64);
                }
            }
            face += 1;
        }
        bits
    });
    let code = u32::from(letter);
    usize::try_from(code / 64)
        .ok()
        .and_then(|at| KNOWN.get(at))
        .is_some_and(|word| word >> (code % 64) & 1 == 1)
}

/// Whether it only says how others are laid out and can make a text read otherwise than it is written: marks of direction,
/// breaks nobody sees. Joiners and choices of a variant belong to a name and stay.
const fn is_silent(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    )
}

/// Joiners and choices of a variant, which no font need have.
const fn is_joined(letter: char) -> bool {
    matches!(letter, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

const fn is_private(letter: char) -> bool {
    matches!(letter, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..)
}

/// A text as it can be set (可排版的文字).
fn settable(text: &str) -> Option<String> {
    let fine = |letter: char| {
        letter == '\n'
            || letter == '\t'
            || is_joined(letter)
            || !(letter.is_control() || is_private(letter) || is_silent(letter)) && known(letter)
    };
    if text.chars().all(fine) {
        return None;
    }
    let mut written = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if fine(letter) {
            written.push(letter);
        } else if !letter.is_control() && !is_silent(letter) {
            written.push_str(&format!("〔U+{:04X}〕", u32::from(letter)));
        }
    }
    Some(written)
}

/// Data with every text as it can be set (整理数据).
pub(crate) fn set_data(data: &mut Value) {
    match data {
        Value::String(text) => {
            if let Some(written) = settable(text) {
                *text = written;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(set_data),
        Value::Object(fields) => fields.values_mut().for_each(set_data),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_font_has_is_written_as_its_code_and_all_else_stays() {
        // U+10FFFD is private to whoever uses it; U+E815 is where older systems of China kept rare characters of names.
        for (given, set) in [
            ("张䶮㼆𬱖（1,950.00）●○◐", "张䶮㼆𬱖（1,950.00）●○◐"),
            ("王\u{10fffd}", "王〔U+10FFFD〕"),
            ("李\u{e815}芳", "李〔U+E815〕芳"),
            ("零\u{200b}宽\u{0}字", "零宽字"),
            ("甲\u{202e}乙", "甲乙"),
            ("两行\n字", "两行\n字"),
        ] {
            let mut data = serde_json::json!({ "a": [given] });
            set_data(&mut data);
            assert_eq!(data["a"][0], set, "{given:?}");
        }
    }
}
