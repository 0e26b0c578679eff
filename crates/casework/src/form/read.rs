//! Reading forms (读取申请表): a programme's `form.toml` with all it is like, and what no page asks yet.
//!
//! Deliberately absent: joining the forms of several programmes, see [`super::union`].

use super::rest::{Rest, ask_the_rest};
use super::{AgeSpan, Asked, Form, FormPage, When};
use crate::like;
use crate::pack_texts::{Kind, PackTexts};
use crate::procedure::Procedure;
use crate::source_text::{At, Node, SourceText};
use policy::{Book, Fault, Programme, Unit};

/// The shared form whose pages the generated questions go to: `forms/common.toml`.
const COMMON: &str = "common";

/// A form as its texts say it, before the rest is asked.
#[derive(Debug, Default)]
struct Written {
    form: Form,
    rest: bool,
    never: Vec<String>,
}

/// Reads the form of a programme people can apply for (读取申请表); without `form.toml` it asks what the rules read.
///
/// # Errors
/// Every fault of the texts, with its place.
pub(crate) fn read(
    book: &Book,
    programme: &Programme,
    procedure: Option<&Procedure>,
    texts: &PackTexts,
) -> Option<Result<Form, Vec<Fault>>> {
    let written = match (texts.programme(Kind::Form, &programme.id), procedure) {
        (Some(source), _) => source.and_then(|source| read_source(book, source)),
        (None, Some(_)) => Ok(Written {
            rest: true,
            ..Written::default()
        }),
        (None, None) => return None,
    };
    Some(written.and_then(|written| complete(book, programme, procedure, texts, written)))
}

fn complete(
    book: &Book,
    programme: &Programme,
    procedure: Option<&Procedure>,
    texts: &PackTexts,
    written: Written,
) -> Result<Form, Vec<Fault>> {
    if !written.rest {
        return Ok(written.form);
    }
    let common = texts
        .template(Kind::Form, COMMON)
        .map(|source| source.and_then(|source| read_source(book, source)))
        .transpose()?
        .unwrap_or_default();
    let mut never = written.never;
    never.extend(common.never);
    Ok(ask_the_rest(
        &Rest {
            book,
            programme,
            procedure,
            common: &common.form,
            never: &never,
        },
        written.form,
    ))
}

fn read_source(book: &Book, source: SourceText) -> Result<Written, Vec<Fault>> {
    let written = {
        let merged = like::merged(&source, &like::FORM);
        read_pages(book, &Node::top(&source, &merged))
    };
    let faults = source.into_faults();
    if faults.is_empty() {
        Ok(written)
    } else {
        Err(faults)
    }
}

fn read_pages(book: &Book, top: &Node<'_>) -> Written {
    let source = top.source();
    let rest = top.bool("rest", false);
    let never = top.texts("never");
    for fact in &never {
        if book.fact(&fact.value).is_none() {
            source.fault(&fact.span, format!("facts.toml 中没有事实 {}", fact.value));
        }
    }
    let mut form = Form::default();
    let mut asked: Vec<String> = Vec::new();
    for node in top.tables("page") {
        let id = node.text("id");
        let wording = node.wording();
        let order = node
            .maybe_number("order", 0..10_000)
            .map_or(50, |at| at.value);
        let questions = node.tables("question");
        if questions.is_empty() {
            node.fault("这一页没有问题（[[page.question]]）");
        }
        let mut asks = Vec::new();
        for question in questions {
            let fact = question.text("fact");
            let required = question.bool("required", false);
            let prefill = question.bool("prefill", true);
            let when = question
                .maybe_table("when")
                .and_then(|table| read_when(&table, &asked));
            let only = question.maybe_table("only").map(|table| {
                let bound = |at: Option<At<u32>>, open: u16| {
                    at.and_then(|at| u16::try_from(at.value).ok())
                        .unwrap_or(open)
                };
                let span = AgeSpan {
                    from: bound(table.maybe_number("age_from", 0..201), 0),
                    to: bound(table.maybe_number("age_to", 0..201), 200),
                };
                table.finish();
                span
            });
            question.finish();
            let Some(fact) = fact else { continue };
            match book.fact(&fact.value) {
                None => source.fault(&fact.span, format!("facts.toml 中没有事实 {}", fact.value)),
                Some(definition) if only.is_some() && definition.of != Unit::Person => {
                    source.fault(
                        &fact.span,
                        format!("{} 是家庭的事实，不能按年龄提问（only）", fact.value),
                    );
                }
                Some(_) => {}
            }
            if asked.contains(&fact.value) {
                source.fault(
                    &fact.span,
                    format!("事实 {} 在这份申请表里问了两次", fact.value),
                );
            }
            asked.push(fact.value.clone());
            asks.push(Asked {
                fact: fact.value,
                required,
                prefill,
                when,
                only,
            });
        }
        node.finish();
        if let (Some(id), Some((zh, en))) = (id, wording) {
            if form.pages.iter().any(|page| page.id == id.value) {
                source.fault(&id.span, format!("页面 {} 写了两次", id.value));
            }
            form.pages.push(FormPage {
                id: id.value,
                zh,
                en,
                order,
                asks,
            });
        }
    }
    top.finish();
    if form.pages.is_empty() && !rest {
        top.fault("至少要有一个 [[page]]，或者写 rest = true");
    }
    Written {
        form,
        rest,
        never: never.into_iter().map(|fact| fact.value).collect(),
    }
}

fn read_when(table: &Node<'_>, asked: &[String]) -> Option<When> {
    let fact = table.text("fact");
    let mut is = table.fact_values("in");
    is.extend(table.maybe_fact_value("is"));
    table.finish();
    let fact = fact?;
    if !asked.contains(&fact.value) {
        table.source().fault(
            &fact.span,
            format!("when 提到的 {} 要在这个问题之前问到", fact.value),
        );
    }
    if is.is_empty() {
        table.fault("when 要写 is 或 in：哪些回答才继续问");
    }
    Some(When {
        fact: fact.value,
        is,
    })
}
