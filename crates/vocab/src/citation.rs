//! A place in a law (法条引用): which text, which article. Every rule, refusal and letter carries one.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A citation (法条引用) such as `sal2026:18`: the short name of a law text in a pack, then the anchor of the article.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Citation {
    /// The law's short name inside the packs, e.g. `sal2026`.
    pub law: String,
    /// The anchor inside the law text, e.g. `18`.
    pub article: String,
}

/// Why a text is not a citation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("法条引用应写作 law:article，例如 sal2026:18；读到的是“{0}”")]
pub struct NotACitation(pub String);

impl std::str::FromStr for Citation {
    type Err = NotACitation;
    fn from_str(text: &str) -> Result<Self, NotACitation> {
        match text.split_once(':') {
            Some((law, article)) if !law.is_empty() && !article.is_empty() => Ok(Self {
                law: law.to_owned(),
                article: article.to_owned(),
            }),
            _ => Err(NotACitation(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Citation {
    type Error = NotACitation;
    fn try_from(text: String) -> Result<Self, NotACitation> {
        text.parse()
    }
}

impl From<Citation> for String {
    fn from(citation: Citation) -> Self {
        citation.to_string()
    }
}

impl fmt::Display for Citation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.law, self.article)
    }
}
