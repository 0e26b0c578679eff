//! The one form (申请表): what all programmes need, asked once, page by page, with what is known shown beside its source.
//!
//! Drafts are kept on the server as one types ([`super::save_application`]); beside the form stands what every programme
//! says so far. Without script each page is saved by its button and the panel is as of the last saving.

use super::asked;
use crate::parts::answer::{self, Asked};
use crate::parts::form::{self, FieldError};
use crate::parts::{format, piece, reasons};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use access::{Purpose, Scope};
use casework::draft::{Answer as Given, Draft, merge};
use casework::form::{Page, Question};
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use policy::{Determination, Outcome, Unit};
use registry::facts::FROM_THE_REGISTER;
use registry::households::Household;
use std::collections::BTreeSet;
use uuid::Uuid;
use vocab::ids::PersonId;
use vocab::{DatedFact, FactSheet, Value};

/// Everything a page of the form needs.
pub(crate) struct Form {
    pub draft: Draft,
    pub home: Household,
    pub sheet: FactSheet,
    pub pages: Vec<Page>,
}

impl Form {
    /// Reads draft, household and what is known of it.
    ///
    /// # Errors
    /// [`Problem::NotFound`] outside the scope.
    pub async fn read(visit: &Visit, scope: &Scope) -> Result<Self, Problem> {
        let id: Uuid = visit.id("id")?;
        let db = &visit.app.db;
        let desk = &visit.app.desk;
        let draft = casework::draft::draft(db, scope, id)
            .await?
            .ok_or(Problem::NotFound)?;
        if draft.submitted_at.is_some() {
            return Err(Problem::Conflict(
                visit.t("这份申请已经提交，请到办件中查看").to_owned(),
            ));
        }
        let home = registry::households::household_view(db, scope, draft.household, visit.today())
            .await?
            .ok_or(Problem::NotFound)?;
        let sheet = casework::draft::prefill(db, scope, desk, draft.household)
            .await?
            .unwrap_or_default();
        let pages = casework::form::union(desk, &draft.programmes);
        Ok(Self {
            draft,
            home,
            sheet,
            pages,
        })
    }

    /// Every field that is asked now, with its page and whether it has an answer (表单字段).
    pub(crate) fn fields(&self, visit: &Visit) -> Vec<(&str, String, bool)> {
        let mut fields = Vec::new();
        for page in &self.pages {
            let asked = page
                .questions
                .iter()
                .filter(|question| !FROM_THE_REGISTER.contains(&question.fact.as_str()));
            for question in asked {
                for whose in self.asked_of(visit, question) {
                    let answers = match whose {
                        None => Some(&self.draft.answers.household),
                        Some(person) => self.draft.answers.members.get(&person),
                    };
                    let given = answers.is_some_and(|given| given.contains_key(&question.fact));
                    fields.push((page.id.as_str(), field_name(&question.fact, whose), given));
                }
            }
        }
        fields
    }

    /// The members' masked names in the order of the sheet.
    pub fn names(&self) -> Vec<String> {
        self.sheet
            .member_keys
            .iter()
            .map(|key| {
                let member = self
                    .home
                    .members
                    .iter()
                    .find(|member| member.person.id.to_string() == *key);
                member.map_or_else(String::new, |member| access::mask_name(&member.person.name))
            })
            .collect()
    }

    /// What the register knows of a fact: the value of the latest period.
    pub fn known(&self, fact: &str, whose: Option<PersonId>) -> Option<&DatedFact> {
        let record = match whose {
            None => &self.sheet.household,
            Some(person) => {
                let key = person.to_string();
                let at = self
                    .sheet
                    .member_keys
                    .iter()
                    .position(|known| *known == key)?;
                self.sheet.members.get(at)?
            }
        };
        record
            .get(fact)?
            .iter()
            .max_by_key(|value| (value.period.from, value.known_since))
    }

    /// What was answered in this draft.
    pub fn answered(&self, fact: &str, whose: Option<PersonId>) -> Option<&Given> {
        match whose {
            None => self.draft.answers.household.get(fact),
            Some(person) => self.draft.answers.members.get(&person)?.get(fact),
        }
    }

    /// Who is asked a question: the household, or the members of the age it is meant for.
    pub fn asked_of(&self, visit: &Visit, question: &Question) -> Vec<Option<PersonId>> {
        match question.of {
            Unit::Household | Unit::Organisation => vec![None],
            Unit::Person => self
                .home
                .members
                .iter()
                .filter(|member| question.asks_member(member.person.birth_date, visit.today()))
                .map(|member| Some(member.person.id))
                .collect(),
        }
    }

    /// The value that counts now: the answer of this draft, else what is known.
    fn present(&self, fact: &str, whose: Option<PersonId>) -> Option<&Value> {
        self.answered(fact, whose)
            .map(|given| &given.value)
            .or_else(|| self.known(fact, whose).map(|known| &known.value))
    }

    /// Whether a question that depends on another is to be asked.
    pub fn applies(&self, question: &Question, whose: Option<PersonId>) -> bool {
        question.when.as_ref().is_none_or(|when| {
            let value = self
                .present(&when.fact, whose)
                .or_else(|| self.present(&when.fact, None));
            value.is_some_and(|value| when.is.contains(value))
        })
    }
}

impl Form {
    /// Whether a question stands on the page: one that depends on another question of this form always does, because
    /// its answer may change before this page is sent; one that depends on what the register keeps only where it
    /// applies.
    fn shows(&self, question: &Question, whose: Option<PersonId>) -> bool {
        let asked = |fact: &str| {
            !FROM_THE_REGISTER.contains(&fact)
                && self
                    .pages
                    .iter()
                    .flat_map(|page| &page.questions)
                    .any(|other| other.fact == fact)
        };
        question.when.as_ref().is_none_or(|when| asked(&when.fact)) || self.applies(question, whose)
    }
}

/// The name of the field of a question.
pub(crate) fn field_name(fact: &str, whose: Option<PersonId>) -> String {
    match whose {
        None => format!("h.{fact}"),
        Some(person) => format!("m.{person}.{fact}"),
    }
}

pub(crate) fn asked(visit: &Visit, question: &Question) -> Asked {
    let lang = visit.lang;
    Asked {
        label: lang.pick(&question.label_zh, &question.label_en).to_owned(),
        hint: match lang {
            crate::locale::Lang::Zh => question.hint_zh.clone(),
            crate::locale::Lang::En => question.hint_en.clone(),
        },
        kind: question.kind,
        options: question
            .options
            .iter()
            .map(|(code, zh, en)| (code.clone(), lang.pick(zh, en).to_owned()))
            .collect(),
    }
}

/// The steps of the form and where they lead; the last one is checking.
pub(crate) fn steps(visit: &Visit, form: &Form) -> Vec<(String, String)> {
    let id = form.draft.id;
    form.pages
        .iter()
        .map(|page| {
            (
                visit.lang.pick(&page.title_zh, &page.title_en).to_owned(),
                format!("/drafts/{id}?step={}", page.id),
            )
        })
        .chain([(
            visit.t("核对提交").to_owned(),
            format!("/drafts/{id}/check"),
        )])
        .collect()
}

/// `GET /drafts/{id}?step=` (申请表).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn show(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Application)?;
    let form = Form::read(visit, &scope).await?;
    page(visit, &scope, &form, visit.query.get("step"), &[]).await
}

pub(crate) async fn page(
    visit: &Visit,
    scope: &Scope,
    form: &Form,
    step: &str,
    errors: &[FieldError],
) -> Answer {
    let lang = visit.lang;
    let id = form.draft.id;
    let at = form
        .pages
        .iter()
        .position(|page| page.id == step)
        .unwrap_or(0);
    let Some(asking) = form.pages.get(at) else {
        return visit.go(&format!("/drafts/{id}/check"));
    };
    let said = casework::draft::preview(&visit.app.db, scope, &visit.app.desk, id)
        .await?
        .unwrap_or_default();
    let beside = merge::beside(&visit.app.db, scope, id).await?;
    let household: Vec<&Question> = asking
        .questions
        .iter()
        .filter(|question| question.of == Unit::Household && form.shows(question, None))
        .collect();
    let personal: Vec<&Question> = asking
        .questions
        .iter()
        .filter(|question| question.of == Unit::Person)
        .collect();
    let body = html! {
        (piece::steps(lang, &steps(visit, form), at))
        @if let Some((officer, when)) = &beside {
            div.note.warn {
                (lang.f("{officer} 在 {time} 也改过这份申请，可能还在填。两人改到同一项时，保存时会请您选择。", &[
                    ("officer", officer), ("time", &format::clock_time(*when)),
                ]))
            }
        }
        div.columns {
            form.card method="post" action=(format!("/drafts/{id}")) data-draft=""
                hx-post=(format!("/drafts/{id}/save")) hx-trigger="input delay:1500ms, change delay:200ms, save"
                hx-target="#preview" hx-swap="innerMorph" hx-sync="this:replace" {
                (form::token(visit))
                (version(&form.draft))
                input type="hidden" name="step" value=(asking.id);
                div.offline data-offline="" hidden { (visit.t("网络断了。填的内容还在，恢复后自动保存。")) }
                @if at == 0 { (asked::fieldset(visit, form, &said, errors)) }
                @for question in &household { (one_question(visit, form, question, None, errors)) }
                @for member in &form.home.members {
                    @let whose = Some(member.person.id);
                    @let mine: Vec<&&Question> = personal.iter()
                        .filter(|question| form.asked_of(visit, question).contains(&whose) && form.shows(question, whose)).collect();
                    @if !mine.is_empty() {
                        section.member {
                            h3 {
                                (member.person.name) " "
                                span.quiet { (lang.pick(member.kinship.name_zh(), member.kinship.name_en())) }
                            }
                            @for question in mine { (one_question(visit, form, question, whose, errors)) }
                        }
                    }
                }
                div.buttons {
                    button.primary type="submit" name="go" value="next" { (visit.t("保存并继续")) }
                    button type="submit" name="go" value="stay" { (visit.t("保存草稿")) }
                    @if at > 0 { button.plain type="submit" name="go" value="back" { (visit.t("上一步")) } }
                    (saved(visit, form.draft.saved_at, None))
                }
            }
            aside.card.aside #preview aria-live="polite" { (preview(visit, form, &said)) }
        }
    };
    let title = title(visit, form);
    let merged = (visit.query.get("merged") == "1")
        .then(|| html! { (visit.t("同事同时改了别的内容，已与您填的合在一起保存。")) });
    Ok(visit
        .page(title)
        .nav("/drafts")
        .wide()
        .note(merged)
        .errors(errors)
        .show(&body))
}

/// Whose application this is, in the title.
pub(crate) fn title(visit: &Visit, form: &Form) -> String {
    let head = form
        .home
        .members
        .iter()
        .find(|member| Some(member.person.id) == form.home.head);
    let name = head
        .or(form.home.members.first())
        .map_or("", |member| &member.person.name);
    visit.lang.f(
        "申请：{name} 一家 {count} 人",
        &[("name", &name), ("count", &form.home.members.len())],
    )
}

/// The version this page was read at; replaced after each autosave.
fn version(draft: &Draft) -> Markup {
    html! { input #version type="hidden" name="version" value=(draft.version); }
}

/// One question, with what is known of it.
fn one_question(
    visit: &Visit,
    form: &Form,
    question: &Question,
    whose: Option<PersonId>,
    errors: &[FieldError],
) -> Markup {
    let lang = visit.lang;
    let name = field_name(&question.fact, whose);
    let asked = asked(visit, question);
    let wrong = errors.iter().any(|error| error.field == name);
    let typed = if wrong {
        visit.form.get(&name).to_owned()
    } else {
        String::new()
    };
    let answered = form.answered(&question.fact, whose);
    let value = if wrong {
        typed
    } else {
        answered.map_or_else(String::new, |given| {
            answer::typed(question.kind, &given.value)
        })
    };
    let known = form
        .known(&question.fact, whose)
        .filter(|_| question.prefill);
    let depends = question.when.as_ref().map(|when| {
        let of = form
            .pages
            .iter()
            .flat_map(|page| &page.questions)
            .find(|other| other.fact == when.fact);
        let whose = of.filter(|other| other.of == Unit::Person).and(whose);
        let values: Vec<String> = when
            .is
            .iter()
            .map(|value| answer::typed(of.map_or(question.kind, |o| o.kind), value))
            .collect();
        (field_name(&when.fact, whose), values.join(" "))
    });
    let kept = FROM_THE_REGISTER.contains(&question.fact.as_str());
    let known_typed = known.map(|known| answer::typed(question.kind, &known.value));
    html! {
        div data-name=(name) data-known=[known_typed] data-when=[depends.as_ref().map(|(name, _)| name)]
            data-is=[depends.as_ref().map(|(_, values)| values)] {
            @match known.filter(|_| kept || answered.is_none() && !wrong) {
                Some(known) => {
                    div.field {
                        div.facts-line { strong { (asked.label) } " " (answer::shown_at(visit, &asked, &known.value)) }
                        div.known {
                            (lang.f("来源 {source}", &[("source", &known.source)])) " "
                            (super::facts::period(visit, &known.period))
                        }
                        @if kept { (in_the_register(visit, form, whose)) }
                        @else {
                            details {
                                summary { (visit.t("不对？更正")) }
                                (answer::ask(lang, &name, &asked, "", errors, &html! {}))
                            }
                        }
                    }
                }
                None if kept => {
                    div.field {
                        div.facts-line { strong { (asked.label) } " " (visit.t("未知")) }
                        (in_the_register(visit, form, whose))
                    }
                }
                None => (answer::ask(lang, &name, &asked, &value, errors, &html! {
                    @if let Some(known) = known {
                        div.known {
                            (lang.f("登记的是 {value}（{source}）", &[
                                ("value", &answer::shown_at(visit, &asked, &known.value)), ("source", &known.source),
                            ]))
                        }
                    }
                })),
            }
        }
    }
}

/// What the register itself keeps is mended there, so that it is mended for everybody.
fn in_the_register(visit: &Visit, form: &Form, whose: Option<PersonId>) -> Markup {
    let to = whose.map_or_else(
        || format!("/households/{}", form.home.id),
        |id| format!("/people/{id}"),
    );
    html! { div.known { a href=(to) { (visit.t("不对？到登记信息中更正")) } } }
}

/// The panel beside the form: what every programme says so far (现在看来可以享受).
pub(crate) fn preview(visit: &Visit, form: &Form, said: &[Determination]) -> Markup {
    let names = &form.names();
    let chosen =
        |determination: &&Determination| form.draft.programmes.contains(&determination.programme);
    let missing: BTreeSet<(&str, Option<usize>)> = said
        .iter()
        .filter(chosen)
        .flat_map(|determination| &determination.missing)
        .map(|fact| (fact.fact.as_str(), fact.member))
        .collect();
    let order = |outcome: Outcome| match outcome {
        Outcome::Met => 0,
        Outcome::ToVerify => 1,
        Outcome::NotMet => 2,
    };
    // Of what was not asked about, only what the family would get is worth a line.
    let mut sorted: Vec<&Determination> = said
        .iter()
        .filter(|found| chosen(found) || found.outcome == Outcome::Met && open(visit, found))
        .collect();
    sorted.sort_by_key(|determination| order(determination.outcome));
    // Of several members who get nothing from a programme, one line is enough.
    let mut lines: Vec<(&Determination, Vec<usize>)> = Vec::new();
    for determination in sorted {
        let same = lines.iter_mut().find(|(first, _)| {
            first.programme == determination.programme
                && first.outcome == Outcome::NotMet
                && determination.outcome == Outcome::NotMet
        });
        match same {
            Some((_, who)) => who.extend(determination.member),
            None => lines.push((determination, determination.member.into_iter().collect())),
        }
    }
    html! {
        h2 { (visit.t("现在看来可以享受")) }
        ul.answers { @for (determination, who) in &lines { (reasons::brief(visit, determination, who, names)) } }
        @if missing.is_empty() {
            p.quiet { (visit.t("需要的事实都有了。")) }
        } @else {
            p.quiet { (visit.lang.f("还差 {count} 项就能全部判断。", &[("count", &missing.len())])) }
        }
    }
}

/// Whether a programme can be applied for here.
fn open(visit: &Visit, found: &Determination) -> bool {
    visit.app.desk.procedure(&found.programme).is_some()
}

/// When the draft was last saved, by the clock of the house (已保存); the autosave sends it again to take its own place.
pub(crate) fn saved(visit: &Visit, at: DateTime<Utc>, swap: Option<&str>) -> Markup {
    html! {
        span.saved #saved data-saved="" role="status" hx-swap-oob=[swap] {
            (visit.lang.f("已保存 {time}", &[("time", &format::clock_time(at))]))
        }
    }
}
