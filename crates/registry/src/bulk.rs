//! The fast way in (批量装载): whole households at once, for a first load or an invented population.
//!
//! Checks nothing that a single registration checks except the scope; the caller vouches for the rest. Rows go in by
//! large inserts, a few hundred households a transaction, so that a broken load leaves whole households only.

use crate::accounts::{Account, account_row};
use crate::facts::{Subject, row_of};
use crate::households::{NewHousehold, household_row, membership_row};
use crate::people::{NewPerson, digest_phone, person_row};
use crate::tables::{account, fact, household, membership, person, search_key};
use access::Scope;
use anyhow::{Context, ensure};
use chrono::NaiveDate;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, Iterable,
};
use serde_json::json;
use store::{Db, Event, Tx};
use vocab::ids::{HouseholdId, PersonId};
use vocab::{DatedFact, Document, Kinship, Region, Sex};

/// A household to be loaded (待装载家庭). The first member is the head.
#[derive(Debug, Clone)]
pub struct BulkHousehold {
    /// The number in the roster it comes from, if any.
    pub roster_number: Option<String>,
    /// The community (所属社区).
    pub region: Region,
    /// The address (详细住址).
    pub address: String,
    /// Since when it exists.
    pub since: NaiveDate,
    /// The members, the head first.
    pub members: Vec<BulkMember>,
    /// Facts of the household.
    pub facts: Vec<(String, DatedFact)>,
}

/// A member to be loaded (待装载成员).
#[derive(Debug, Clone)]
pub struct BulkMember {
    /// The name (姓名).
    pub name: String,
    /// The document (证件).
    pub document: Document,
    /// The sex (性别).
    pub sex: Sex,
    /// The birth date (出生日期), if known.
    pub birth_date: Option<NaiveDate>,
    /// The phone number (手机号), if any.
    pub phone: Option<String>,
    /// Where the household registration lies (户籍地), if known.
    pub hukou: Option<Region>,
    /// The relation to the head (与户主关系).
    pub kinship: Kinship,
    /// The account, if any.
    pub account: Option<Account>,
    /// Facts of the person.
    pub facts: Vec<(String, DatedFact)>,
}

/// How much was loaded (装载数量).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Households.
    pub households: u64,
    /// People.
    pub people: u64,
    /// Facts.
    pub facts: u64,
}

const HOUSEHOLDS_A_TRANSACTION: usize = 2_000;
/// PostgreSQL takes 65,535 parameters a statement, SQLite 32,766.
const PARAMETERS: usize = 30_000;

#[derive(Default)]
struct Rows {
    people: Vec<person::Model>,
    keys: Vec<search_key::Model>,
    households: Vec<household::Model>,
    members: Vec<membership::Model>,
    facts: Vec<fact::Model>,
    accounts: Vec<account::Model>,
}

/// Loads households (批量装载), telling the progress after every transaction.
///
/// # Errors
/// Faults of the database, a place outside the scope, a document registered before.
pub async fn load(
    db: &Db,
    scope: &Scope,
    households: impl IntoIterator<Item = BulkHousehold>,
    mut progress: impl FnMut(&Loaded),
) -> anyhow::Result<Loaded> {
    let mut loaded = Loaded::default();
    let mut households = households.into_iter().peekable();
    while households.peek().is_some() {
        let mut tx = db.begin().await?;
        let mut rows = Rows::default();
        for new in households.by_ref().take(HOUSEHOLDS_A_TRANSACTION) {
            collect(&tx, scope, new, &mut rows)?;
        }
        loaded.households += u64::try_from(rows.households.len())?;
        loaded.people += u64::try_from(rows.people.len())?;
        loaded.facts += u64::try_from(rows.facts.len())?;
        tx.note(Event {
            by: scope.actor.officer,
            purpose: scope.purpose.text(),
            act: "registry.load".to_owned(),
            subject_kind: "region".to_owned(),
            subject_id: scope.region.to_string(),
            region: Some(scope.region),
            detail: json!({ "households": rows.households.len(), "people": rows.people.len() }),
        });
        write(&tx, rows).await?;
        tx.commit().await?;
        progress(&loaded);
    }
    Ok(loaded)
}

fn collect(tx: &Tx, scope: &Scope, new: BulkHousehold, rows: &mut Rows) -> anyhow::Result<()> {
    ensure!(
        scope.holds(new.region),
        "a household to be loaded lies outside the scope"
    );
    let (now, by, id) = (tx.now(), scope.actor.officer.0, tx.new_id());
    let mut first = None;
    for (order, member) in (0..).zip(new.members) {
        let person = tx.new_id();
        first.get_or_insert(PersonId(person));
        let as_new = NewPerson {
            name: member.name,
            document: member.document,
            sex: member.sex,
            birth_date: member.birth_date,
            phone: member.phone.as_deref().and_then(digest_phone),
            hukou: member.hukou,
            lives_in: new.region,
            address: new.address.clone(),
        };
        let (row, keys) = person_row(tx.keys(), person, &as_new, now, by);
        rows.people.push(row);
        rows.keys.extend(keys);
        rows.members.push(membership_row(
            tx.new_id(),
            id,
            PersonId(person),
            member.kinship,
            order,
            new.since,
            now,
        ));
        if let Some(account) = member.account {
            rows.accounts.push(account_row(
                tx.keys(),
                tx.new_id(),
                person,
                &account,
                now,
                by,
            ));
        }
        for (fact_id, given) in member.facts {
            let subject = Subject::Person(PersonId(person));
            let known = given.known_since.unwrap_or(now);
            rows.facts.push(row_of(
                tx.new_id(),
                scope,
                subject,
                &fact_id,
                &given,
                known,
            )?);
        }
    }
    let subject = Subject::Household(HouseholdId(id));
    for (fact_id, given) in new.facts {
        let known = given.known_since.unwrap_or(now);
        rows.facts.push(row_of(
            tx.new_id(),
            scope,
            subject,
            &fact_id,
            &given,
            known,
        )?);
    }
    let head = first.context("a household to be loaded has no members")?;
    let as_new = NewHousehold {
        region: new.region,
        address: new.address,
        head,
        members: Vec::new(),
        since: Some(new.since),
        roster_number: new.roster_number,
    };
    rows.households
        .push(household_row(id, &as_new, new.since, now, by));
    Ok(())
}

async fn write(tx: &Tx, rows: Rows) -> anyhow::Result<()> {
    insert::<person::Entity, person::ActiveModel, _>(tx.conn(), rows.people).await?;
    let mut keys = rows.keys;
    // In key order the index is filled from left to right instead of everywhere at once.
    keys.sort_by(|a, b| {
        (&a.key, &a.lives_in, a.person_id).cmp(&(&b.key, &b.lives_in, b.person_id))
    });
    insert::<search_key::Entity, search_key::ActiveModel, _>(tx.conn(), keys).await?;
    insert::<household::Entity, household::ActiveModel, _>(tx.conn(), rows.households).await?;
    insert::<membership::Entity, membership::ActiveModel, _>(tx.conn(), rows.members).await?;
    insert::<account::Entity, account::ActiveModel, _>(tx.conn(), rows.accounts).await?;
    insert::<fact::Entity, fact::ActiveModel, _>(tx.conn(), rows.facts).await
}

async fn insert<E, A, M>(conn: &DatabaseTransaction, rows: Vec<M>) -> anyhow::Result<()>
where
    E: EntityTrait<ActiveModel = A, Model = M>,
    E::Column: ColumnTrait + Iterable,
    A: ActiveModelTrait<Entity = E> + Send,
    M: IntoActiveModel<A>,
{
    let columns = E::Column::iter().count().max(1);
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let some = rows
            .by_ref()
            .take(PARAMETERS / columns)
            .map(IntoActiveModel::into_active_model);
        E::insert_many(some)
            .exec_without_returning(conn)
            .await
            .context("loading rows in bulk")?;
    }
    Ok(())
}
