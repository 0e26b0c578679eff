//! Languages (语言): Chinese first, English complete. The Chinese text is the key.
//!
//! `build.rs` fails when a text in the sources has no English or an English text is used nowhere, so a page can never
//! be half translated. Texts of packs carry their own two languages and do not stand here.

use std::fmt::Display;

/// The language of a page (语言).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Lang {
    /// 简体中文
    #[default]
    Zh,
    /// English
    En,
}

static CATALOGUE: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));

/// Marks a Chinese text that is looked up later with [`Lang::look`] (待译文字), so that `build.rs` sees it.
pub const fn key(zh: &'static str) -> &'static str {
    zh
}

impl Lang {
    /// The text in this language (译文).
    pub fn t(self, zh: &'static str) -> &'static str {
        match self {
            Self::Zh => zh,
            Self::En => english(zh).unwrap_or(zh),
        }
    }

    /// The text in this language with its `{names}` filled in (带值的译文).
    pub fn f(self, zh: &'static str, values: &[(&str, &dyn Display)]) -> String {
        let mut text = self.t(zh).to_owned();
        for (name, value) in values {
            text = text.replace(&format!("{{{name}}}"), &value.to_string());
        }
        text
    }

    /// The text of something marked with [`key`], or of a sentence another room wrote (查译文). What is not in the
    /// catalogue stays Chinese.
    pub fn look(self, zh: &str) -> &str {
        match self {
            Self::Zh => zh,
            Self::En => english(zh).unwrap_or(zh),
        }
    }

    /// One of two texts a pack or a table brings along (取一种语言).
    pub fn pick<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Zh => zh,
            Self::En if en.is_empty() => zh,
            Self::En => en,
        }
    }

    /// The tag for the `lang` attribute (语言标签).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    /// The code for the cookie (语言代码).
    pub const fn code(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }

    /// The language of a code; anything unknown is Chinese.
    pub fn of(code: &str) -> Self {
        if code == "en" { Self::En } else { Self::Zh }
    }
}

fn english(zh: &str) -> Option<&'static str> {
    CATALOGUE
        .binary_search_by(|(text, _)| (*text).cmp(zh))
        .ok()
        .map(|at| CATALOGUE[at].1)
}

#[cfg(test)]
mod tests {
    use super::{CATALOGUE, Lang};

    #[test]
    fn the_catalogue_is_sorted_and_answers() {
        assert!(CATALOGUE.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(Lang::Zh.look("待办"), "待办");
        assert_eq!(Lang::En.look("待办"), "To do");
        assert_eq!(Lang::En.look("目录里没有的字"), "目录里没有的字");
    }
}
