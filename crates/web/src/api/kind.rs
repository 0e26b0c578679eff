//! Kinds of values (值的种类) of the interface: how each is written, how the description says so, and what is none.
//!
//! One declaration serves three: an item's column, a filter of a list, a field of an act. Money is whole fen, a place its
//! twelve digits, a day `2026-06-01`, an instant UTC.

use chrono::NaiveDate;
use serde_json::{Value, json};
use uuid::Uuid;
use vocab::{Month, Region};

/// Characters a text may have when it is asked for.
pub(crate) const TEXT_MOST: usize = 2_000;
/// The greatest whole number that is asked for.
const WHOLE_MOST: i64 = 1_000_000_000;

/// A kind of value (值的种类).
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// An identifier.
    Id,
    /// Text.
    Text,
    /// One of these words.
    Word(fn() -> Vec<String>),
    /// A whole number from nought.
    Whole,
    /// A whole number that may be below nought.
    Signed,
    /// Money in fen.
    Fen,
    /// A day.
    Day,
    /// An instant.
    Instant,
    /// A month.
    Month,
    /// A place.
    Place,
    /// Yes or no.
    Flag,
    /// Several texts.
    Texts,
}

/// The words of something that has them all (全部代码).
pub(crate) fn words<T: Copy, const N: usize, S: Into<String>>(
    all: [T; N],
    word: fn(T) -> S,
) -> Vec<String> {
    all.into_iter().map(|one| word(one).into()).collect()
}

impl Kind {
    /// As the description writes it (模式), JSON Schema.
    pub(crate) fn schema(self) -> Value {
        match self {
            Self::Id => json!({ "type": "string", "format": "uuid" }),
            Self::Text => json!({ "type": "string" }),
            Self::Word(words) => json!({ "type": "string", "enum": words() }),
            Self::Whole => json!({ "type": "integer", "minimum": 0 }),
            Self::Signed | Self::Fen => json!({ "type": "integer" }),
            Self::Day => json!({ "type": "string", "format": "date" }),
            Self::Instant => json!({ "type": "string", "format": "date-time" }),
            Self::Month => json!({ "type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$" }),
            Self::Place => json!({ "type": "string", "pattern": "^[0-9]{12}$" }),
            Self::Flag => json!({ "type": "boolean" }),
            Self::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        }
    }

    /// As the description writes what is asked for (请求模式): with its limits.
    pub(crate) fn asked(self) -> Value {
        let mut schema = self.schema();
        match self {
            Self::Text => {
                schema["maxLength"] = json!(TEXT_MOST);
                schema["pattern"] = json!("^[^\\u0000-\\u0008]*$");
            }
            Self::Whole => schema["maximum"] = json!(WHOLE_MOST),
            _ => {}
        }
        schema
    }

    /// Whether a text in an address is one (是否合格).
    pub(crate) fn reads(self, text: &str) -> bool {
        let shaped = |shape: &str| {
            text.len() == shape.len()
                && text
                    .bytes()
                    .zip(shape.bytes())
                    .all(|(one, like)| like == one || like == b'0' && one.is_ascii_digit())
        };
        match self {
            Self::Id => text.len() == 36 && text.parse::<Uuid>().is_ok(),
            Self::Text | Self::Texts => {
                text.chars().count() <= TEXT_MOST && !text.chars().any(|one| one < '\u{9}')
            }
            Self::Word(words) => words().iter().any(|word| word == text),
            Self::Whole => {
                text.bytes().all(|one| one.is_ascii_digit())
                    && text.parse::<i64>().is_ok_and(|whole| whole <= WHOLE_MOST)
            }
            Self::Signed | Self::Fen => text.parse::<i64>().is_ok(),
            Self::Day => shaped("0000-00-00") && text.parse::<NaiveDate>().is_ok(),
            Self::Instant => chrono::DateTime::parse_from_rfc3339(text).is_ok(),
            Self::Month => shaped("0000-00") && text.parse::<Month>().is_ok(),
            Self::Place => shaped("000000000000") && text.parse::<Region>().is_ok(),
            Self::Flag => matches!(text, "true" | "false"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn what_is_asked_for_is_read_strictly() {
        for (kind, good, bad) in [
            (
                Kind::Id,
                "00000000-0000-0000-0000-000000000001",
                "00000000000000000000000000000001",
            ),
            (Kind::Whole, "12", "-1"),
            (Kind::Whole, "0", "1e3"),
            (Kind::Day, "2026-02-28", "2026-02-30"),
            (Kind::Day, "2026-02-28", "2026-2-28"),
            (Kind::Month, "2026-12", "2026-13"),
            (Kind::Place, "990101001001", "990101"),
            (Kind::Flag, "true", "1"),
            (Kind::Text, "张 芳", "a\u{0}b"),
            (Kind::Word(|| vec!["red".into()]), "red", "blue"),
        ] {
            assert!(kind.reads(good), "{kind:?} {good}");
            assert!(!kind.reads(bad), "{kind:?} {bad}");
        }
    }
}
