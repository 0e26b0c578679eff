//! Saving a page of the one form (保存申请表): by its button, or by itself while one types.
//!
//! Guarantees: what two people changed apart is put together; what both changed is shown side by side
//! ([`super::draft_conflict`]) before anything is saved; a wrong answer is kept in its field and explained. Saving by
//! itself never puts together: the page would not show what came in.

use super::application::{Form, field_name, page, preview, saved, steps};
use super::{asked, draft_conflict};
use crate::parts::form::{FieldError, fault};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Purpose, Scope};
use axum::response::IntoResponse;
use casework::draft::merge::{self, merge_programmes};
use casework::draft::{Answer as Given, Answers, Draft, Refused};
use casework::form::read_answer;
use maud::html;
use registry::facts::FROM_THE_REGISTER;

/// How often a saving that was overtaken is tried again.
const TRIES: usize = 5;

/// Reads the answers of one page into the draft's; what is wrong is left as it was.
pub(super) fn take(visit: &Visit, form: &Form, step: &str) -> (Answers, Vec<FieldError>) {
    let mut answers = form.draft.answers.clone();
    let mut wrong = Vec::new();
    let Some(page) = form.pages.iter().find(|page| page.id == step) else {
        return (answers, wrong);
    };
    for question in &page.questions {
        let options: Vec<String> = question
            .options
            .iter()
            .map(|(code, _, _)| code.clone())
            .collect();
        if FROM_THE_REGISTER.contains(&question.fact.as_str()) {
            continue;
        }
        for whose in form.asked_of(visit, question) {
            let name = field_name(&question.fact, whose);
            if !visit.form.has(&name)
                && question.kind != policy::Kind::Bool
                && question.options.is_empty()
            {
                continue;
            }
            match read_answer(question.kind, &options, visit.form.get(&name)) {
                Ok(value) => {
                    let into = match whose {
                        None => &mut answers.household,
                        Some(person) => answers.members.entry(person).or_default(),
                    };
                    match value {
                        Some(value) => {
                            let before = into
                                .get(&question.fact)
                                .filter(|given| given.value == value)
                                .cloned();
                            into.insert(
                                question.fact.clone(),
                                before.unwrap_or_else(|| Given::declared(value)),
                            );
                        }
                        None => {
                            into.remove(&question.fact);
                        }
                    }
                }
                Err(not) => wrong.push(fault(name, words::sentence(visit.lang, &not.to_string()))),
            }
        }
    }
    // An answer to a question that no longer applies is taken back, so that nobody is judged by it unseen.
    let mut after = Form {
        draft: Draft {
            answers,
            ..form.draft.clone()
        },
        home: form.home.clone(),
        sheet: form.sheet.clone(),
        pages: Vec::new(),
    };
    for question in page
        .questions
        .iter()
        .filter(|question| question.when.is_some())
    {
        for whose in form.asked_of(visit, question) {
            if !after.applies(question, whose) {
                match whose {
                    None => after.draft.answers.household.remove(&question.fact),
                    Some(person) => after
                        .draft
                        .answers
                        .members
                        .get_mut(&person)
                        .and_then(|mine| mine.remove(&question.fact)),
                };
            }
        }
    }
    (after.draft.answers, wrong)
}

/// Saves answers over a version.
async fn keep(
    visit: &Visit,
    scope: &Scope,
    form: &Form,
    read_at: i64,
    programmes: Vec<String>,
    answers: &Answers,
) -> Result<Result<i64, Refused>, Problem> {
    let mut tx = visit.app.db.begin().await?;
    let saved = casework::draft::save_draft(
        &mut tx,
        scope,
        &visit.app.desk,
        form.draft.id,
        read_at,
        programmes,
        answers,
    )
    .await?;
    match &saved {
        Ok(_) => tx.commit().await?,
        Err(_) => tx.rollback().await?,
    }
    Ok(saved)
}

/// What this page brings, put together with what others saved since it was opened.
struct Brought {
    answers: Answers,
    programmes: Vec<String>,
    wrong: Vec<FieldError>,
    merged: bool,
}

/// Reads the page; `Err` is the page that shows what both changed.
async fn brought(
    visit: &Visit,
    form: &Form,
    step: &str,
) -> Result<Result<Brought, axum::response::Response>, Problem> {
    let read_at: i64 = visit.form.get("version").parse().unwrap_or(0);
    if read_at >= form.draft.version {
        let (answers, wrong) = take(visit, form, step);
        return Ok(Ok(Brought {
            answers,
            programmes: asked::after(visit, form),
            wrong,
            merged: false,
        }));
    }
    let since = merge::since(&visit.app.db, &form.draft, read_at).await?;
    // The page as it was opened: only so is seen what was changed on it.
    let opened = Form {
        draft: Draft {
            answers: since.base.clone(),
            programmes: since.base_programmes.clone(),
            ..form.draft.clone()
        },
        home: form.home.clone(),
        sheet: form.sheet.clone(),
        pages: casework::form::union(&visit.app.desk, &since.base_programmes),
    };
    let (mine, wrong) = take(visit, &opened, step);
    let together = merge::merge(&mine, &form.draft.answers, &since);
    let unread = since
        .changes
        .iter()
        .filter(|change| {
            let name = field_name(&change.place.1, change.place.0);
            wrong.iter().any(|error| error.field == name)
        })
        .cloned();
    let differing: Vec<merge::Change> = together
        .conflicts
        .into_iter()
        .map(|conflict| conflict.theirs)
        .chain(unread)
        .collect();
    if !differing.is_empty() {
        let page = draft_conflict::page(visit, form, step, &differing, &since.changes);
        return Ok(Err(page));
    }
    let mine = asked::after(visit, &opened);
    Ok(Ok(Brought {
        answers: together.answers,
        programmes: merge_programmes(&mine, &form.draft.programmes, &since.base_programmes),
        wrong,
        merged: !since.changes.is_empty() || since.base_programmes != form.draft.programmes,
    }))
}

/// `POST /drafts/{id}` (保存并继续).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn post(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Application)?;
    let step = visit.form.get("step").to_owned();
    for tried in 1..=TRIES {
        let mut form = Form::read(visit, &scope).await?;
        let mut brought = match brought(visit, &form, &step).await? {
            Ok(brought) => brought,
            Err(differing) => return Ok(differing),
        };
        if brought.programmes.is_empty() {
            let none = visit.t("请至少选择一个要申请的事项");
            brought.wrong.push(fault(asked::FIELD, none));
            return page(visit, &scope, &form, &step, &brought.wrong).await;
        }
        let read_at = form.draft.version;
        let programmes = brought.programmes.clone();
        let saved = keep(visit, &scope, &form, read_at, programmes, &brought.answers).await?;
        match saved {
            Ok(version) => {
                form.draft.version = version;
                form.draft.answers = brought.answers;
                form.pages = casework::form::union(&visit.app.desk, &brought.programmes);
                form.draft.programmes = brought.programmes;
                form.draft.saved_at = visit.app.db.now();
            }
            // Somebody was faster between reading and saving: once more, over what he saved.
            Err(Refused::Changed { .. }) if tried < TRIES => continue,
            Err(refused) => {
                let sentence = visit
                    .lang
                    .pick(&refused.to_string(), &refused.en())
                    .to_owned();
                return page(visit, &scope, &form, &step, &[fault("", sentence)]).await;
            }
        }
        if !brought.wrong.is_empty() {
            return page(visit, &scope, &form, &step, &brought.wrong).await;
        }
        return go_on(visit, &form, &step, brought.merged);
    }
    Err(Problem::TooSlow)
}

/// To the page the button named.
fn go_on(visit: &Visit, form: &Form, step: &str, merged: bool) -> Answer {
    let at = form
        .pages
        .iter()
        .position(|page| page.id == step)
        .unwrap_or(0);
    let steps = steps(visit, form);
    let to = match visit.form.get("go") {
        "stay" => at,
        "back" => at.saturating_sub(1),
        _ => at + 1,
    };
    let href = steps.get(to).map_or("/drafts", |(_, href)| href.as_str());
    if merged {
        let joint = if href.contains('?') { '&' } else { '?' };
        return visit.go(&format!("{href}{joint}merged=1"));
    }
    visit.go(href)
}

/// `POST /drafts/{id}/save` (自动保存): answers with the panel, and with the version for the next saving.
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn autosave(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Application)?;
    let form = Form::read(visit, &scope).await?;
    let (answers, _) = take(visit, &form, visit.form.get("step"));
    if asked::after(visit, &form).is_empty() {
        let sentence = visit.t("请至少选择一个要申请的事项");
        return Err(Problem::Conflict(sentence.to_owned()));
    }
    let read_at: i64 = visit.form.get("version").parse().unwrap_or(0);
    let programmes = asked::after(visit, &form);
    let version = match keep(visit, &scope, &form, read_at, programmes, &answers).await? {
        Ok(version) => version,
        Err(refused) => {
            return Err(Problem::Conflict(
                visit
                    .lang
                    .pick(&refused.to_string(), &refused.en())
                    .to_owned(),
            ));
        }
    };
    let said = casework::draft::preview(&visit.app.db, &scope, &visit.app.desk, form.draft.id)
        .await?
        .unwrap_or_default();
    let piece = html! {
        (preview(visit, &form, &said))
        input #version type="hidden" name="version" value=(version) hx-swap-oob="true";
        (saved(visit, visit.app.db.now(), Some("true")))
    };
    Ok(piece.into_response())
}
