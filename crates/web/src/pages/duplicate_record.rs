//! One of the two records of a pair with what it holds (一条记录及其所有): household, account, facts, benefits in payment, cases.
//!
//! Deliberately absent: the two beside each other with what to do; that is [`super::duplicate`].

use crate::parts::format;
use crate::parts::side_by_side::{Line, line};
use crate::problem::Problem;
use crate::visit::Visit;
use access::{Permission, Purpose, Scope};
use casework::list::CaseFilter;
use casework::same_person;
use chrono::NaiveDate;
use registry::Subject;
use registry::merging::Differing;
use registry::people::Person;
use vocab::Month;
use vocab::ids::PersonId;

/// A record with what it holds.
pub(super) struct Whole {
    pub(super) person: Person,
    account: String,
    home: Option<String>,
    facts: Option<usize>,
    pub(super) paid: usize,
    /// None where the visitor's roles do not see cases: that is not the same as none.
    cases: Option<u64>,
}

/// Reads a record with what it holds; the look is journalled.
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub(super) async fn whole(visit: &Visit, scope: &Scope, id: PersonId) -> Result<Whole, Problem> {
    let db = &visit.app.db;
    let person = registry::person(db, scope, id)
        .await?
        .ok_or(Problem::NotFound)?;
    let account = registry::accounts::account_of(db, scope, id).await?;
    let home = registry::households::household_of(db, scope, id, visit.today()).await?;
    let home = match home {
        Some(home) => registry::households::household_view(db, scope, home, visit.today()).await?,
        None => None,
    };
    let history = registry::facts::history(db, scope, Subject::Person(id)).await?;
    let paid = same_person::paid(db, scope, &[id], Month::of(visit.today())).await?;
    let filter = CaseFilter {
        person: Some(id),
        ..CaseFilter::default()
    };
    let cases = match visit.scope_for(Permission::SeeCases, Purpose::Review) {
        Ok(scope) => Some(casework::list::count(db, &scope, &filter).await?),
        Err(_) => None,
    };
    Ok(Whole {
        account: account.map_or_else(String::new, |one| {
            format!("{} {}", one.bank, one.number_masked)
        }),
        home: home.map(|home| format!("{}（{}）", home.number, home.members.len())),
        facts: history.map(|rows| rows.len()),
        paid: paid.len(),
        cases,
        person,
    })
}

/// Two records line by line, marked where what is registered differs.
pub(super) fn lines(visit: &Visit, a: &Whole, b: &Whole, differ: Differing) -> Vec<Line> {
    let lang = visit.lang;
    let day = |day: Option<NaiveDate>| day.map(format::date).unwrap_or_default();
    let (x, y) = (&a.person, &b.person);
    let kind = |one: &Person| {
        lang.pick(one.document_kind.name_zh(), one.document_kind.name_en())
            .to_owned()
    };
    let sex = |one: &Person| lang.pick(one.sex.name_zh(), one.sex.name_en()).to_owned();
    let hukou = |one: &Person| {
        one.hukou
            .map(|region| visit.place(region))
            .unwrap_or_default()
    };
    let phone = |one: &Person| one.phone_masked.clone().unwrap_or_default();
    let count = |label, left: String, right: String| Line {
        differs: false,
        ..line(label, left, right)
    };
    let seen = |number: Option<u64>| {
        number.map_or_else(
            || visit.t("您的岗位看不到").to_owned(),
            |number| number.to_string(),
        )
    };
    let facts = |one: &Whole| seen(one.facts.and_then(|count| u64::try_from(count).ok()));
    vec![
        line(visit.t("姓名"), &x.name, &y.name),
        line(visit.t("证件类型"), kind(x), kind(y)),
        line(visit.t("证件号码"), &x.document_masked, &y.document_masked),
        line(visit.t("性别"), sex(x), sex(y)),
        line(visit.t("出生日期"), day(x.birth_date), day(y.birth_date)),
        Line {
            differs: differ.phone,
            ..line(visit.t("手机"), phone(x), phone(y))
        },
        line(visit.t("户籍地"), hukou(x), hukou(y)),
        line(
            visit.t("居住社区"),
            visit.place(x.lives_in),
            visit.place(y.lives_in),
        ),
        line(visit.t("住址"), &x.address, &y.address),
        line(visit.t("死亡日期"), day(x.died_on), day(y.died_on)),
        line(visit.t("银行账户"), &a.account, &b.account),
        line(
            visit.t("所在家庭（人数）"),
            a.home.clone().unwrap_or_default(),
            b.home.clone().unwrap_or_default(),
        ),
        count(
            visit.t("登记时间"),
            format::instant(x.registered_at),
            format::instant(y.registered_at),
        ),
        count(visit.t("已录事实"), facts(a), facts(b)),
        count(visit.t("在发待遇"), a.paid.to_string(), b.paid.to_string()),
        count(visit.t("办件"), seen(a.cases), seen(b.cases)),
    ]
}
