//! The text of a message (消息文本): a sentence with named fields, and how many parts it is sent in.
//!
//! Guarantees: a field that is not in the list is a mistake of the pack; no field can say a programme, an amount, a number of a
//! document or an illness; a name is masked. Deliberately absent: conditions and formulas; two sentences are two rules.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Letters of one part, alone (单条字数): GSM 03.40 with UCS-2, as Chinese needs.
const ALONE: usize = 70;
/// Letters of each of several parts, which carry six bytes that join them.
const JOINED: usize = 67;
/// What stands where a day is not known: it stands on the paper.
const ON_PAPER: &str = "文书所写日期";
/// Names longer than this are cut; the mask has taken their middle anyway.
const NAME: usize = 6;

/// A field of a text (字段).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The masked name of whoever is told; at a desk, of whom the case is about.
    Name,
    /// The case's number.
    Number,
    /// The office's place.
    Office,
    /// The day something is due.
    Due,
    /// The last day of a notice.
    Until,
    /// The month paid.
    Month,
    /// The help line.
    Line,
}

impl Field {
    /// All of them (全部).
    pub const ALL: [Self; 7] = [
        Self::Name,
        Self::Number,
        Self::Office,
        Self::Due,
        Self::Until,
        Self::Month,
        Self::Line,
    ];

    /// Its word between braces (字段名).
    pub const fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Number => "number",
            Self::Office => "office",
            Self::Due => "due",
            Self::Until => "until",
            Self::Month => "month",
            Self::Line => "line",
        }
    }

    /// As long as it can become, for counting before anybody is told (最长取值); the office is the place's own.
    const fn longest(self) -> &'static str {
        match self {
            Self::Name => "阿*****",
            Self::Number => "ABCDEF2026-000318",
            Self::Office => "",
            Self::Due | Self::Until => ON_PAPER,
            Self::Month => "2026年12月",
            Self::Line => "0755-12345678",
        }
    }
}

/// What the fields are of one message (字段取值).
pub type Fields = BTreeMap<Field, String>;

/// A masked name as short as a message needs it (短信用姓名).
pub fn short_name(masked: &str) -> String {
    masked.chars().take(NAME).collect()
}

/// A sentence with fields (模板).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Words(String),
    Field(Field),
}

impl Template {
    /// Reads a sentence (读取模板).
    ///
    /// # Errors
    /// The field that is unknown, or the brace that is not closed.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let (words, after) = (&rest[..open], &rest[open + 1..]);
            let close = after.find('}').ok_or_else(|| after.to_owned())?;
            let word = &after[..close];
            let field = Field::ALL
                .into_iter()
                .find(|field| field.word() == word)
                .ok_or_else(|| word.to_owned())?;
            if !words.is_empty() {
                pieces.push(Piece::Words(words.to_owned()));
            }
            pieces.push(Piece::Field(field));
            rest = &after[close + 1..];
        }
        if let Some(stray) = rest.find('}') {
            return Err(rest[stray..].to_owned());
        }
        if !rest.is_empty() {
            pieces.push(Piece::Words(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    /// The fields it names (所用字段).
    pub fn fields(&self) -> impl Iterator<Item = Field> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Field(field) => Some(*field),
            Piece::Words(_) => None,
        })
    }

    /// The sentence with its fields filled in (填写); a day that is not known is the one on the paper.
    pub fn filled(&self, fields: &Fields) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Words(words) => text.push_str(words),
                Piece::Field(field) => {
                    text.push_str(fields.get(field).map_or(ON_PAPER, String::as_str));
                }
            }
        }
        text
    }

    /// How many parts it needs at most, with the longest name of an office (最多条数).
    pub fn parts_at_most(&self, office: &str) -> usize {
        let longest = Field::ALL
            .into_iter()
            .map(|field| {
                let value = if field == Field::Office {
                    office
                } else {
                    field.longest()
                };
                (field, value.to_owned())
            })
            .collect();
        parts(&self.filled(&longest))
    }
}

/// How many parts a text is sent in (短信条数): 70 letters alone, 67 each of several; letters beyond the basic plane count twice.
pub fn parts(text: &str) -> usize {
    let letters: usize = text.chars().map(char::len_utf16).sum();
    if letters <= ALONE {
        1
    } else {
        letters.div_ceil(JOINED)
    }
}

#[cfg(test)]
mod tests {
    use super::{Field, Fields, Template, parts};

    #[test]
    fn seventy_letters_are_one_part_and_seventy_one_are_two() {
        assert_eq!(parts(&"民".repeat(70)), 1);
        assert_eq!(parts(&"民".repeat(71)), 2);
        // Two joined parts hold 2 × 67 = 134 letters.
        assert_eq!(parts(&"民".repeat(134)), 2);
        assert_eq!(parts(&"民".repeat(135)), 3);
        // 𠮷 is two units of UTF-16: 35 of them fill a part.
        assert_eq!(parts(&"𠮷".repeat(35)), 1);
        assert_eq!(parts(&"𠮷".repeat(36)), 2);
    }

    #[test]
    fn a_field_nobody_knows_and_a_brace_left_open_are_refused() {
        assert_eq!(
            Template::read("{name}，{amount}元"),
            Err("amount".to_owned())
        );
        assert_eq!(Template::read("{illness}"), Err("illness".to_owned()));
        assert_eq!(Template::read("{name"), Err("name".to_owned()));
        assert_eq!(Template::read("name}"), Err("}".to_owned()));
    }

    #[test]
    fn a_day_that_is_not_known_is_the_one_on_the_paper() {
        let template = Template::read("{name}，请在{due}前补交").unwrap();
        assert_eq!(
            template.fields().collect::<Vec<_>>(),
            [Field::Name, Field::Due]
        );
        let mut fields = Fields::from([(Field::Name, "张*芳".to_owned())]);
        assert_eq!(template.filled(&fields), "张*芳，请在文书所写日期前补交");
        fields.insert(Field::Due, "6月8日".to_owned());
        assert_eq!(template.filled(&fields), "张*芳，请在6月8日前补交");
    }
}
