//! What is wrong in the demo (演示中的问题): the five frauds of the field, and what else a re-check should find, planted among
//! those in payment.
//!
//! Ghosts, one person in two places, paid after death, paid less than granted, paid on paper only; beside them a shared
//! account, two benefits that exclude each other, a new car, a company, a marriage, a move, a prison. Guarantees: the same
//! seed plants the same; what was planted is written down beside the demo, so that what is found can be compared with it;
//! nobody is planted twice; the family of the walkthrough is left alone. Deliberately absent: how it is found.

use crate::demo::accounts::Places;
use crate::demo::crowd::{Crowd, Paid};
use access::{Purpose, Scope};
use anyhow::{Context, bail};
use casework::Desk;
use casework::take_over::TakeOver;
use chrono::{Days, NaiveDate};
use ledger::{LineFilter, LineState};
use registry::accounts::{Account, AccountKind};
use registry::bulk::{BulkHousehold, BulkMember};
use registry::identities::{Ground, Identity};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use store::Db;
use synth::departments::{Resident, Row, Rows, company, vehicle, yuan};
use vocab::ids::PersonId;
use vocab::{Document, IdNumber, Kinship, Money, Month, Sex, Value};

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
        let known =
            registry::identities::identities(&mut tx, &scope, &payees, Ground::Paid, "演示")
                .await?;
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
    let mut planting = Planting {
        crowd,
        residents,
        rows,
        planted,
        today,
    };
    planting.ghosts();
    planting.dead(first_paid.first_day() - Days::new(9))?;
    planting.money()?;
    planting.property();
    planting.family()
}

/// What is at hand while planting.
struct Planting<'a> {
    crowd: Crowd<'a>,
    residents: &'a [Resident],
    rows: &'a mut Rows,
    planted: &'a mut Planted,
    today: NaiveDate,
}

/// Whether somebody is at least so old.
fn is_aged(one: &Identity, years: u32, today: NaiveDate) -> bool {
    one.born
        .is_some_and(|born| vocab::id_number::age(born, today) >= years)
}

impl Planting<'_> {
    /// A row of somebody's in a source, noted under a kind.
    fn plant(&mut self, (kind, source): (&'static str, &'static str), at: usize, more: Row) {
        let one = &self.crowd.paid[at].people[0];
        let own = [("id_no", one.number.clone()), ("name", one.name.clone())];
        let row = own.into_iter().chain(more).collect();
        self.rows.entry(source).or_default().push(row);
        self.planted.note(kind, vec![one.id]);
    }

    /// Ghosts: paid, and in nobody's books.
    fn ghosts(&mut self) {
        let whole = |crowd: &Crowd<'_>, one: &Paid| {
            let known = |person| crowd.local(person) && crowd.resident(person).is_some();
            one.right.household.is_some() && one.people.iter().all(known)
        };
        for at in self.crowd.take(2, whole) {
            let people = &self.crowd.paid[at].people;
            let known = people.iter().filter_map(|one| self.crowd.resident(one));
            let homes: BTreeSet<usize> = known.map(|one| one.household).collect();
            let gone: BTreeSet<&str> = self
                .residents
                .iter()
                .filter(|one| homes.contains(&one.household))
                .map(|one| one.id_no.as_str())
                .collect();
            for (source, rows) in self.rows.iter_mut() {
                let of_them = |row: &Row| {
                    row.iter()
                        .any(|(id, text)| id.ends_with("id_no") && gone.contains(text.as_str()))
                };
                // Their money arrives; that is the point of inventing them.
                rows.retain(|row| *source == "one_card" || !of_them(row));
            }
            let covered = self.crowd.paid[at].right.covered.clone();
            self.planted.note("no_trace", covered);
        }
    }

    /// Dead before the first month paid: one known to the police, one to the crematorium, one to both.
    fn dead(&mut self, died: NaiveDate) -> anyhow::Result<()> {
        let today = self.today;
        let old = |crowd: &Crowd<'_>, one: &Paid| {
            let first = &one.people[0];
            one.people.len() == 1 && is_aged(first, 60, today) && crowd.resident(first).is_some()
        };
        let chosen = self.crowd.take(3, old);
        let [police, both, burnt] = chosen[..] else {
            return Ok(());
        };
        for at in [police, both] {
            let more = vec![
                ("died_on", died.to_string()),
                ("reported_on", (died + Days::new(4)).to_string()),
            ];
            self.plant(("paid_after_death", "death"), at, more);
        }
        for at in [both, burnt] {
            let more = vec![
                ("died_on", died.to_string()),
                ("cremated_on", (died + Days::new(3)).to_string()),
            ];
            self.plant(("paid_after_cremation", "funeral"), at, more);
        }
        Ok(())
    }

    /// Less arrived than was granted; and nothing arrived at all, though it is booked.
    fn money(&mut self) -> anyhow::Result<()> {
        let cards = self.rows.entry("one_card").or_default();
        let settled: BTreeSet<String> = cards
            .iter()
            .filter_map(|row| row.first().map(|(_, number)| number.clone()))
            .collect();
        let got = |_: &Crowd<'_>, one: &Paid| {
            one.people.len() == 1 && settled.contains(&one.people[0].number)
        };
        for (number, at) in self.crowd.take(4, got).into_iter().enumerate() {
            let payee = self.crowd.payee(at)?;
            let own = ("id_no", payee.number.clone());
            let kind = match number {
                0 | 1 => {
                    cards
                        .iter_mut()
                        .filter(|row| row.contains(&own))
                        .try_for_each(skim)?;
                    "skimmed"
                }
                2 => {
                    cards.retain(|row| !row.contains(&own));
                    "not_credited"
                }
                _ => {
                    let theirs = cards.iter_mut().filter(|row| row.contains(&own));
                    set_state(theirs, "2");
                    "not_credited"
                }
            };
            self.planted.note(kind, vec![payee.id]);
        }
        Ok(())
    }

    /// A car, a company, much money.
    fn property(&mut self) {
        let (today, recent) = (self.today, self.today - Days::new(20));
        let no_car = |crowd: &Crowd<'_>, one: &Paid| {
            let none = |person| crowd.number(person, "vehicles") == Some(0);
            crowd.reads(one, "vehicles")
                && is_aged(&one.people[0], 22, today)
                && one.people.iter().all(none)
        };
        for (number, at) in (0_u64..).zip(self.crowd.take(3, no_car)) {
            let car = vehicle(70_000 + number, recent, 9_800_000);
            self.plant(("new_vehicle", "vehicle"), at, car);
        }
        let means = |crowd: &Crowd<'_>, one: &Paid| means_tested(crowd, one, today);
        for (number, at) in (0_u64..).zip(self.crowd.take(2, means)) {
            let firm = company(70_000 + number, recent);
            self.plant(("new_company", "business"), at, firm);
        }
        let declared = |crowd: &Crowd<'_>, one: &Paid| {
            means_tested(crowd, one, today) && crowd.number(&one.people[0], "deposits").is_some()
        };
        for (number, at) in (0_u64..).zip(self.crowd.take(2, declared)) {
            let more = vec![
                ("bank", "样例银行".to_owned()),
                ("account", format!("62999790000000{number:05}")),
                ("kind", "2".to_owned()),
                ("balance", "186000.00".to_owned()),
                ("day", today.to_string()),
                ("state", "0".to_owned()),
            ];
            self.plant(("more_deposits", "bank"), at, more);
        }
    }

    /// A prison, a marriage, a move.
    fn family(&mut self) -> anyhow::Result<()> {
        let (today, recent) = (self.today, self.today - Days::new(20));
        let free = |crowd: &Crowd<'_>, one: &Paid| {
            let known = crowd.resident(&one.people[0]);
            let absence = known.and_then(|known| known.facts.get("absence"));
            crowd.reads(one, "absence")
                && is_aged(&one.people[0], 22, today)
                && absence == Some(&Value::Text("none".to_owned()))
        };
        for at in self.crowd.take(1, free) {
            let more = vec![
                ("kind", "1".to_owned()),
                ("since", recent.to_string()),
                ("until", (recent + chrono::Months::new(24)).to_string()),
                ("state", "1".to_owned()),
            ];
            self.plant(("in_custody", "custody"), at, more);
        }
        let alone = |crowd: &Crowd<'_>, one: &Paid| {
            means_tested(crowd, one, today) && one.people.len() == 1
        };
        for (number, at) in self.crowd.take(2, alone).into_iter().enumerate() {
            let body = format!("44039619880808{:03}", 800 + number * 2);
            let check = vocab::id_number::check_digit(&body).context("seventeen digits")?;
            let more = vec![
                ("spouse_id_no", format!("{body}{check}")),
                ("spouse_name", "外地新人".to_owned()),
                ("registered_on", recent.to_string()),
                ("certificate", format!("J990101-9{number:06}")),
                ("state", "1".to_owned()),
            ];
            self.plant(("married_since", "marriage"), at, more);
        }
        let here = |crowd: &Crowd<'_>, one: &Paid| {
            let first = &one.people[0];
            crowd.reads(one, "hukou")
                && one.people.len() == 1
                && crowd.local(first)
                && crowd.resident(first).is_some()
        };
        for at in self.crowd.take(2, here) {
            let payee = self.crowd.payee(at)?;
            let own = ("id_no", payee.number.clone());
            let cards = self.rows.entry("hukou").or_default();
            set_state(cards.iter_mut().filter(|row| row.contains(&own)), "2");
            self.planted.note("moved_away", vec![payee.id]);
        }
        Ok(())
    }
}

/// Whether the money depends on what a grown-up has.
fn means_tested(crowd: &Crowd<'_>, one: &Paid, today: NaiveDate) -> bool {
    let first = &one.people[0];
    crowd.reads(one, "deposits") && is_aged(first, 22, today) && crowd.resident(first).is_some()
}

/// Writes another state into rows.
fn set_state<'r>(rows: impl Iterator<Item = &'r mut Row>, state: &str) {
    for cell in rows.flatten().filter(|cell| cell.0 == "state") {
        state.clone_into(&mut cell.1);
    }
}

/// A third of what was granted stays on the way.
fn skim(row: &mut Row) -> anyhow::Result<()> {
    for (_, text) in row.iter_mut().filter(|cell| cell.0 == "amount") {
        let granted = Money::from_yuan_text(text)?.fen();
        *text = yuan(granted - granted / 3);
    }
    Ok(())
}
