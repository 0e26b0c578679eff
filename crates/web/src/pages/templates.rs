//! Templates of letters (文书模板): which there are, who uses them; and how one looks with sample data while it is being written.
//!
//! A template is a file of the packs, so it is drafted, proposed and published like a rule, by two people ([`super::rule_edit`]).
//! Guarantees: nothing here is in force; what is looked at is set as it would be printed, or its mistakes are told with line and
//! column. Deliberately absent: forms of consent and reports, which have templates of their own.

use super::case::letter_name;
use super::letters::language;
use crate::locale::Lang;
use crate::parts::form::field;
use crate::parts::{proof, table};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use access::Permission;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use casework::letter::{self, PreviewOf, Used};
use casework::rulebook::SHARED_LETTERS;
use maud::{Markup, html};
use policy::Fault;

/// Programmes named in a row of the list.
const NAMED: usize = 3;
/// Pages shown of one letter.
const PAGES: usize = 8;
/// What all templates import.
const SHARED: &str = "letter.typ";

/// The folder a template is drafted in: its programme's, or that of the shared ones.
fn folder_of(file: &str) -> &str {
    match file.split('/').collect::<Vec<_>>().as_slice() {
        [_, programme, "letters", _] => programme,
        _ => SHARED_LETTERS,
    }
}

/// Whether a file of the packs is a template of letters (是否文书模板).
pub(super) fn is_one(file: &str) -> bool {
    file.ends_with(".typ")
}

/// `GET /templates` (文书模板).
///
/// # Errors
/// None.
pub async fn show(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let desk = &visit.app.desk;
    let used = letter::used(desk);
    let columns = [
        table::text(visit.t("文书")),
        table::text(visit.t("使用的事项")),
        table::text(visit.t("文件")),
    ];
    let row = |file: &str, name: String, programmes: Markup| {
        let cells = vec![html! { (name) }, programmes, html! { code { (file) } }];
        if visit.can(Permission::WriteRules) {
            let at = crate::fields::Fields::new().with("file", file);
            table::row(at.href(&format!("/rules/{}/edit", folder_of(file))), cells)
        } else {
            table::still(cells)
        }
    };
    let mut rows = Vec::new();
    if let Some((path, _)) = desk.book.place().texts.get(SHARED) {
        let file = path
            .components()
            .rev()
            .take(2)
            .map(|part| part.as_os_str().to_string_lossy().into_owned())
            .collect::<Vec<_>>();
        let file = file.into_iter().rev().collect::<Vec<_>>().join("/");
        let all = html! { (visit.t("全部文书的版式、表格、落款和二维码")) };
        rows.push(row(&file, visit.t("共用版式").to_owned(), all));
    }
    for one in &used {
        let names: Vec<String> = one
            .programmes
            .iter()
            .take(NAMED)
            .map(|id| proof::title(visit, id))
            .collect();
        let names = names.join(visit.t("、"));
        let programmes = html! {
            @if one.programmes.len() > NAMED {
                (lang.f("{names} 等 {count} 项", &[("names", &names), ("count", &one.programmes.len())]))
            } @else { (names) }
        };
        rows.push(row(&one.file, letter_name(lang, &one.word), programmes));
    }
    let body = html! {
        p.quiet { (visit.t("每份模板写中文和英文两种。改模板先存草稿、看预览，由另一位同事发布；已经签发的文书不变。")) }
        (table::table(lang, visit.t("文书模板"), &columns, rows, "", &visit.query))
    };
    Ok(visit
        .page(visit.t("文书模板"))
        .nav("/rules")
        .back("/rules", visit.t("规则"))
        .acts(html! { a.button href="/rules/drafts" { (visit.t("规则草稿")) } })
        .show(&body))
}

/// The programmes a template can be looked at for, with the letter's word.
fn can_show(visit: &Visit, file: &str) -> (String, Vec<String>) {
    let name = file.rsplit('/').next().unwrap_or(file);
    let used = letter::used(&visit.app.desk);
    let word = if name == SHARED {
        "granted"
    } else {
        name.trim_end_matches(".typ")
    };
    let folder = folder_of(file);
    let shared = folder == SHARED_LETTERS && name != SHARED;
    let fits =
        |one: &&Used| one.word == word && (!shared || folder_of(&one.file) == SHARED_LETTERS);
    let mut programmes: Vec<String> = used
        .iter()
        .filter(fits)
        .flat_map(|one| one.programmes.clone())
        .filter(|id| folder == SHARED_LETTERS || id == folder)
        .collect();
    programmes.sort();
    (word.to_owned(), programmes)
}

/// The choices above a preview, in the form of the text (预览选项).
pub(super) fn choices(visit: &Visit, folder: &str, file: &str) -> Markup {
    let lang = visit.lang;
    let (_, programmes) = can_show(visit, file);
    let titles: Vec<(String, String)> = programmes
        .iter()
        .map(|id| (id.clone(), proof::title(visit, id)))
        .collect();
    let langs = [
        ("zh".to_owned(), visit.t("中文文书").to_owned()),
        ("en".to_owned(), visit.t("英文文书").to_owned()),
    ];
    let said = |name: &str| visit.form.get(name).to_owned();
    let chosen = match said("lang") {
        empty if empty.is_empty() => lang.code().to_owned(),
        other => other,
    };
    html! {
        div.row-fields {
            (field(lang, "programme", visit.t("按哪个事项预览")).value(&said("programme")).select(&titles))
            (field(lang, "lang", visit.t("预览语言")).value(&chosen).select(&langs))
        }
        div.buttons {
            button type="submit" formaction=(format!("/rules/{folder}/preview")) { (visit.t("预览")) }
        }
    }
}

/// How a template looks (文书预览), or what is wrong with it. `shared` is the draft of what templates share, if it has one.
///
/// # Errors
/// No font on this machine.
pub(super) async fn preview(
    visit: &Visit,
    file: &str,
    text: &str,
    shared: Option<&str>,
) -> Result<Markup, Problem> {
    let (word, programmes) = can_show(visit, file);
    let asked = visit.form.get("programme");
    let programme = programmes
        .iter()
        .find(|id| *id == asked)
        .or_else(|| programmes.first())
        .cloned();
    let Some(programme) = programme else {
        return Ok(html! {
            section.part #preview { p.quiet { (visit.t("还没有事项使用这份模板，暂时不能预览。")) } }
        });
    };
    let lang = match visit.form.get("lang") {
        "" => visit.lang,
        code => Lang::of(code),
    };
    let desk = visit.app.desk.clone();
    let (file, text) = (file.to_owned(), text.to_owned());
    let shared = shared.map(str::to_owned);
    let set = tokio::task::spawn_blocking(move || {
        letter::preview(
            &desk,
            &PreviewOf {
                programme: &programme,
                word: &word,
                file: &file,
                text: &text,
                shared: shared.as_deref(),
                lang: language(lang),
            },
        )
    })
    .await
    .map_err(anyhow::Error::from)??;
    Ok(html! {
        section.part #preview aria-live="polite" {
            h2 { (visit.t("预览")) }
            @match &set {
                Ok(pages) => (shown(visit, pages)),
                Err(faults) => (wrong(visit, faults)),
            }
        }
    })
}

fn shown(visit: &Visit, pages: &[String]) -> Markup {
    let lang = visit.lang;
    html! {
        p.quiet { (lang.f("样例数据，共 {count} 页；人名、金额都是编的。", &[("count", &pages.len())])) }
        @for (at, page) in pages.iter().take(PAGES).enumerate() {
            figure.card {
                img src=(format!("data:image/svg+xml;base64,{}", STANDARD.encode(page)))
                    alt=(lang.f("第 {number} 页", &[("number", &(at + 1))]));
            }
        }
    }
}

fn wrong(visit: &Visit, faults: &[Fault]) -> Markup {
    html! {
        p.note.warn { (visit.t("模板有错误，不能排版：")) }
        ul.plain-list lang="zh-CN" {
            @for fault in faults {
                li {
                    code { (fault.file) } " "
                    (visit.lang.f("第 {line} 行第 {column} 列", &[("line", &fault.line), ("column", &fault.column)]))
                    " " (fault.sentence_zh)
                }
            }
        }
    }
}
