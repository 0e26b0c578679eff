//! The demo's past (演示的过去): people in payment since some months, two paid months, applications on their way.
//!
//! Guarantees: made by the same acts officers use, at days in the past, with a clock that only moves forward; the family
//! of the walkthrough is left alone. Deliberately absent: programmes by name. Whoever the rule book says is entitled to a
//! monthly amount is a recipient, most of them at least: the rest are for officers to find.

use crate::demo::accounts::{self, Places};
use crate::demo::day::morning;
use crate::demo::deceits::{self, Planted};
use crate::demo::people::WIDOW;
use crate::terminal::say;
use access::{Purpose, Scope};
use anyhow::{Context, bail};
use casework::procedure::{Channel, Effect, MayApply};
use casework::submit::{Choice, SubmitApplication};
use casework::take_over::TakeOver;
use casework::{ActInput, Desk};
use chrono::{Days, NaiveDate};
use ledger::{BankOutcome, LineFilter, NewPayRun, PayLine};
use policy::{Ask, Determination, Every, Outcome};
use registry::consent::Carried;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::{Db, TestClock};
use synth::departments::Resident;
use verify::enquiry::terms_of;
use vocab::ids::{HouseholdId, PersonId};
use vocab::region::Level;
use vocab::{FactSheet, Month, Region};

/// Households read and decided at a time.
const PORTION: u64 = 500;
/// Of so many who are entitled, one has never applied (应享未享).
const ONE_UNFOUND_OF: usize = 6;
/// How many are on their way through the procedure.
const ON_THEIR_WAY: usize = 24;
/// Of so many communities, one has an application sent back for completion beside the one to be accepted.
const ONE_TO_COMPLETE_OF: usize = 3;

/// How far an application of the past has come (申请走到哪一步).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Come {
    /// Handed in, to be accepted at the window.
    HandedIn,
    /// Accepted.
    Accepted,
    /// Sent back once for everything missing (一次性告知).
    ToComplete,
}

/// The clock of the past (过去的时钟): stands at a morning until it is moved.
pub(crate) struct Clock(Arc<TestClock>);

impl Clock {
    /// The morning the register was filled.
    pub(crate) fn at(day: NaiveDate) -> Self {
        Self(Arc::new(TestClock::at(morning(day))))
    }

    pub(crate) fn shared(&self) -> Arc<dyn store::Clock> {
        Arc::clone(&self.0) as Arc<dyn store::Clock>
    }

    pub(crate) fn move_to(&self, day: NaiveDate) {
        self.0.set(morning(day));
    }
}

/// The days of the past, counted from today (过去的几个日子).
pub(crate) struct PastDays {
    /// The register is filled.
    pub(crate) registered: NaiveDate,
    taken_over: NaiveDate,
    /// The months paid since, oldest first.
    pub(crate) paid: [Month; 2],
    today: NaiveDate,
}

impl PastDays {
    pub(crate) fn before(today: NaiveDate) -> anyhow::Result<Self> {
        let this = Month::of(today);
        let last = this.previous();
        let first = last.previous();
        let earlier = first.previous().first_day();
        Ok(Self {
            registered: earlier + Days::new(4),
            taken_over: earlier + Days::new(19),
            paid: [first, last],
            today,
        })
    }
}

/// Lets the district live through its past.
pub(crate) async fn live(
    db: &Db,
    desk: &Desk,
    places: &Places,
    clock: &Clock,
    days: &PastDays,
    residents: &[Resident],
) -> anyhow::Result<Planted> {
    clock.move_to(days.taken_over);
    let found = entitled(db, desk, places).await?;
    let (found, unfound) = spread(found, places.community);
    take_over(db, desk, places, days, found).await?;
    let mut planted = Planted::default();
    deceits::in_the_register(db, desk, places, residents, days.paid[0], &mut planted).await?;
    for month in days.paid {
        pay(db, desk, clock, month).await?;
    }
    on_their_way(db, desk, places, clock, days.today, unfound).await?;
    clock.move_to(days.today);
    Ok(planted)
}

/// Most are recipients; some have never applied, more of them where the tour begins.
fn spread(entitled: Vec<Entitled>, tour: Region) -> (Vec<Entitled>, Vec<Entitled>) {
    let (mut found, mut unfound) = (Vec::new(), Vec::new());
    let (mut there, mut elsewhere) = (0_usize, 0_usize);
    for one in entitled {
        let (count, of) = if tour.holds(one.region) {
            (&mut there, 2)
        } else {
            (&mut elsewhere, ONE_UNFOUND_OF)
        };
        *count += 1;
        if count.is_multiple_of(of) {
            unfound.push(one)
        } else {
            found.push(one)
        }
    }
    (found, unfound)
}

/// Somebody the rule book says a monthly amount is due to.
struct Entitled {
    household: HouseholdId,
    region: Region,
    sheet: FactSheet,
    said: Determination,
}

impl Entitled {
    fn person(&self, at: usize) -> anyhow::Result<PersonId> {
        let key = self
            .sheet
            .member_keys
            .get(at)
            .context("a determination speaks of a member the household lacks")?;
        key.parse().context("a member's key is a person's id")
    }

    fn member(&self) -> anyhow::Result<Option<PersonId>> {
        self.said.member.map(|at| self.person(at)).transpose()
    }
}

/// Everybody entitled, in the order of the register, without the family of the walkthrough.
async fn entitled(db: &Db, desk: &Desk, places: &Places) -> anyhow::Result<Vec<Entitled>> {
    let scope = Scope::system(places.district);
    let left_alone = family_of_the_walkthrough(db, &scope).await?;
    let programmes: Vec<String> = desk
        .open_programmes()
        .filter(|programme| programme.benefit.every == Every::Month)
        .map(|programme| programme.id.clone())
        .collect();
    let (now, today) = (db.now(), db.today());
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let some = registry::households::list_ids(db, &scope, after, PORTION).await?;
        let Some((last, _)) = some.last() else { break };
        after = Some(*last);
        let mut by_region: BTreeMap<Region, Vec<HouseholdId>> = BTreeMap::new();
        for (household, region) in some.into_iter().filter(|(id, _)| !left_alone.contains(id)) {
            by_region.entry(region).or_default().push(household);
        }
        for (region, households) in by_region {
            let ask = Ask {
                as_of: today,
                known_at: Some(now),
                region: Some(region),
                programmes: Some(programmes.clone()),
            };
            let sheets =
                registry::facts::fact_sheets(db, &scope, &households, Some(now), today).await?;
            let (ids, sheets): (Vec<_>, Vec<_>) = sheets.into_iter().unzip();
            let answers = desk.book.evaluate_many(&sheets, &ask);
            for ((household, sheet), said) in ids.into_iter().zip(sheets).zip(answers) {
                let met = said
                    .into_iter()
                    .filter(|said| said.outcome == Outcome::Met && said.amount.is_some());
                found.extend(met.map(|said| Entitled {
                    household,
                    region,
                    sheet: sheet.clone(),
                    said,
                }));
            }
        }
    }
    Ok(found)
}

async fn family_of_the_walkthrough(
    db: &Db,
    scope: &Scope,
) -> anyhow::Result<BTreeSet<HouseholdId>> {
    let query = registry::people::Query {
        text: WIDOW.to_owned(),
        region: None,
    };
    let people = registry::search(db, scope, &query, 0, 20).await?;
    let mut households = BTreeSet::new();
    for person in &people.rows {
        households
            .extend(registry::households::household_of(db, scope, person.id, db.today()).await?);
    }
    Ok(households)
}

/// Existing recipients enter with the decision of the old system.
async fn take_over(
    db: &Db,
    desk: &Desk,
    places: &Places,
    days: &PastDays,
    found: Vec<Entitled>,
) -> anyhow::Result<()> {
    let scope = Scope {
        purpose: Purpose::Import,
        ..Scope::system(places.district)
    };
    let mut many = Vec::with_capacity(found.len());
    for (at, one) in found.iter().enumerate() {
        let ago = 30 + u64::try_from(at)? * 37 % 900;
        let decided_on = days.taken_over - Days::new(ago);
        many.push(TakeOver {
            household: one.household,
            member: one.member()?,
            programme: one.said.programme.clone(),
            applicant: one.member()?.map_or_else(|| one.person(0), Ok)?,
            decided_on,
            old_number: format!("存量〔{}〕{}号", decided_on.format("%Y"), at + 1),
            amount: one
                .said
                .amount
                .context("only those with an amount were chosen")?,
            from: days.paid[0],
            covered: one
                .said
                .covered
                .iter()
                .map(|at| one.person(*at))
                .collect::<anyhow::Result<_>>()?,
        });
    }
    let mut tx = db.begin().await?;
    let answers = casework::take_over::take_over(&mut tx, &scope, desk, &many).await?;
    tx.commit().await?;
    let taken = answers.iter().filter(|answer| answer.is_ok()).count();
    say(&format!(
        "  已接收存量待遇 {taken} 份，互斥不能同时领取的 {} 份未接收 (taken over, refused)",
        answers.len() - taken
    ));
    Ok(())
}

/// The papers of those in payment, signed when they applied and kept in the old archive: while paid they may be compared with what
/// departments deliver.
pub(crate) async fn consents(
    db: &Db,
    desk: &Desk,
    places: &Places,
    today: NaiveDate,
) -> anyhow::Result<()> {
    let terms = terms_of(&desk.book)?;
    let scope = Scope {
        purpose: Purpose::Import,
        ..Scope::system(places.district)
    };
    let mut carried = BTreeMap::new();
    let mut after = None;
    loop {
        let month = Month::of(today);
        let some = ledger::running(db.conn(), &scope, month, after, PORTION).await?;
        let Some(last) = some.last() else { break };
        after = Some(last.id);
        for right in &some {
            for person in right.persons() {
                let home = match right.household {
                    Some(home) => Some(home),
                    None => registry::households::household_of(db, &scope, person, today).await?,
                };
                let Some(household) = home else { continue };
                carried.entry(person).or_insert_with(|| Carried {
                    person,
                    household,
                    region: right.region,
                    purpose: terms.usual().to_owned(),
                    signed_on: right.from.first_day(),
                    until: None,
                    archive: "存量授权书".to_owned(),
                });
            }
        }
    }
    let carried: Vec<Carried> = carried.into_values().collect();
    let mut tx = db.begin().await?;
    let taken = registry::consent::carry_over(&mut tx, &scope, &carried).await?;
    tx.commit().await?;
    say(&format!(
        "  已接收存量核对授权 {taken} 份 (consents taken over)"
    ));
    Ok(())
}

/// One month: proposed, released by another officer, sent, answered by the bank.
async fn pay(db: &Db, desk: &Desk, clock: &Clock, month: Month) -> anyhow::Result<()> {
    let proposer = accounts::scope_of(db, "caiwu", Purpose::Payment).await?;
    let releaser = accounts::scope_of(db, "caiwu2", Purpose::Payment).await?;
    let new = NewPayRun {
        month,
        region: proposer.region,
        programmes: None,
    };
    clock.move_to(month.first_day() + Days::new(7));
    let concerned = ledger::concerned(db, &proposer, &new).await?;
    let blocked = exchange::blocked(db, &proposer, &concerned).await?;
    let mut tx = db.begin().await?;
    let run = match ledger::propose(&mut tx, &proposer, &new, &blocked).await? {
        Ok(run) => run,
        Err(refused) => bail!("{month}：{refused}"),
    };
    tx.commit().await?;
    clock.move_to(month.first_day() + Days::new(8));
    let released =
        match ledger::release(db, &releaser, run.id, &format!("demo-{month}"), &blocked).await? {
            Ok(released) => released,
            Err(refused) => bail!("{month}：{refused}"),
        };
    say(&format!(
        "  {month} 已发放 {} 笔 {} 元，暂不发放 {} 笔 (paid, blocked)",
        released.posted, released.net, released.blocked
    ));
    let purposes = desk
        .open_programmes()
        .map(|one| (one.id.clone(), one.title_zh.clone()))
        .collect();
    let mut tx = db.begin().await?;
    let file = exchange::bank_file(
        db,
        &mut tx,
        &proposer,
        run.id,
        exchange::Format::CsvGb18030,
        &purposes,
    )
    .await?;
    let file = file.map_err(|refused| anyhow::anyhow!("{month}：{refused}"))?;
    if let Err(refused) = ledger::mark_sent(&mut tx, &proposer, run.id, &file.sm3).await? {
        bail!("{month}：{refused}");
    }
    tx.commit().await?;
    clock.move_to(month.first_day() + Days::new(11));
    answer(db, &proposer, run.id).await
}

/// The bank's answer: nearly all arrive.
async fn answer(db: &Db, scope: &Scope, run: vocab::ids::PayRunId) -> anyhow::Result<()> {
    let filter = LineFilter {
        run: Some(run),
        ..LineFilter::default()
    };
    let mut sent: Vec<PayLine> = Vec::new();
    loop {
        let offset = u64::try_from(sent.len())?;
        let page = ledger::lines(db, scope, &filter, offset, 1_000).await?;
        if page.rows.is_empty() {
            break;
        }
        sent.extend(page.rows);
    }
    sent.retain(|line| line.blocked.is_none());
    let outcome = |at: usize| {
        if at % 97 == 96 {
            BankOutcome::Returned {
                code: "E03".to_owned(),
                reason: "账户已销户".to_owned(),
            }
        } else {
            BankOutcome::Settled
        }
    };
    let answers: Vec<(&PayLine, BankOutcome)> = sent
        .iter()
        .enumerate()
        .map(|(at, line)| (line, outcome(at)))
        .collect();
    let bytes = exchange::bank_return::sample(&answers)?;
    let answer = exchange::bank_return::read(&bytes)
        .map_err(|unreadable| anyhow::anyhow!("{unreadable}"))?;
    let mut tx = db.begin().await?;
    let taken = match ledger::bank_return(&mut tx, scope, run, &answer.sm3, &answer.results).await?
    {
        Ok(taken) => taken,
        Err(refused) => bail!("{refused}"),
    };
    for line in sent
        .iter()
        .filter(|line| taken.returned_lines.contains(&line.id))
    {
        let wide = Scope::system(scope.region);
        let Some(case) = casework::view::by_decision(&tx, &wide, line.decision).await? else {
            continue;
        };
        let task = casework::task::NewTask {
            case,
            kind: casework::procedure::TaskKind::ReturnedPayment,
            role: access::Role::WindowOfficer,
            due_on: Some(tx.today() + Days::new(10)),
            detail: "账户已销户".to_owned(),
        };
        casework::task::open_task(&mut tx, &wide, task).await?;
    }
    tx.commit().await
}

/// Applications that came in during the last weeks; some are accepted already, so that clocks run.
async fn on_their_way(
    db: &Db,
    desk: &Desk,
    places: &Places,
    clock: &Clock,
    today: NaiveDate,
    unfound: Vec<Entitled>,
) -> anyhow::Result<()> {
    // The tour's community first: its window must not be empty.
    let (mut near, far): (Vec<Entitled>, Vec<Entitled>) = unfound
        .into_iter()
        .partition(|one| places.community.holds(one.region));
    near.truncate(ON_THEIR_WAY / 2);
    let mut far = far.into_iter();
    near.extend(far.by_ref().take(ON_THEIR_WAY - near.len()));
    let mut submitted = 0;
    for (at, one) in near.iter().enumerate() {
        let back = u64::try_from((near.len() - at) * 30 / near.len().max(1))?;
        clock.move_to(today - Days::new(back.max(1)));
        let come = if at.is_multiple_of(2) {
            Come::Accepted
        } else {
            Come::HandedIn
        };
        submitted += usize::from(apply(db, desk, one, at, come).await?);
    }
    clock.move_to(today - Days::new(1));
    let drafts = in_each_community(db, desk, places, near.len(), far.collect()).await?;
    submitted += drafts.1;
    say(&format!(
        "  {submitted} 件申请正在办理，{} 份草稿 (applications on their way, drafts)",
        drafts.0
    ));
    Ok(())
}

/// Every window has something to do: a draft begun, one application to accept and, here and there, one to complete.
/// Answers how many drafts and how many applications.
async fn in_each_community(
    db: &Db,
    desk: &Desk,
    places: &Places,
    numbered: usize,
    unfound: Vec<Entitled>,
) -> anyhow::Result<(usize, usize)> {
    let mut waiting: BTreeMap<Region, Vec<Entitled>> = BTreeMap::new();
    for one in unfound {
        waiting.entry(one.region).or_default().push(one);
    }
    let left_alone = family_of_the_walkthrough(db, &Scope::system(places.district)).await?;
    let (mut drafts, mut submitted, mut at) = (0, 0, numbered);
    for community in desk.book.place().regions.iter().map(|region| region.code) {
        if !places.district.holds(community) {
            continue;
        }
        let scope = Scope {
            purpose: Purpose::Application,
            ..Scope::system(community)
        };
        // Only a community is itself the region of households; a street has none of its own.
        let some = registry::households::list_ids(db, &scope, None, 2).await?;
        let own = some
            .iter()
            .rfind(|(id, region)| *region == community && !left_alone.contains(id));
        let Some((household, _)) = own.filter(|_| community.level() == Level::Community) else {
            continue;
        };
        let offered = desk.offered_programmes();
        let programmes = offered.iter().map(|one| one.id.clone()).collect();
        let mut tx = db.begin().await?;
        let begun =
            casework::draft::start_draft(&mut tx, &scope, desk, *household, programmes).await?;
        if begun.is_ok() {
            tx.commit().await?;
            drafts += 1;
        }
        for (place, one) in waiting.remove(&community).iter().flatten().enumerate() {
            let come = match place {
                0 => Come::HandedIn,
                1 if at.is_multiple_of(ONE_TO_COMPLETE_OF) => Come::ToComplete,
                _ => break,
            };
            at += 1;
            submitted += usize::from(apply(db, desk, one, at, come).await?);
        }
    }
    Ok((drafts, submitted))
}

async fn apply(
    db: &Db,
    desk: &Desk,
    one: &Entitled,
    at: usize,
    come: Come,
) -> anyhow::Result<bool> {
    let scope = Scope {
        purpose: Purpose::Application,
        ..Scope::system(one.region)
    };
    let programmes = vec![one.said.programme.clone()];
    let mut tx = db.begin().await?;
    let draft = match casework::draft::start_draft(&mut tx, &scope, desk, one.household, programmes)
        .await?
    {
        Ok(draft) => draft,
        Err(_) => return Ok(false),
    };
    let application = SubmitApplication {
        key: format!("demo-{at}"),
        draft,
        choices: vec![Choice {
            programme: one.said.programme.clone(),
            member: one.member()?,
        }],
        applicant: one.member()?.map_or_else(|| one.person(0), Ok)?,
        applied_by: MayApply::Member,
        agent: None,
        channel: Channel::Window,
    };
    let submitted = match casework::submit(&mut tx, &scope, desk, application).await? {
        Ok(submitted) => submitted,
        // Somebody in payment by another programme's exclusion, or under age: not an application the demo needs.
        Err(_) => return Ok(false),
    };
    tx.commit().await?;
    let effect = match come {
        Come::HandedIn => return Ok(true),
        Come::Accepted => Effect::Accept,
        Come::ToComplete => Effect::RequestSupplement,
    };
    for (case, _) in &submitted.cases {
        step(db, desk, &scope, *case, effect).await?;
    }
    Ok(true)
}

/// The first act of the procedure with an effect, with every field answered "no".
async fn step(
    db: &Db,
    desk: &Desk,
    scope: &Scope,
    case: vocab::ids::CaseId,
    effect: Effect,
) -> anyhow::Result<()> {
    let Some(view) = casework::view::case(db, scope, desk, case).await? else {
        return Ok(());
    };
    let procedure = desk
        .procedure(&view.row.case.programme)
        .context("a case without a procedure")?;
    let Some(act) = procedure.acts.iter().find(|act| act.effect == effect) else {
        return Ok(());
    };
    let no = |field: &casework::procedure::Field| (field.id.clone(), vocab::Value::Bool(false));
    let input = ActInput {
        expected_version: view.row.case.version,
        fields: act.fields.iter().map(no).collect(),
        items: vec!["申请人签字的申请表".to_owned()],
        ..ActInput::default()
    };
    let mut tx = db.begin().await?;
    match casework::act(&mut tx, scope, desk, case, &act.id, input).await? {
        Ok(_) => tx.commit().await,
        // A procedure of another place may ask more at acceptance; then the case waits to be accepted.
        Err(_) => tx.rollback().await,
    }
}
