//! Changing rules (修改规则): the files of one programme as text, a short form for a dated value, the check at every save.
//!
//! Guarantees: nothing here is in force; what was typed is never lost, also when a colleague was faster. Deliberately
//! absent: publishing, which is another officer's act on the draft's own page.

use super::templates;
use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::{diff, piece, proof};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Purpose, Scope};
use axum::response::IntoResponse;
use casework::rulebook::list::{self, Draft, DraftFile};
use casework::rulebook::{
    InForce, NewValue, Refused, SHARED_LETTERS, State, editable, parameters_in, save, with_value,
};
use maud::{Markup, html};
use std::sync::Arc;

/// Lines the field for a file shows.
const ROWS: u8 = 28;

/// What is being changed (所改内容).
struct Desk {
    folder: String,
    now: Arc<InForce>,
    /// What may be written.
    files: Vec<String>,
    /// The file looked at.
    file: String,
    draft: Option<(Draft, Vec<DraftFile>)>,
}

impl Desk {
    async fn of(visit: &Visit, file: &str) -> Result<Self, Problem> {
        let now = visit.app.shelf.now();
        let folder = visit.part("id").to_owned();
        let files = editable(&now, &folder);
        let Some(first) = files.iter().find(|path| now.texts.get(path).is_some()) else {
            if visit.app.desk.book.programme(&folder).is_some() {
                return Err(Problem::Conflict(words::sentence(
                    visit.lang,
                    &Refused::ReadOnly.to_string(),
                )));
            }
            return Err(Problem::NotFound);
        };
        let file = if file.is_empty() { first } else { file }.to_owned();
        if !files.contains(&file) {
            return Err(Problem::NotFound);
        }
        let division = now.desk.book.place().division;
        let draft = list::open_of(&visit.app.db, division, &folder).await?;
        Ok(Self {
            folder,
            now,
            files,
            file,
            draft,
        })
    }

    fn version(&self) -> i64 {
        self.draft.as_ref().map_or(0, |(draft, _)| draft.version)
    }

    /// The text in force; empty for a file that does not exist yet.
    fn published(&self, path: &str) -> &str {
        self.now.texts.get(path).unwrap_or_default()
    }

    /// The text of the draft, else the one in force.
    fn drafted(&self, path: &str) -> &str {
        self.draft
            .iter()
            .flat_map(|(_, files)| files)
            .find(|one| one.path == path && !one.made)
            .map_or_else(|| self.published(path), |one| one.text.as_str())
    }

    fn is_changed(&self, path: &str) -> bool {
        self.drafted(path) != self.published(path)
    }

    fn path(&self) -> String {
        format!("/rules/{}/edit", self.folder)
    }
}

/// `GET /rules/{id}/edit` (修改规则).
///
/// # Errors
/// [`Problem::NotFound`] for a folder or file that cannot be written here.
pub async fn show(visit: &Visit) -> Answer {
    let desk = Desk::of(visit, visit.query.get("file")).await?;
    let looks = look(visit, &desk, desk.drafted(&desk.file)).await?;
    Ok(page(visit, &desk, None, &[], &looks))
}

/// How the template looks that is being written; nothing for other files.
async fn look(visit: &Visit, desk: &Desk, text: &str) -> Result<Markup, Problem> {
    if !templates::is_one(&desk.file) {
        return Ok(html! {});
    }
    if text.trim().is_empty() {
        return Ok(html! { section.part #preview {} });
    }
    // A draft of what templates share holds for the others of the same draft.
    let shared = desk
        .files
        .iter()
        .find(|path| path.ends_with("/letter.typ") && desk.is_changed(path))
        .map(|path| desk.drafted(path));
    templates::preview(visit, &desk.file, text, shared).await
}

/// `POST /rules/{id}/preview` (预览文书模板): with scripts the picture alone, without them the whole page with what was typed.
///
/// # Errors
/// [`Problem::NotFound`] for a file that is no template one may write.
pub async fn preview(visit: &Visit) -> Answer {
    let desk = Desk::of(visit, visit.form.get("file")).await?;
    if !templates::is_one(&desk.file) {
        return Err(Problem::NotFound);
    }
    let text = visit.form.get("text").replace("\r\n", "\n");
    let looks = look(visit, &desk, &text).await?;
    if visit.partial {
        return Ok(looks.into_response());
    }
    Ok(page(visit, &desk, Some(&text), &[], &looks))
}

fn page(
    visit: &Visit,
    desk: &Desk,
    typed: Option<&str>,
    errors: &[FieldError],
    looks: &Markup,
) -> axum::response::Response {
    let lang = visit.lang;
    let title = proof::title(visit, &desk.folder);
    let proposed = desk
        .draft
        .as_ref()
        .is_some_and(|(draft, _)| draft.state == State::Proposed);
    let note = match visit.query.get("done") {
        "saved" => Some(html! { (visit.t("草稿已保存并检查，现行规则没有改变。")) }),
        _ => None,
    };
    let body = html! {
        @if proposed {
            p.note.warn { (visit.t("这份草稿已提请发布，正等另一位同事复核；要再改，请先退回修改。")) }
        }
        (piece::section(visit.t("文件"), &file_list(visit, desk)))
        @if let Some((draft, files)) = &desk.draft {
            section.part id="check" {
                h2 { (visit.t("检查结果")) }
                (proof::whole(visit, &draft.checked, &|path: &str| {
                    files.iter().find(|one| one.path == path).map(|one| one.text.as_str())
                        .or_else(|| desk.now.texts.get(path))
                }))
                p { a.button href=(format!("/rules/drafts/{}", draft.id)) { (visit.t("看整份草稿、提请发布")) } }
            }
        }
        @if !proposed {
            @if desk.file.ends_with("/parameters.toml") { (value_form(visit, desk, errors)) }
            (piece::section(visit.t("文本"), &text_form(visit, desk, typed, errors)))
        }
        (looks)
        @if let Some(typed) = typed {
            (piece::section(visit.t("您写的与现在草稿的差别"), &diff::lines(lang, &desk.file, desk.drafted(&desk.file), typed)))
        }
        (piece::section(visit.t("与现行文本的差别"), &diff::lines(
            lang, &desk.file, desk.published(&desk.file), desk.drafted(&desk.file),
        )))
    };
    visit
        .page(lang.f("修改规则：{title}", &[("title", &title)]))
        .nav("/rules")
        .back("/rules", visit.t("规则"))
        .back(home_of(&desk.folder), title)
        .note(note)
        .errors(errors)
        .wide()
        .show(&body)
}

/// The page a folder is shown on.
fn home_of(folder: &str) -> String {
    if folder == SHARED_LETTERS {
        "/templates".to_owned()
    } else {
        format!("/rules/{folder}")
    }
}

fn file_list(visit: &Visit, desk: &Desk) -> Markup {
    html! {
        ul.plain-list {
            @for path in &desk.files {
                li {
                    a href=(visit.query.with("file", path).with("done", "").href(&desk.path()))
                        aria-current=[(*path == desk.file).then_some("page")] { code { (path) } }
                    @if desk.is_changed(path) { " " (piece::tag(visit.t("草稿有改动"))) }
                    @if desk.now.texts.get(path).is_none() { " " span.quiet { (visit.t("还没有这个文件")) } }
                }
            }
        }
    }
}

fn text_form(visit: &Visit, desk: &Desk, typed: Option<&str>, errors: &[FieldError]) -> Markup {
    let wrong = errors.iter().find(|error| error.field == "text");
    html! {
        @let template = templates::is_one(&desk.file);
        form method="post" action=(desk.path()) enctype="multipart/form-data"
            hx-post=[template.then(|| format!("/rules/{}/preview", desk.folder))]
            hx-trigger=[template.then_some("input delay:800ms, change delay:100ms")]
            hx-target=[template.then_some("#preview")] hx-swap=[template.then_some("outerHTML")] hx-sync=[template.then_some("this:replace")] {
            (form::token(visit))
            input type="hidden" name="file" value=(desk.file);
            input type="hidden" name="version" value=(desk.version());
            div class=(if wrong.is_some() { "field bad" } else { "field" }) {
                label for="text" { code { (desk.file) } }
                div.hint id="text-hint" {
                    @if template { (visit.t("保存只改草稿。边写边看下面的预览；栏目和写法见开发文档的栏目表。")) }
                    @else { (visit.t("保存只改草稿。金额写分；改标准请加一行新的日期，不要改原来的值。")) }
                }
                @if let Some(wrong) = wrong { div.wrong id="text-error" { (wrong.sentence) } }
                // A line end after the tag belongs to HTML, not to the text.
                textarea.code id="text" name="text" rows=(ROWS) spellcheck="false" wrap="off" lang="zh-CN"
                    aria-describedby="text-hint" aria-invalid=[wrong.map(|_| "true")] {
                    "\n" (typed.unwrap_or_else(|| desk.drafted(&desk.file)))
                }
            }
            @if template { (templates::choices(visit, &desk.folder, &desk.file)) }
            (form::act(visit.t("保存草稿并检查")))
        }
    }
}

fn value_form(visit: &Visit, desk: &Desk, errors: &[FieldError]) -> Markup {
    let lang = visit.lang;
    let choices: Vec<(String, String)> = parameters_in(desk.drafted(&desk.file))
        .into_iter()
        .map(|(id, what)| {
            let label = if what.is_empty() {
                id.clone()
            } else {
                format!("{what}（{id}）")
            };
            (id, label)
        })
        .collect();
    let typed = |name: &str| visit.form.get(name).to_owned();
    html! {
        section.part {
            h2 { (visit.t("新增带日期的值")) }
            form method="post" action=(format!("/rules/{}/value", desk.folder)) {
                (form::token(visit))
                input type="hidden" name="file" value=(desk.file);
                input type="hidden" name="version" value=(desk.version());
                (field(lang, "parameter", visit.t("参数")).value(&typed("parameter")).errors(errors).select(&choices))
                div.row-fields {
                    (field(lang, "from", visit.t("从哪天起")).value(&typed("from")).errors(errors).date())
                    (field(lang, "value", visit.t("值")).value(&typed("value")).errors(errors)
                        .hint(html! { (visit.t("按文件的写法：650 元写 65000；分档写 { 80 = 10000, 90 = 20000 }")) }).text())
                    (field(lang, "region", visit.t("只在这个区划")).optional().value(&typed("region")).errors(errors)
                        .hint(html! { (visit.t("区划代码；不填就是全境")) }).text())
                }
                (field(lang, "source", visit.t("来源")).value(&typed("source")).errors(errors)
                    .hint(html! { (visit.t("公布这个值的文件名称和文号，或者网址")) }).text())
                (form::lesser(visit.t("加到草稿并检查")))
            }
        }
    }
}

/// `POST /rules/{id}/edit` (保存规则草稿).
///
/// # Errors
/// [`Problem::NotFound`] for a folder or file that cannot be written here.
pub async fn post(visit: &Visit) -> Answer {
    let desk = Desk::of(visit, visit.form.get("file")).await?;
    let text = visit.form.get("text").replace("\r\n", "\n");
    keep(visit, &desk, &text, true).await
}

/// `POST /rules/{id}/value` (新增带日期的值).
///
/// # Errors
/// [`Problem::NotFound`] for a folder or file that cannot be written here.
pub async fn value(visit: &Visit) -> Answer {
    let desk = Desk::of(visit, visit.form.get("file")).await?;
    let Ok(from) = visit.form.get("from").parse() else {
        let wrong = fault("from", visit.t("请填写日期"));
        return Ok(page(visit, &desk, None, &[wrong], &html! {}));
    };
    let new = NewValue {
        parameter: visit.form.get("parameter").to_owned(),
        from,
        region: visit.form.get("region").to_owned(),
        value: visit.form.get("value").to_owned(),
        source: visit.form.get("source").to_owned(),
    };
    match with_value(desk.drafted(&desk.file), &new) {
        Ok(text) => keep(visit, &desk, &text, false).await,
        Err(refused) => {
            let at = if new.source.trim().is_empty() {
                "source"
            } else {
                "value"
            };
            let sentence = words::sentence(visit.lang, &refused.to_string());
            Ok(page(visit, &desk, None, &[fault(at, sentence)], &html! {}))
        }
    }
}

async fn keep(visit: &Visit, desk: &Desk, text: &str, typed: bool) -> Answer {
    let scope: Scope = visit.scope(Purpose::Review)?;
    // What is not a number was not this page's; then nothing was seen, and the save is refused as such.
    let seen = visit.form.get("version").parse().unwrap_or(-1);
    let (app, file) = (&visit.app, desk.file.as_str());
    match save(
        &app.db,
        &app.shelf,
        &scope,
        &desk.folder,
        (file, text),
        seen,
    )
    .await?
    {
        Ok(_) => {
            let to = crate::fields::Fields::new()
                .with("file", file)
                .with("done", "saved")
                .href(&desk.path());
            visit.go(&format!("{to}#check"))
        }
        Err(Refused::Denied(denied)) => Err(denied.into()),
        Err(refused) => {
            let sentence = words::sentence(visit.lang, &refused.to_string());
            Ok(page(
                visit,
                desk,
                typed.then_some(text),
                &[fault("text", sentence)],
                &html! {},
            ))
        }
    }
}
