//! The law beside the procedure (程序所依法条): finding and naming an article the rule book holds.
//!
//! Deliberately absent: reading law files; the rule book did that.

use policy::Book;
use vocab::Citation;

/// An article as letters quote it (法条).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Article {
    /// As people say it: `《…办法》第十三条`.
    pub title: String,
    /// Its text.
    pub text: String,
}

/// The article a citation points at (引用的法条), if the rule book holds it.
pub fn article(book: &Book, citation: &Citation) -> Option<Article> {
    book.laws().find(citation).map(|(law, found)| Article {
        title: format!("{}{}", law.title, found.heading),
        text: found.text.clone(),
    })
}

/// How a citation is written in a letter (法条名称); the bare citation where the rule book does not hold the text.
pub fn title(book: &Book, citation: &Citation) -> String {
    book.laws().title(citation)
}
