//! From a simulation to a draft of the rule (以此起草): the very values that were tried, written as dated values, to be checked
//! and published by another officer as every change of a rule is.
//!
//! Guarantees: nothing is in force by it; the values are those of the simulation to the last digit. Deliberately absent:
//! publishing.

use super::simulate::{Question, question, reform_name};
use super::simulate_input::REFORMS;
use crate::fields::Fields;
use crate::parts::form::{self, field};
use crate::parts::piece;
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose};
use casework::rulebook::{NewValue, Refused, editable, list, parameters_in, save, with_value};
use maud::{Markup, html};
use policy::{Change, Kind, Parameter, Setting};

/// What leads from the answer to the draft.
pub(super) fn publish(visit: &Visit, asked: &Question<'_>) -> Markup {
    let lang = visit.lang;
    if !visit.can(Permission::WriteRules) {
        let here = visit.query.href("/simulate");
        return piece::section(
            visit.t("以此发布"),
            &html! {
                p { (visit.t("规则由规则岗起草、另一位同事复核发布。把这个网址发给规则岗，打开就是同样的数：")) }
                p { a href=(here) { code { (visit.app.config.base_url) (here) } } }
            },
        );
    }
    let day = asked.day.to_string();
    html! {
        section.part {
            h2 { (visit.t("以此发布")) }
            p { (visit.t("把试算的数写进规则草稿；检查、提请和另一位同事复核以后才施行。")) }
            @for (at, reform) in asked.reforms.iter().enumerate() {
                @let letter = REFORMS.iter().enumerate().find(|(at, _)| reform_name(visit, *at) == reform.name).map_or("a", |(_, letter)| letter);
                details.act-form open[asked.reforms.len() == 1] {
                    summary { (lang.f("以{name}起草", &[("name", &reform.name)])) }
                    form method="post" action="/simulate/draft" {
                        (form::token(visit))
                        input type="hidden" name="reform" value=(letter);
                        input type="hidden" name="reforms" value=(REFORMS.len());
                        @for (name, value) in visit.query.iter() {
                            @if name != "reforms" && name != "csrf" { input type="hidden" name=(name) value=(value); }
                        }
                        div.row-fields {
                            (field(lang, &format!("from{at}"), visit.t("从哪天起")).value(&day).date())
                            (field(lang, &format!("source{at}"), visit.t("来源")).hint(html! { (visit.t("公布这个值的文件名称和文号，或者网址")) }).text())
                        }
                        input type="hidden" name="at" value=(at);
                        (form::act(visit.t("写进规则草稿")))
                    }
                }
            }
        }
    }
}

/// A setting as the file writes it.
fn written(parameter: &Parameter, setting: &Setting) -> String {
    let one = |number: &i64| match parameter.kind {
        Kind::Bool => (*number != 0).to_string(),
        _ => number.to_string(),
    };
    let table = |pairs: Vec<String>| format!("{{ {} }}", pairs.join(", "));
    match setting {
        Setting::Single(number) => one(number),
        Setting::Steps(by) => table(
            by.iter()
                .map(|(at, number)| format!("{at} = {}", one(number)))
                .collect(),
        ),
        Setting::Codes(by) => table(
            by.iter()
                .map(|(at, number)| format!("{at:?} = {}", one(number)))
                .collect(),
        ),
    }
}

/// `POST /simulate/draft` (以此起草规则).
///
/// # Errors
/// [`Problem::Conflict`] with what the draft refuses.
pub async fn post(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Review)?;
    let asked = question(visit, &visit.form)?;
    let refuse = |sentence: String| Problem::Conflict(words::sentence(visit.lang, &sentence));
    let at = REFORMS
        .iter()
        .position(|letter| *letter == visit.form.get("reform"));
    let name = reform_name(visit, at.ok_or(Problem::NotFound)?);
    let reform = asked.reforms.iter().find(|reform| reform.name == name);
    let reform = reform.ok_or_else(|| refuse("没有改动的数；请先改一个数再起草".to_owned()))?;
    let place = visit.form.get("at");
    let from = visit.form.get(&format!("from{place}"));
    let from = from
        .parse()
        .map_err(|_| refuse(format!("“{from}”不是日期")))?;
    let source = visit.form.get(&format!("source{place}")).to_owned();
    let mut to = String::new();
    for change in &reform.changes {
        let parameter = asked
            .slots
            .iter()
            .map(|slot| slot.parameter)
            .find(|known| change.parameter == format!("{}.{}", known.folder, known.id))
            .ok_or(Problem::NotFound)?;
        let new = NewValue {
            parameter: parameter.id.clone(),
            from,
            region: String::new(),
            value: written(parameter, &change.value),
            source: source.clone(),
        };
        to = draft(visit, &scope, parameter, change, &new)
            .await?
            .map_err(|refused| refuse(refused.to_string()))?;
    }
    visit.go(&to)
}

/// Adds one value to the open draft of its folder; answers where it is edited.
async fn draft(
    visit: &Visit,
    scope: &access::Scope,
    parameter: &Parameter,
    change: &Change,
    new: &NewValue,
) -> Result<Result<String, Refused>, Problem> {
    let now = visit.app.shelf.now();
    let folder = &parameter.folder;
    let division = now.desk.book.place().division;
    let open = list::open_of(&visit.app.db, division, folder).await?;
    let text_of = |path: &String| -> String {
        open.iter()
            .flat_map(|(_, files)| files)
            .find(|one| one.path == *path && !one.made)
            .map_or_else(
                || now.texts.get(path).unwrap_or_default().to_owned(),
                |one| one.text.clone(),
            )
    };
    let files = editable(&now, folder);
    let file = files.into_iter().find(|path| {
        path.ends_with("/parameters.toml")
            && parameters_in(&text_of(path))
                .iter()
                .any(|(id, _)| *id == parameter.id)
    });
    let Some(file) = file else {
        return Ok(Err(Refused::NoFolder(change.parameter.clone())));
    };
    let text = match with_value(&text_of(&file), new) {
        Ok(text) => text,
        Err(refused) => return Ok(Err(refused)),
    };
    let seen = open.as_ref().map_or(0, |(draft, _)| draft.version);
    let app = &visit.app;
    let saved = save(&app.db, &app.shelf, scope, folder, (&file, &text), seen).await?;
    Ok(saved.map(|_| {
        let to = Fields::new()
            .with("file", &file)
            .with("done", "saved")
            .href(&format!("/rules/{folder}/edit"));
        format!("{to}#check")
    }))
}
