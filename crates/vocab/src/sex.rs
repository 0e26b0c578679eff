//! Sex (性别) by GB/T 2261.1: the four codes, and nothing inferred from a name or a photograph.

use serde::{Deserialize, Serialize};

/// Sex (性别), GB/T 2261.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Sex {
    /// 未知
    #[serde(rename = "0")]
    Unknown,
    /// 男
    #[serde(rename = "1")]
    Male,
    /// 女
    #[serde(rename = "2")]
    Female,
    /// 未说明
    #[serde(rename = "9")]
    NotStated,
}

impl Sex {
    /// All four, in the order of the standard.
    pub const ALL: [Self; 4] = [Self::Unknown, Self::Male, Self::Female, Self::NotStated];

    /// The code of the standard.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "0",
            Self::Male => "1",
            Self::Female => "2",
            Self::NotStated => "9",
        }
    }

    /// The Chinese word.
    pub const fn name_zh(self) -> &'static str {
        match self {
            Self::Unknown => "未知",
            Self::Male => "男",
            Self::Female => "女",
            Self::NotStated => "未说明",
        }
    }

    /// The English word.
    pub const fn name_en(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Male => "male",
            Self::Female => "female",
            Self::NotStated => "not stated",
        }
    }

    /// Reads a code (`1`), a word of the standard (`男`) or its common longer form (`男性`).
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        Self::ALL.into_iter().find(|sex| {
            text == sex.code()
                || text == sex.name_zh()
                || text.strip_suffix('性') == Some(sex.name_zh())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_words_are_both_read() {
        assert_eq!(Sex::read(" 女 "), Some(Sex::Female));
        assert_eq!(Sex::read("男性"), Some(Sex::Male));
        assert_eq!(Sex::read("9"), Some(Sex::NotStated));
        assert_eq!(Sex::read("m"), None);
        assert_eq!(serde_json::to_string(&Sex::Female).unwrap(), "\"2\"");
    }
}
