//! What is wrong in the demo (演示中的问题): the five frauds of the field, and what else a re-check should find, planted among
//! those in payment.
//!
//! Ghosts, one person in two places, paid after death, paid less than granted, paid on paper only; beside them a shared
//! account, two benefits that exclude each other, a new car, a company, a marriage, a move, a prison. Guarantees: the same
//! seed plants the same; what was planted is written down beside the demo, so that what is found can be compared with it;
//! nobody is planted twice; the family of the walkthrough is left alone. Deliberately absent: how it is found.

use crate::demo::accounts::Places;
use access::{Purpose, Scope};
use anyhow::{Context, bail};
use casework::Desk;
use casework::take_over::TakeOver;
use chrono::{Days, NaiveDate};
use ledger::{Entitlement, LineFilter, LineState};
use registry::accounts::{Account, AccountKind};
use registry::bulk::{BulkHousehold, BulkMember};
use registry::identities::Identity;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use store::Db;
use synth::departments::{Resident, Row, Rows, company, vehicle, yuan};
use vocab::ids::PersonId;
use vocab::{Document, IdNumber, Kinship, Money, Month, Sex, Value};

/// Entitlements read at a time.
const PORTION: u64 = 1_000;
/// The first digits of a second number of somebody: a county that does not exist.
const SECOND_COUNTY: &str = "440395";

/// What was planted (埋入的问题): by what it is, the people of each.
#[derive(Debug, Default)]
pub(crate) struct Planted(BTreeMap<&'static str, Vec<Vec<PersonId>>>);

impl Planted {
    fn note(&mut self, what: &'static str, people: Vec<PersonId>) {
        self.0.entry(what).or_default().push(people);
    }

    /// Writes it down beside the demo.
    pub(crate) fn write(&self, data: &Path) -> anyhow::Result<()> {
        let named: BTreeMap<&str, Vec<Vec<String>>> = self
            .0
            .iter()
            .map(|(what, all)| {
                let ids = |people: &Vec<PersonId>| people.iter().map(ToString::to_string).collect();
                (*what, all.iter().map(ids).collect())
            })
            .collect();
        let file = data.join("demo-planted.json");
        std::fs::write(&file, serde_json::to_string_pretty(&named)?)
            .with_context(|| format!("writing {}", file.display()))
    }
}

/// Somebody in payment.
struct Paid {
    right: Entitlement,
    people: Vec<Identity>,
}

/// Those in payment from whom victims are chosen.
struct Crowd<'a> {
    desk: &'a Desk,
    places: Places,
    paid: Vec<Paid>,
    /// By identity number.
    residents: BTreeMap<&'a str, &'a Resident>,
    used: BTreeSet<PersonId>,
}

impl<'a> Crowd<'a> {
    async fn of(
        db: &Db,
        desk: &'a Desk,
        places: &Places,
        month: Month,
        residents: &'a [Resident],
        left_alone: &str,
    ) -> anyhow::Result<Self> {
        let scope = Scope::system(places.district);
        let mut rights: Vec<Entitlement> = Vec::new();
        loop {
            let after = rights.last().map(|right| right.id);
            let some = ledger::running(db.conn(), &scope, month, after, PORTION).await?;
            if some.is_empty() {
                break;
            }
            rights.extend(some);
        }
        rights.retain(|right| right.due(month) > Money::ZERO);
        let people: BTreeSet<PersonId> = rights.iter().flat_map(Entitlement::persons).collect();
        let people: Vec<PersonId> = people.into_iter().collect();
        let mut tx = db.begin().await?;
        let known = registry::identities::identities(&mut tx, &scope, &people, "演示").await?;
        tx.commit().await?;
        let named = |right: Entitlement| Paid {
            people: right
                .persons()
                .iter()
                .filter_map(|id| known.get(id).cloned())
                .collect(),
            right,
        };
        let paid = rights.into_iter().map(named).collect();
        let used = known.values().filter(|one| one.name == left_alone);
        Ok(Self {
            desk,
            places: *places,
            used: used.map(|one| one.id).collect(),
            paid,
            residents: residents
                .iter()
                .map(|one| (one.id_no.as_str(), one))
                .collect(),
        })
    }

    /// The first so many of whom something holds, and of whom nobody was chosen before.
    fn take(&mut self, count: usize, fits: impl Fn(&Self, &Paid) -> bool) -> Vec<usize> {
        let mut chosen = Vec::new();
        // From the middle on, so that what is planted does not stand together on the first page.
        let half = self.paid.len() / 3;
        for at in (half..self.paid.len()).chain(0..half) {
            let one = &self.paid[at];
            let free = one
                .people
                .iter()
                .all(|person| !self.used.contains(&person.id));
            if chosen.len() < count && free && !one.people.is_empty() && fits(self, one) {
                self.used.extend(one.people.iter().map(|person| person.id));
                chosen.push(at);
            }
        }
        chosen
    }

    fn payee(&self, at: usize) -> anyhow::Result<&Identity> {
        let one = &self.paid[at];
        let payee = one
            .people
            .iter()
            .find(|person| person.id == one.right.payee);
        payee.context("a payee outside the district")
    }

    fn resident(&self, one: &Identity) -> Option<&Resident> {
        self.residents.get(one.number.as_str()).copied()
    }

    fn reads(&self, one: &Paid, fact: &str) -> bool {
        let programme = self.desk.programme(&one.right.programme);
        programme.is_some_and(|programme| programme.facts.iter().any(|read| read == fact))
    }

    fn local(&self, one: &Identity) -> bool {
        one.hukou
            .is_some_and(|hukou| self.places.district.holds(hukou))
    }

    /// Whether a fact of the person is a number, and which.
    fn number(&self, one: &Identity, fact: &str) -> Option<i64> {
        match self.resident(one)?.facts.get(fact)? {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }
}

/// Wrong in the register and the ledger itself: one person under two records, and one account for strangers.
pub(crate) async fn in_the_register(
    db: &Db,
    desk: &Desk,
    places: &Places,
    residents: &[Resident],
    month: Month,
    planted: &mut Planted,
) -> anyhow::Result<()> {
    let mut crowd = Crowd::of(db, desk, places, month, residents, "").await?;
    let alone = |_: &Crowd<'_>, one: &Paid| {
        one.people.len() == 1 && one.people[0].born.is_some() && one.people[0].sex == Sex::Female
    };
    // Twice the same benefit; and two benefits that exclude each other, one under each record.
    for at in crowd.take(1, alone) {
        let programme = crowd.paid[at].right.programme.clone();
        let both = second_record(db, &crowd, at, &programme).await?;
        planted.note("two_records", both);
    }
    let excluding =
        |crowd: &Crowd<'_>, one: &Paid| alone(crowd, one) && other_of(crowd, one).is_some();
    for at in crowd.take(1, excluding) {
        let other = other_of(&crowd, &crowd.paid[at]).context("chosen for it")?;
        let both = second_record(db, &crowd, at, &other).await?;
        planted.note("two_records", both.clone());
        planted.note("excluded", both);
    }
    let single = |crowd: &Crowd<'_>, one: &Paid| alone(crowd, one) || one.people.len() == 1;
    let chosen = crowd.take(5, single);
    for group in [
        &chosen[..2.min(chosen.len())],
        &chosen[2.min(chosen.len())..],
    ] {
        shared_account(db, &crowd, group, planted).await?;
    }
    Ok(())
}

/// A person's programme of one's own that this one excludes, or that excludes this one.
fn other_of(crowd: &Crowd<'_>, one: &Paid) -> Option<String> {
    let own = crowd.desk.programme(&one.right.programme)?;
    let mut all = crowd.desk.open_programmes();
    let other = all.find(|other| {
        let excluded =
            own.benefit.excludes.contains(&other.id) || other.benefit.excludes.contains(&own.id);
        excluded && other.id != own.id && other.benefit.every == policy::Every::Month
    });
    other.map(|other| other.id.clone())
}

/// Registers somebody a second time, under another number and in another community, and takes a benefit over for that record.
async fn second_record(
    db: &Db,
    crowd: &Crowd<'_>,
    at: usize,
    programme: &str,
) -> anyhow::Result<Vec<PersonId>> {
    let (paid, places) = (&crowd.paid[at], crowd.places);
    let payee = crowd.payee(at)?;
    let born = payee.born.context("chosen with a birth date")?;
    let region = if places.elsewhere.holds(payee.lives_in) {
        places.community
    } else {
        places.elsewhere
    };
    let scope = Scope {
        purpose: Purpose::Import,
        ..Scope::system(places.district)
    };
    let body = format!(
        "{SECOND_COUNTY}{}{:03}",
        born.format("%Y%m%d"),
        at % 499 * 2
    );
    let check = vocab::id_number::check_digit(&body).context("seventeen digits")?;
    let number = IdNumber::read(&format!("{body}{check}"), db.today())?;
    let document = Document::resident(&number);
    let mut tx = db.begin().await?;
    let reason = "演示：同一人两份登记";
    let accounts =
        registry::accounts::accounts_for_payment(&mut tx, &scope, &[payee.id], reason).await?;
    tx.commit().await?;
    let account = match accounts.get(&payee.id) {
        Some(account) => account.clone(),
        None => bail!("{}：演示需要有账户的人", payee.id),
    };
    let member = BulkMember {
        name: payee.name.clone(),
        document: document.clone(),
        sex: Sex::Female,
        birth_date: Some(born),
        phone: None,
        hukou: None,
        kinship: Kinship::head(),
        account: Some(account),
        facts: Vec::new(),
    };
    let household = BulkHousehold {
        roster_number: None,
        region,
        address: "老街7号".to_owned(),
        since: paid.right.from.first_day() - Days::new(200),
        members: vec![member],
        facts: Vec::new(),
    };
    registry::bulk::load(db, &scope, [household], |_| {}).await?;
    let found =
        registry::people::ids_by_document(db, &scope, std::slice::from_ref(&document)).await?;
    let (second, _) = *found.get(&document).context("just registered")?;
    let home = registry::households::household_of(db, &scope, second, db.today()).await?;
    let to_person = crowd
        .desk
        .programme(programme)
        .is_some_and(|one| one.to == policy::Unit::Person);
    let over = TakeOver {
        household: home.context("just registered")?,
        member: to_person.then_some(second),
        programme: programme.to_owned(),
        applicant: second,
        decided_on: paid.right.from.first_day() - Days::new(100),
        old_number: format!("存量〔旧〕{at}号"),
        amount: paid.right.due(paid.right.from),
        from: paid.right.from,
        covered: vec![second],
    };
    let mut tx = db.begin().await?;
    let answers = casework::take_over::take_over(&mut tx, &scope, crowd.desk, &[over]).await?;
    for answer in answers {
        if let Err(refused) = answer {
            bail!("演示的第二份登记：{refused}");
        }
    }
    tx.commit().await?;
    Ok(vec![payee.id, second])
}

/// Several strangers have their money sent to one account.
async fn shared_account(
    db: &Db,
    crowd: &Crowd<'_>,
    group: &[usize],
    planted: &mut Planted,
) -> anyhow::Result<()> {
    let Some((first, others)) = group.split_first() else {
        return Ok(());
    };
    let scope = Scope::system(crowd.places.district);
    let first = crowd.payee(*first)?;
    let mut people = vec![first.id];
    let mut tx = db.begin().await?;
    let body = format!("629998{:012}", 777_000 + group.len());
    let check = vocab::luhn::check_digit(&body).context("digits have a check digit")?;
    let number = format!("{body}{check}");
    let mut all = vec![first];
    for at in others {
        all.push(crowd.payee(*at)?);
    }
    for one in all {
        let account = Account {
            bank: "样例银行".to_owned(),
            number: number.clone(),
            holder: first.name.clone(),
            kind: AccountKind::Card,
            agreement: (one.id != first.id).then(|| "代管协议（演示）".to_owned()),
        };
        let kept = registry::accounts::set_account(&mut tx, &scope, one.id, account).await?;
        if let Err(refused) = kept {
            bail!("演示的共用账户：{refused}");
        }
        if one.id != first.id {
            people.push(one.id);
        }
    }
    tx.commit().await?;
    planted.note("shared_account", people);
    Ok(())
}

/// What the bank says was credited in a month, as the ledger has it (一卡通到账).
pub(crate) async fn credited(
    db: &Db,
    desk: &Desk,
    places: &Places,
    month: Month,
) -> anyhow::Result<Vec<Row>> {
    let scope = Scope::system(places.district);
    let filter = LineFilter {
        month: Some(month),
        state: Some(LineState::Settled),
        ..LineFilter::default()
    };
    let mut rows = Vec::new();
    loop {
        let offset = u64::try_from(rows.len())?;
        let page = ledger::lines(db, &scope, &filter, offset, 1_000).await?;
        if page.rows.is_empty() {
            return Ok(rows);
        }
        let payees: BTreeSet<PersonId> = page.rows.iter().map(|line| line.payee).collect();
        let payees: Vec<PersonId> = payees.into_iter().collect();
        let mut tx = db.begin().await?;
        let known = registry::identities::identities(&mut tx, &scope, &payees, "演示").await?;
        tx.commit().await?;
        for line in page.rows {
            let payee = known
                .get(&line.payee)
                .context("a payee outside the district")?;
            let (year, number) = month.year_month();
            rows.push(vec![
                ("id_no", payee.number.clone()),
                ("name", payee.name.clone()),
                ("month", format!("{year}{number:02}")),
                ("benefit", desk.title(&line.programme).0),
                ("amount", yuan(line.net.fen())),
                ("state", "1".to_owned()),
            ]);
        }
    }
}

/// Wrong in what departments say: who is dead, owns a car, was paid less.
#[expect(
    clippy::too_many_lines,
    reason = "one paragraph for each thing planted, in order"
)]
pub(crate) async fn in_the_deliveries(
    db: &Db,
    desk: &Desk,
    places: &Places,
    (residents, left_alone): (&[Resident], &str),
    (first_paid, today): (Month, NaiveDate),
    rows: &mut Rows,
    planted: &mut Planted,
) -> anyhow::Result<()> {
    let month = Month::of(today);
    let mut crowd = Crowd::of(db, desk, places, month, residents, left_alone).await?;
    for people in planted.0.values().flatten() {
        crowd.used.extend(people.iter().copied());
    }
    let grown = |one: &Identity| {
        one.born
            .is_some_and(|born| vocab::id_number::age(born, today) >= 22)
    };
    let ids = |crowd: &Crowd<'_>, at: usize| -> Vec<PersonId> {
        crowd.paid[at].people.iter().map(|one| one.id).collect()
    };
    let row = |one: &Identity, more: Row| -> Row {
        let own = [("id_no", one.number.clone()), ("name", one.name.clone())];
        own.into_iter().chain(more).collect()
    };
    let settled: BTreeSet<String> = rows
        .get("one_card")
        .into_iter()
        .flatten()
        .filter_map(|row| row.first().map(|(_, number)| number.clone()))
        .collect();
    // Ghosts: paid, and in nobody's books.
    let whole = |crowd: &Crowd<'_>, one: &Paid| {
        one.right.household.is_some()
            && one
                .people
                .iter()
                .all(|person| crowd.local(person) && crowd.resident(person).is_some())
    };
    for at in crowd.take(2, whole) {
        let homes: BTreeSet<usize> = crowd.paid[at]
            .people
            .iter()
            .filter_map(|one| crowd.resident(one))
            .map(|one| one.household)
            .collect();
        let gone: BTreeSet<&str> = residents
            .iter()
            .filter(|one| homes.contains(&one.household))
            .map(|one| one.id_no.as_str())
            .collect();
        for (source, rows) in rows.iter_mut() {
            let of_them = |row: &Row| {
                row.iter()
                    .any(|(id, text)| id.ends_with("id_no") && gone.contains(text.as_str()))
            };
            // Their money arrives; that is the point of inventing them.
            rows.retain(|row| *source == "one_card" || !of_them(row));
        }
        planted.note("no_trace", crowd.paid[at].right.covered.clone());
    }
    // Dead before the first month paid: two known to the police, one to the crematorium only.
    let old = |crowd: &Crowd<'_>, one: &Paid| {
        one.people.len() == 1
            && one.people[0]
                .born
                .is_some_and(|born| vocab::id_number::age(born, today) >= 60)
            && crowd.resident(&one.people[0]).is_some()
    };
    let died = first_paid.first_day() - Days::new(9);
    for (number, at) in crowd.take(3, old).into_iter().enumerate() {
        let one = crowd.payee(at)?;
        if number < 2 {
            let more = vec![
                ("died_on", died.to_string()),
                ("reported_on", (died + Days::new(4)).to_string()),
            ];
            rows.entry("death").or_default().push(row(one, more));
            planted.note("paid_after_death", ids(&crowd, at));
        } else {
            planted.note("paid_after_cremation", ids(&crowd, at));
        }
        let more = vec![
            ("died_on", died.to_string()),
            ("cremated_on", (died + Days::new(3)).to_string()),
        ];
        if number != 0 {
            rows.entry("funeral").or_default().push(row(one, more));
            if number == 1 {
                planted.note("paid_after_cremation", ids(&crowd, at));
            }
        }
    }
    // Less arrived than was granted; and nothing arrived at all.
    let got = |_: &Crowd<'_>, one: &Paid| {
        one.people.len() == 1 && settled.contains(&one.people[0].number)
    };
    let chosen = crowd.take(4, got);
    for (number, at) in chosen.into_iter().enumerate() {
        let payee = crowd.payee(at)?.number.clone();
        let cards = rows.entry("one_card").or_default();
        let of_payee = |row: &Row| {
            row.iter()
                .any(|(id, text)| *id == "id_no" && *text == payee)
        };
        match number {
            0 | 1 => {
                for row in cards.iter_mut().filter(|row| of_payee(row)) {
                    skim(row);
                }
                planted.note("skimmed", ids(&crowd, at));
            }
            2 => {
                cards.retain(|row| !of_payee(row));
                planted.note("not_credited", ids(&crowd, at));
            }
            _ => {
                for cell in cards.iter_mut().filter(|row| of_payee(row)).flatten() {
                    if cell.0 == "state" {
                        "2".clone_into(&mut cell.1);
                    }
                }
                planted.note("not_credited", ids(&crowd, at));
            }
        }
    }
    let recent = today - Days::new(20);
    // A car, a company, a prison, a marriage, a move, much money.
    let no_car = |crowd: &Crowd<'_>, one: &Paid| {
        crowd.reads(one, "vehicles")
            && grown(&one.people[0])
            && one
                .people
                .iter()
                .all(|person| crowd.number(person, "vehicles") == Some(0))
    };
    for (number, at) in (0_u64..).zip(crowd.take(3, no_car)) {
        let car = vehicle(70_000 + number, recent, 9_800_000);
        rows.entry("vehicle")
            .or_default()
            .push(row(&crowd.paid[at].people[0], car));
        planted.note("new_vehicle", vec![crowd.paid[at].people[0].id]);
    }
    let means = |crowd: &Crowd<'_>, one: &Paid| {
        crowd.reads(one, "deposits")
            && grown(&one.people[0])
            && crowd.resident(&one.people[0]).is_some()
    };
    for (number, at) in (0_u64..).zip(crowd.take(2, means)) {
        rows.entry("business").or_default().push(row(
            &crowd.paid[at].people[0],
            company(70_000 + number, recent),
        ));
        planted.note("new_company", vec![crowd.paid[at].people[0].id]);
    }
    let known = |crowd: &Crowd<'_>, one: &Paid| {
        means(crowd, one) && crowd.number(&one.people[0], "deposits").is_some()
    };
    for (number, at) in (0_u64..).zip(crowd.take(2, known)) {
        let more = vec![
            ("bank", "样例银行".to_owned()),
            ("account", format!("62999790000000{number:05}")),
            ("kind", "2".to_owned()),
            ("balance", "186000.00".to_owned()),
            ("day", today.to_string()),
            ("state", "0".to_owned()),
        ];
        rows.entry("bank")
            .or_default()
            .push(row(&crowd.paid[at].people[0], more));
        planted.note("more_deposits", vec![crowd.paid[at].people[0].id]);
    }
    let free = |crowd: &Crowd<'_>, one: &Paid| {
        let word = |person: &Identity| {
            crowd
                .resident(person)
                .and_then(|known| known.facts.get("absence"))
                .cloned()
        };
        crowd.reads(one, "absence")
            && grown(&one.people[0])
            && word(&one.people[0]) == Some(Value::Text("none".to_owned()))
    };
    for at in crowd.take(1, free) {
        let more = vec![
            ("kind", "1".to_owned()),
            ("since", recent.to_string()),
            ("until", (recent + chrono::Months::new(24)).to_string()),
            ("state", "1".to_owned()),
        ];
        rows.entry("custody")
            .or_default()
            .push(row(&crowd.paid[at].people[0], more));
        planted.note("in_custody", vec![crowd.paid[at].people[0].id]);
    }
    let unmarried = |crowd: &Crowd<'_>, one: &Paid| means(crowd, one) && one.people.len() == 1;
    for (number, at) in crowd.take(2, unmarried).into_iter().enumerate() {
        let body = format!("44039619880808{:03}", 800 + number * 2);
        let check = vocab::id_number::check_digit(&body).context("seventeen digits")?;
        let more = vec![
            ("spouse_id_no", format!("{body}{check}")),
            ("spouse_name", "外地新人".to_owned()),
            ("registered_on", recent.to_string()),
            ("certificate", format!("J990101-9{number:06}")),
            ("state", "1".to_owned()),
        ];
        rows.entry("marriage")
            .or_default()
            .push(row(&crowd.paid[at].people[0], more));
        planted.note("married_since", vec![crowd.paid[at].people[0].id]);
    }
    let here = |crowd: &Crowd<'_>, one: &Paid| {
        crowd.reads(one, "hukou")
            && one.people.len() == 1
            && crowd.local(&one.people[0])
            && crowd.resident(&one.people[0]).is_some()
    };
    for at in crowd.take(2, here) {
        let number = crowd.payee(at)?.number.clone();
        for cards in rows.entry("hukou").or_default() {
            if cards
                .iter()
                .any(|(id, text)| *id == "id_no" && *text == number)
            {
                for cell in cards.iter_mut().filter(|cell| cell.0 == "state") {
                    "2".clone_into(&mut cell.1);
                }
            }
        }
        planted.note("moved_away", ids(&crowd, at));
    }
    Ok(())
}

/// A third of what was granted stays on the way.
fn skim(row: &mut Row) {
    for (id, text) in row {
        if *id == "amount" {
            let fen: i64 = text.replace('.', "").parse().unwrap_or(0);
            *text = yuan(fen - fen / 3);
        }
    }
}
