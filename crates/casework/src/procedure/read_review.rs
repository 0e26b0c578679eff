//! Reading `[review]` of a procedure (读取定期核查): how often, by whose desk, and by which class.
//!
//! Guarantees: a class the rules name can be told, and its period is one. Deliberately absent: running it; see
//! [`crate::review`].

use super::read::{read_article, read_limit, read_role};
use super::{Limit, LimitUnit, ReviewRule};
use crate::source_text::{At, Node};
use policy::{Book, Programme};
use std::collections::BTreeMap;

/// Reads `[review]`.
pub(super) fn read_review(
    book: &Book,
    programme: &Programme,
    node: Node<'_>,
) -> Option<ReviewRule> {
    let limit = read_limit(&node);
    let desk = node.text("desk").and_then(|at| read_role(&node, &at));
    let article = read_article(book, &node, "article", true);
    let by = node.maybe_text("by");
    let mut classes = BTreeMap::new();
    if let Some(by) = &by {
        for (class, every) in &programme.benefit.review {
            match every_so_often(every) {
                Some(limit) => {
                    classes.insert(class.clone(), limit);
                }
                None => node.source().fault(
                    &by.span,
                    format!("rules.toml 的 review 里 {class} 类写的“{every}”不是周期；请写 yearly、half_yearly、quarterly 或者“6 months”"),
                ),
            }
        }
        check_review_class(book, programme, &node, by, &classes);
    }
    node.finish();
    Some(ReviewRule {
        limit: limit?,
        by: by.map(|at| at.value),
        classes,
        desk: desk?,
        article: article?,
    })
}

/// `12 months`, `yearly`, `half_yearly`, `quarterly` as packs write them.
fn every_so_often(every: &str) -> Option<Limit> {
    let months = match every {
        "yearly" => 12,
        "half_yearly" => 6,
        "quarterly" => 3,
        _ => every
            .strip_suffix(" months")
            .or_else(|| every.strip_suffix(" month"))?
            .parse()
            .ok()
            .filter(|months| (1..=120).contains(months))?,
    };
    Some(Limit {
        amount: months,
        unit: LimitUnit::Months,
    })
}

/// The class must be told by something that can tell exactly the classes of the rules.
fn check_review_class(
    book: &Book,
    programme: &Programme,
    node: &Node<'_>,
    by: &At<String>,
    classes: &BTreeMap<String, Limit>,
) {
    if programme.benefit.review.is_empty() {
        node.source().fault(
            &by.span,
            "写了 by，rules.toml 的 [benefit] 却没有 review = { 类 = \"周期\" }",
        );
    }
    let known = match book.fact(&by.value) {
        Some(fact) => {
            let codes: Vec<&str> = fact.codes.iter().map(|code| code.code.as_str()).collect();
            if let Some(lost) = classes
                .keys()
                .find(|class| !codes.contains(&class.as_str()))
            {
                node.source().fault(
                    &by.span,
                    format!(
                        "事实“{}”没有代码“{lost}”，rules.toml 的 review 里却有这一类",
                        by.value
                    ),
                );
            }
            true
        }
        None => programme.variables.iter().any(|one| one.id == by.value),
    };
    if !known {
        node.source().fault(
            &by.span,
            format!("“{}”不是事实，也不是本事项的变量", by.value),
        );
    }
}
