//! Texts of law (法条): which texts a folder relies on, each article with an anchor that rules cite.
//!
//! Guarantees: every citation in a loaded book leads to an article that is there. Deliberately absent: judging
//! whether the text is still in force; the card shows source and date to the jurist.

use crate::fault::Spot;
use crate::toml_file::{Reading, Source};
use chrono::NaiveDate;
use std::collections::BTreeMap;
use vocab::Citation;

/// One article (条文).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Article {
    /// Its anchor: `art-13`.
    pub anchor: String,
    /// How it is called: `第十三条`.
    pub heading: String,
    /// Its text.
    pub text: String,
    /// Where it is written.
    pub spot: Spot,
}

/// One text of law (法律文件).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Law {
    /// Its short name: `sal2026`.
    pub id: String,
    /// Its title: `《中华人民共和国社会救助法》`.
    pub title: String,
    /// What follows the title: number and year.
    pub number: String,
    /// Where the text was taken from.
    pub source: String,
    /// In force from.
    pub date: Option<NaiveDate>,
    /// The articles relied on.
    pub articles: Vec<Article>,
    /// Where it is written.
    pub spot: Spot,
}

impl Law {
    /// The article of a citation: `13` finds `art-13`, `sec-2` finds `sec-2`.
    pub fn article(&self, name: &str) -> Option<&Article> {
        self.articles.iter().find(|article| {
            article.anchor == name || article.anchor.strip_prefix("art-") == Some(name)
        })
    }
}

/// All texts of law of a chain of packs (法律汇编); a law's id is the same everywhere.
#[derive(Debug, Clone, Default)]
pub struct Laws {
    by_id: BTreeMap<String, Law>,
}

impl Laws {
    /// One law.
    pub fn law(&self, id: &str) -> Option<&Law> {
        self.by_id.get(id)
    }

    /// The law and article of a citation.
    pub fn find(&self, citation: &Citation) -> Option<(&Law, &Article)> {
        let law = self.by_id.get(&citation.law)?;
        Some((law, law.article(&citation.article)?))
    }

    /// The article as people say it: `《…办法》第十三条`.
    pub fn title(&self, citation: &Citation) -> String {
        self.find(citation).map_or_else(
            || citation.to_string(),
            |(law, article)| format!("{}{}", law.title, article.heading),
        )
    }

    /// Adds a law; articles of a law already there join it. The same anchor twice is a mistake.
    pub(crate) fn add(&mut self, law: Law, reading: Reading<'_>) {
        match self.by_id.get_mut(&law.id) {
            None => {
                self.by_id.insert(law.id.clone(), law);
            }
            Some(known) => {
                if known.title != law.title {
                    reading.faults.note(
                        &law.spot,
                        format!("法律代号“{}”已经是{}；请换一个代号", law.id, known.title),
                    );
                }
                for article in law.articles {
                    match known
                        .articles
                        .iter()
                        .find(|other| other.anchor == article.anchor)
                    {
                        Some(other) if other.text == article.text => {}
                        Some(other) => reading.faults.note(
                            &article.spot,
                            format!(
                                "“{}”的 {} 在 {}:{} 已有不同的文字",
                                law.id, article.anchor, other.spot.file, other.spot.line
                            ),
                        ),
                        None => known.articles.push(article),
                    }
                }
            }
        }
    }
}

/// Reads a `law.md`.
pub(crate) fn read(source: &Source, reading: Reading<'_>) -> Vec<Law> {
    let mut laws: Vec<Law> = Vec::new();
    let mut offset = 0;
    for line in source.text.split_inclusive('\n') {
        let spot = source.spot(offset);
        offset += line.len();
        let line = line.trim_end();
        if let Some(rest) = line.strip_prefix("## ") {
            let (anchor, heading) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
            let Some(law) = laws.last_mut() else {
                reading
                    .faults
                    .note(&spot, "条文前面缺少法律标题“# 代号 《名称》”");
                continue;
            };
            if law.articles.iter().any(|article| article.anchor == anchor) {
                reading
                    .faults
                    .note(&spot, format!("“{}”里 {anchor} 写了两次", law.id));
            }
            law.articles.push(Article {
                anchor: anchor.to_owned(),
                heading: if heading.is_empty() {
                    spoken(anchor)
                } else {
                    heading.trim().to_owned()
                },
                text: String::new(),
                spot,
            });
        } else if let Some(rest) = line.strip_prefix("# ") {
            let (id, title) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
            let (title, number) = match title.find('》') {
                Some(end) => title.split_at(end + '》'.len_utf8()),
                None => (title, ""),
            };
            if title.is_empty() || !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                reading.faults.note(
                    &spot,
                    "法律标题应写作“# 代号 《名称》 文号”，代号只用字母、数字和下划线",
                );
            }
            laws.push(Law {
                id: id.to_owned(),
                title: title.to_owned(),
                number: number.trim().to_owned(),
                source: String::new(),
                date: None,
                articles: Vec::new(),
                spot,
            });
        } else if let Some(law) = laws.last_mut() {
            match law.articles.last_mut() {
                Some(article) => {
                    article.text.push_str(line);
                    article.text.push('\n');
                }
                None => {
                    if let Some(text) = line.strip_prefix("source:") {
                        law.source = text.trim().to_owned();
                    } else if let Some(text) = line.strip_prefix("date:") {
                        law.date = text.trim().parse().ok();
                        if law.date.is_none() {
                            reading
                                .faults
                                .note(&spot, "date: 后面应是日期，例如 2021-07-01");
                        }
                    }
                }
            }
        }
    }
    for law in &mut laws {
        for article in &mut law.articles {
            article.text = article.text.trim().to_owned();
            if article.text.is_empty() {
                reading.faults.note(
                    &article.spot,
                    format!("{} 下面没有条文；请抄录依据的原文", article.anchor),
                );
            }
        }
        if law.source.is_empty() {
            reading.faults.note(
                &law.spot,
                format!("“{}”缺少 source:（条文从哪里抄来）", law.id),
            );
        }
        if law.date.is_none() {
            reading
                .faults
                .note(&law.spot, format!("“{}”缺少 date:（施行日期）", law.id));
        }
    }
    laws
}

/// `art-13` as people say it: 第十三条.
fn spoken(anchor: &str) -> String {
    match anchor
        .strip_prefix("art-")
        .and_then(|number| number.parse().ok())
    {
        Some(number) => format!("第{}条", han(number)),
        None => format!("（{anchor}）"),
    }
}

/// A number below 1000 in characters: 13 → 十三, 105 → 一百零五.
fn han(number: u16) -> String {
    const DIGITS: [&str; 10] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
    let digit = |n: u16| DIGITS[usize::from(n % 10)];
    match number {
        0..10 => digit(number).to_owned(),
        10..20 => format!("十{}", if number == 10 { "" } else { digit(number) }),
        20..100 => format!(
            "{}十{}",
            digit(number / 10),
            if number.is_multiple_of(10) {
                ""
            } else {
                digit(number)
            }
        ),
        100..1000 => {
            let rest = number % 100;
            let tail = match rest {
                0 => String::new(),
                1..10 => format!("零{}", digit(rest)),
                10..20 => format!("一{}", han(rest)),
                _ => han(rest),
            };
            format!("{}百{tail}", digit(number / 100))
        }
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Faults;

    #[test]
    fn articles_are_spoken_as_in_the_statute_book() {
        for (number, expected) in [
            (7, "七"),
            (10, "十"),
            (13, "十三"),
            (20, "二十"),
            (48, "四十八"),
            (101, "一百零一"),
            (110, "一百一十"),
            (260, "二百六十"),
        ] {
            assert_eq!(han(number), expected);
        }
    }

    #[test]
    fn a_law_text_is_read_with_its_anchors() {
        let source = Source::new(
            "law.md",
            "# mz57 《最低生活保障审核确认办法》 民发〔2021〕57号\nsource: 民政部网站\ndate: 2021-07-01\n\n## art-13\n第一款。\n第二款。\n\n## sec-2 附件第二项\n文字\n".to_owned(),
        );
        let faults = Faults::default();
        let reading = Reading {
            source: &source,
            faults: &faults,
        };
        let mut laws = Laws::default();
        for law in read(&source, reading) {
            laws.add(law, reading);
        }
        assert!(faults.is_empty());
        assert_eq!(
            laws.title(&"mz57:13".parse().unwrap()),
            "《最低生活保障审核确认办法》第十三条"
        );
        assert_eq!(
            laws.title(&"mz57:sec-2".parse().unwrap()),
            "《最低生活保障审核确认办法》附件第二项"
        );
        assert!(laws.find(&"mz57:14".parse().unwrap()).is_none());
    }
}
