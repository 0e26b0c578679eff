//! The demo's people (演示居民): a seeded population, and one family that guides and journeys tell of.
//!
//! Guarantees: everybody is invented; identity numbers pass their check but were never issued to anybody.
//! Deliberately absent: who is entitled to what. The rule book says it, for these people as for real ones.

use crate::demo::accounts::Places;
use crate::terminal::say;
use access::Scope;
use anyhow::{Context, bail};
use casework::Desk;
use chrono::NaiveDate;
use registry::accounts::{Account, AccountKind};
use registry::bulk::{BulkHousehold, BulkMember};
use registry::places::PlaceRow;
use store::Db;
use synth::departments::Resident;
use vocab::{DatedFact, Document, IdNumber, Kinship, Month, Period, Region, Sex, Value};

/// Names of the family of the walkthrough (讲解用的一家人); the guides and journeys look for them.
pub(crate) const WIDOW: &str = "梁秀兰";

/// The number of the husband she buried (亡夫的身份证号), who is in no register but the departments'.
pub(crate) fn husbands_number(region: Region, today: NaiveDate) -> anyhow::Result<String> {
    let born = today - chrono::Months::new(76 * 12);
    let document = document(region, born, Sex::Male, 9, today)?;
    Ok(document.number().to_owned())
}

/// Places and people come in; answers what departments know of them, the family of the walkthrough first.
pub(crate) async fn settle(
    db: &Db,
    desk: &Desk,
    places: &Places,
    people: u32,
    seed: u64,
    today: NaiveDate,
) -> anyhow::Result<Vec<Resident>> {
    load_places(db, desk).await?;
    let scope = Scope::system(places.district);
    let communities = communities(desk, places);
    let share = usize::try_from(people).context("more people than this machine can count")?;
    let mut cards = 0;
    let district: anyhow::Result<Vec<BulkHousehold>> =
        synth::District::new(seed, share, &communities, db.today())
            .map(|household| bulk(household, &mut cards))
            .collect();
    let mut households = vec![widows_family(places.community, today)?];
    households.extend(district?);
    let known = households
        .iter()
        .enumerate()
        .flat_map(|(number, one)| crate::demo::deliveries::residents(one, number, places.district));
    let known = known.collect();
    let loaded = registry::bulk::load(db, &scope, households, |loaded| {
        say(&format!(
            "  已登记 {} 人 (people registered)",
            loaded.people
        ));
    })
    .await?;
    say(&format!(
        "  {} 户、{} 人、{} 条事实 (households, people, facts)",
        loaded.households, loaded.people, loaded.facts
    ));
    Ok(known)
}

async fn load_places(db: &Db, desk: &Desk) -> anyhow::Result<()> {
    let rows: Vec<PlaceRow> = desk
        .book
        .place()
        .regions
        .iter()
        .map(|region| PlaceRow {
            code: region.code,
            name_zh: region.name_zh.clone(),
            name_en: Some(region.name_en.clone()),
            parent: region.parent,
            from: region.from,
            until: region.until,
        })
        .collect();
    let mut tx = db.begin().await?;
    registry::places::load_places(&mut tx, &rows).await?;
    tx.commit().await
}

/// Communities: places that no other place lies in. The tour's community stands twice as often, so its window has work.
fn communities(desk: &Desk, places: &Places) -> Vec<Region> {
    let regions = &desk.book.place().regions;
    let has_children = |code: Region| {
        regions
            .iter()
            .any(|other| other.code != code && other.code.parent() == Some(code))
    };
    let inside = |code: &Region| *code != places.district && places.district.holds(*code);
    let mut communities: Vec<Region> = regions
        .iter()
        .map(|region| region.code)
        .filter(inside)
        .collect();
    communities.retain(|code| !has_children(*code));
    communities.extend([places.community; 3]);
    communities.extend([places.elsewhere; 2]);
    communities
}

/// Households as the register takes them; `cards` counts the cards given out.
fn bulk(household: synth::Household, cards: &mut u64) -> anyhow::Result<BulkHousehold> {
    let members: anyhow::Result<Vec<BulkMember>> = household
        .members
        .into_iter()
        .map(|one| member(one, household.since, cards))
        .collect();
    Ok(BulkHousehold {
        roster_number: Some(household.number),
        region: household.region,
        address: household.address,
        since: household.since,
        members: members?,
        facts: household.facts.into_iter().map(fact).collect(),
    })
}

fn member(member: synth::Member, on: NaiveDate, cards: &mut u64) -> anyhow::Result<BulkMember> {
    let mut numbers = member.account;
    if numbers.is_none() && vocab::id_number::age(member.birth_date, on) >= 18 {
        // Nearly every grown-up has an account somewhere; the few without keep the pay run's reasons in sight.
        *cards += 1;
        if !cards.is_multiple_of(16) {
            numbers = Some(("样例银行".to_owned(), card(*cards)?));
        }
    }
    let account = numbers.map(|(bank, number)| Account {
        kind: AccountKind::guess(&number),
        bank,
        number,
        holder: member.name.clone(),
        agreement: None,
    });
    Ok(BulkMember {
        account,
        name: member.name,
        document: member.document,
        sex: member.sex,
        birth_date: Some(member.birth_date),
        phone: member.phone,
        hukou: Some(member.hukou),
        kinship: member.kinship,
        facts: member.facts.into_iter().map(fact).collect(),
    })
}

fn fact(fact: synth::Fact) -> (String, DatedFact) {
    let period = fact.from.map_or(Period::ALWAYS, Period::since);
    (
        fact.id.to_owned(),
        DatedFact {
            period,
            source: fact.source.to_owned(),
            ..DatedFact::plain(fact.value)
        },
    )
}

/// A widow of 72 with two grandchildren (讲解用的一家人): everything is known of them but her deposits.
fn widows_family(region: Region, today: NaiveDate) -> anyhow::Result<BulkHousehold> {
    let widow = known(
        family_member(WIDOW, "02", Sex::Female, (today, 72), region, 1)?,
        &[
            ("study", text("none"), "本人申报"),
            ("cannot_live_independently", Value::Bool(false), "入户调查"),
        ],
    );
    let widow = BulkMember {
        phone: Some("17000009001".to_owned()),
        account: Some(Account {
            bank: "样例银行".to_owned(),
            number: card(900_001)?,
            holder: WIDOW.to_owned(),
            kind: AccountKind::Card,
            agreement: None,
        }),
        ..widow
    };
    let elder = known(
        family_member("宋小禾", "42", Sex::Female, (today, 14), region, 2)?,
        &[
            ("study", text("school"), "教育部门学籍"),
            ("legal_duty", Value::Bool(true), "户籍登记"),
            ("deposits", Value::Int(0), "银行"),
        ],
    );
    let younger = known(
        family_member("宋小麦", "41", Sex::Male, (today, 9), region, 3)?,
        &[
            ("study", text("school"), "教育部门学籍"),
            ("legal_duty", Value::Bool(true), "户籍登记"),
            ("deposits", Value::Int(0), "银行"),
        ],
    );
    let since = Month::of(today).first_day() - chrono::Months::new(40);
    Ok(BulkHousehold {
        roster_number: None,
        region,
        address: "12栋304室".to_owned(),
        since,
        members: vec![widow, elder, younger],
        facts: vec![("houses".to_owned(), said(Value::Int(1), "不动产登记"))],
    })
}

/// What is known of each of the family, before what differs.
fn known(member: BulkMember, more: &[(&str, Value, &str)]) -> BulkMember {
    let common = [
        ("absence", text("none"), "公安"),
        ("in_tekun", Value::Bool(false), "特困人员名册"),
        ("disability_level", text("none"), "残联"),
        ("major_illness", Value::Bool(false), "医保"),
        ("long_term_co_residence", Value::Bool(true), "入户调查"),
        ("income_statement_complete", Value::Bool(true), "本人承诺书"),
        ("securities", Value::Int(0), "证券登记"),
        ("vehicles", Value::Int(0), "交警"),
    ];
    let facts = common.iter().chain(more);
    let facts = facts
        .map(|(id, value, source)| ((*id).to_owned(), said(value.clone(), source)))
        .collect();
    BulkMember { facts, ..member }
}

fn family_member(
    name: &str,
    kinship: &str,
    sex: Sex,
    (today, age): (NaiveDate, u32),
    region: Region,
    number: u32,
) -> anyhow::Result<BulkMember> {
    // Half a year past the birthday, so that nobody changes age while a journey moves the clock.
    let birth_date = today - chrono::Months::new(age * 12 + 6);
    Ok(BulkMember {
        name: name.to_owned(),
        document: document(region, birth_date, sex, number, today)?,
        sex,
        birth_date: Some(birth_date),
        phone: None,
        hukou: Some(region),
        kinship: Kinship::read(kinship)?,
        account: None,
        facts: Vec::new(),
    })
}

/// A number that was never issued: no county has 90 for its last two digits.
fn document(
    region: Region,
    born: NaiveDate,
    sex: Sex,
    number: u32,
    today: NaiveDate,
) -> anyhow::Result<Document> {
    let prefecture: String = region.to_string().chars().take(4).collect();
    let sequence = number * 2 + u32::from(sex == Sex::Male);
    let body = format!("{prefecture}90{}{sequence:03}", born.format("%Y%m%d"));
    let check =
        vocab::id_number::check_digit(&body).context("seventeen digits have a check digit")?;
    match IdNumber::read(&format!("{body}{check}"), today) {
        Ok(id) => Ok(Document::resident(&id)),
        Err(fault) => bail!("演示人员的证件号：{fault}"),
    }
}

/// A card number no bank has given out.
fn card(number: u64) -> anyhow::Result<String> {
    let body = format!("629998{number:012}");
    let check = vocab::luhn::check_digit(&body).context("digits have a check digit")?;
    Ok(format!("{body}{check}"))
}

fn said(value: Value, source: &str) -> DatedFact {
    DatedFact {
        source: source.to_owned(),
        ..DatedFact::plain(value)
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widows_family_has_three_members_and_one_open_question() {
        let today = NaiveDate::from_ymd_opt(2026, 6, 1).unwrap();
        let family = widows_family("990101001001".parse().unwrap(), today).unwrap();
        assert_eq!(family.members.len(), 3);
        let ages: Vec<u32> = family
            .members
            .iter()
            .map(|member| vocab::id_number::age(member.birth_date.unwrap(), today))
            .collect();
        assert_eq!(ages, [72, 14, 9]);
        let knows = |member: &BulkMember| member.facts.iter().any(|(id, _)| id == "deposits");
        assert!(
            !knows(&family.members[0]) && knows(&family.members[1]) && knows(&family.members[2])
        );
    }
}
