//! What mutation testing says (变异测试报告): a line a programme, then the survivors by article.
//!
//! Deliberately absent: finding them; see `mutate`.

use crate::mutate::{NEEDED, Outcome, Survivor};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The report for the terminal (报告).
pub(crate) fn report(outcome: &Outcome, place: &str) -> String {
    let mut text = String::new();
    for spot in &outcome.broken {
        let _written = writeln!(
            text,
            "{}:{}:{}: 这个办例本来就不相符，没有用于变异测试；请先运行 pack test",
            spot.file, spot.line, spot.column
        );
    }
    for argued in &outcome.stray {
        let spot = &argued.spot;
        let _written = writeln!(
            text,
            "{}:{}:{}: 没有这样的变异：{} {}；规则改过了，请删去或改正",
            spot.file, spot.line, spot.column, argued.rule, argued.mutation
        );
    }
    let mut by_folder: BTreeMap<&str, Vec<&Survivor>> = BTreeMap::new();
    for survivor in &outcome.survivors {
        by_folder
            .entry(&survivor.folder)
            .or_default()
            .push(survivor);
    }
    for score in &outcome.scores {
        let (own, shared, total) = (score.own, score.shared, score.total());
        let verdict = if total.enough() {
            String::new()
        } else {
            format!("  ← 不到 {NEEDED} %")
        };
        let title = outcome
            .book
            .programme(&score.programme)
            .map_or("", |programme| programme.title_zh.as_str());
        let _written = writeln!(
            text,
            "{place} {}（{title}）：{} %，变异 {} 个，消灭 {}，已说明 {}，存活 {}（本事项 {}/{}，共用 {}/{}）{verdict}",
            score.programme,
            percent(total.score()),
            total.all,
            total.killed,
            total.argued,
            total.all - total.killed - total.argued,
            own.killed,
            own.all,
            shared.killed,
            shared.all,
        );
        if let Some(survivors) = by_folder.remove(score.programme.as_str()) {
            list(&mut text, outcome, &survivors);
        }
    }
    for (folder, survivors) in by_folder {
        let _written = writeln!(text, "{place} 共用规则 {folder}：存活 {}", survivors.len());
        list(&mut text, outcome, &survivors);
    }
    text
}

fn percent(score: usize) -> String {
    format!("{}.{:02}", score / 100, score % 100)
}

fn list(text: &mut String, outcome: &Outcome, survivors: &[&Survivor]) {
    let mut by_article: BTreeMap<Option<String>, Vec<&Survivor>> = BTreeMap::new();
    for survivor in survivors {
        let article = survivor.article.as_ref().map(ToString::to_string);
        by_article.entry(article).or_default().push(survivor);
    }
    for (article, survivors) in by_article {
        let title = survivors
            .first()
            .and_then(|one| one.article.as_ref())
            .and_then(|citation| outcome.book.article_title(citation));
        let _written = match (article, title) {
            (Some(article), Some(title)) => writeln!(text, "  {title}（{article}）"),
            _ => writeln!(text, "  参数"),
        };
        for one in survivors {
            let from = one
                .from
                .map_or_else(String::new, |from| format!("（自 {from}）"));
            let because = one
                .because
                .as_ref()
                .map_or_else(String::new, |because| format!("  已说明：{because}"));
            let _written = writeln!(
                text,
                "    {}:{}:{} {}{from}：{}{because}",
                one.spot.file, one.spot.line, one.spot.column, one.rule, one.mutation
            );
        }
    }
}
