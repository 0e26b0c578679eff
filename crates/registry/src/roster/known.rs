//! What the register has already (已登记情况): read in a few queries, compared row by row.

use super::RowError;
use super::check::error;
use super::columns::Title;
use super::parse::Row;
use crate::accounts;
use crate::people::ids_by_document;
use crate::reading::Reading;
use crate::tables::{account, household, membership, person};
use access::Scope;
use anyhow::Context;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};
use std::collections::{BTreeMap, BTreeSet};
use store::inside;
use uuid::Uuid;
use vocab::ids::{HouseholdId, PersonId};
use vocab::{Document, DocumentKind, Region};

/// What the register has of a member already, and what of it would change.
pub(super) struct KnownPerson {
    pub(super) id: PersonId,
    pub(super) is_member: bool,
    pub(super) moves: bool,
    pub(super) new_hukou: bool,
    pub(super) new_phone: bool,
    pub(super) new_account: bool,
}

impl KnownPerson {
    pub(super) fn changes(&self) -> bool {
        !self.is_member || self.moves || self.new_hukou || self.new_phone || self.new_account
    }
}

/// The register's side of the comparison, read in a few queries.
pub(super) struct Known {
    ids: BTreeMap<Document, (PersonId, bool)>,
    people: BTreeMap<PersonId, person::Model>,
    accounts: BTreeMap<PersonId, account::Model>,
    /// The household each person is in now, and the relation to its head.
    homes: BTreeMap<PersonId, (HouseholdId, String)>,
    pub(super) households: BTreeMap<(String, Region), HouseholdId>,
    /// The numbers of each household, wherever it is.
    numbers: BTreeSet<(HouseholdId, String)>,
}

impl Known {
    pub(super) async fn of(
        source: &impl Reading,
        scope: &Scope,
        rows: &[Row],
    ) -> anyhow::Result<Self> {
        let conn = source.connection();
        let documents: Vec<Document> = rows.iter().map(|row| row.document.clone()).collect();
        let ids = ids_by_document(source, scope, &documents).await?;
        let mut known = Self {
            people: BTreeMap::new(),
            accounts: BTreeMap::new(),
            homes: BTreeMap::new(),
            households: BTreeMap::new(),
            numbers: BTreeSet::new(),
            ids,
        };
        let numbers: BTreeSet<&str> = rows.iter().map(|row| row.number.as_str()).collect();
        for some in Vec::from_iter(numbers).chunks(500) {
            let named = Condition::any()
                .add(household::Column::RosterNumber.is_in(some.iter().copied()))
                .add(household::Column::Number.is_in(some.iter().copied()));
            for row in household::Entity::find()
                .filter(named)
                .filter(inside(household::Column::Region, scope.region))
                .filter(household::Column::DissolvedOn.is_null())
                .all(conn)
                .await
                .context("looking for households of a roster")?
            {
                let region = crate::stored::region(&row.region)?;
                let id = HouseholdId(row.id);
                for number in row.roster_number.into_iter().chain([row.number]) {
                    known.numbers.insert((id, number.clone()));
                    known.households.insert((number, region), id);
                }
            }
        }
        // People without a document are recognised inside their household only, so its members are needed too.
        let homes: Vec<Uuid> = known.households.values().map(|id| id.0).collect();
        let mut wanted: BTreeSet<Uuid> = known.ids.values().map(|(id, _)| id.0).collect();
        for some in homes.chunks(500) {
            for row in membership::Entity::find()
                .filter(membership::Column::HouseholdId.is_in(some.iter().copied()))
                .filter(membership::Column::Until.is_null())
                .all(conn)
                .await
                .context("reading the members of a roster's households")?
            {
                wanted.insert(row.person_id);
            }
        }
        let wanted = Vec::from_iter(wanted);
        for some in wanted.chunks(500) {
            known.read_people(source, some).await?;
        }
        Ok(known)
    }

    async fn read_people(&mut self, source: &impl Reading, some: &[Uuid]) -> anyhow::Result<()> {
        let conn = source.connection();
        for row in person::Entity::find()
            .filter(person::Column::Id.is_in(some.iter().copied()))
            .all(conn)
            .await
            .context("reading the people of a roster")?
        {
            self.people.insert(PersonId(row.id), row);
        }
        for row in account::Entity::find()
            .filter(account::Column::PersonId.is_in(some.iter().copied()))
            .filter(account::Column::EndedAt.is_null())
            .all(conn)
            .await
            .context("reading the accounts of a roster")?
        {
            self.accounts.insert(PersonId(row.person_id), row);
        }
        for row in membership::Entity::find()
            .filter(membership::Column::PersonId.is_in(some.iter().copied()))
            .filter(membership::Column::Until.is_null())
            .all(conn)
            .await
            .context("reading the memberships of a roster")?
        {
            let home = (HouseholdId(row.household_id), row.kinship);
            self.homes.insert(PersonId(row.person_id), home);
        }
        Ok(())
    }

    /// Who in the register this row is, if anybody.
    fn person_of(&self, row: &Row, home: Option<HouseholdId>) -> Option<(PersonId, bool)> {
        if row.document.kind() != DocumentKind::None {
            return self.ids.get(&row.document).copied();
        }
        let home = home?;
        let same = |person: &&person::Model| {
            person.document_kind == DocumentKind::None.code()
                && person.name == row.name
                && person.birth_date == row.birth_date
        };
        self.homes
            .iter()
            .filter(|(_, (household, _))| *household == home)
            .filter_map(|(id, _)| self.people.get(id))
            .find(same)
            .map(|person| (PersonId(person.id), true))
    }

    /// The household of this number in which the row's person is, though it stands in another community than they live in.
    pub(super) fn home_of(&self, row: &Row) -> Option<HouseholdId> {
        let (id, visible) = self.person_of(row, None)?;
        let (home, _) = self.homes.get(&id).filter(|_| visible)?;
        let named = self.numbers.contains(&(*home, row.number.clone()));
        named.then_some(*home)
    }

    /// Whether the row's person is a member of the household and is known to live there (已知分开居住).
    pub(super) fn lives_apart(&self, row: &Row, home: Option<HouseholdId>, there: Region) -> bool {
        let Some((id, true)) = self.person_of(row, home) else {
            return false;
        };
        let is_member = self.homes.get(&id).map(|(household, _)| *household) == home;
        let person = self.people.get(&id);
        home.is_some() && is_member && person.is_some_and(|one| one.lives_in == there.to_string())
    }

    pub(super) fn compare(
        &self,
        row: &Row,
        region: Region,
        address: &str,
        home: Option<HouseholdId>,
        source: &impl Reading,
        errors: &mut Vec<RowError>,
    ) -> anyhow::Result<Option<KnownPerson>> {
        let Some((id, visible)) = self.person_of(row, home) else {
            return Ok(None);
        };
        let mut wrong = |title: Title, value: &str, reason: &str| {
            errors.push(error(row, title, value, reason));
        };
        if !visible {
            let reason = "该证件号码登记在其他社区；请联系上级办理迁移后再导入";
            wrong(Title::DocumentNumber, row.document.number(), reason);
            return Ok(None);
        }
        let person = self
            .people
            .get(&id)
            .context("a known person without a row")?;
        if person.name != row.name {
            let reason = "与已登记的姓名不一致；请对照证件核对姓名和证件号码";
            wrong(Title::Name, &row.name, reason);
        }
        let mut is_member = false;
        if let Some((household, kinship)) = self.homes.get(&id) {
            is_member = Some(*household) == home;
            let here = crate::stored::kinship(kinship)?;
            if !is_member {
                let reason = "此人目前在另一户中；请先办理退出原户，再导入";
                wrong(Title::Name, &row.name, reason);
            } else if here != row.kinship && !(here.is_head() && row.kinship.is_head()) {
                let reason = "与登记的与户主关系不一致；请在家庭信息中办理变更";
                wrong(Title::Kinship, row.kinship.name_zh(), reason);
            }
        }
        let keys = source.sealing_keys();
        let new_phone = row.phone.as_ref().is_some_and(|phone| {
            person.phone_blind.as_deref() != Some(&crate::people::phone_blind(keys, phone))
        });
        let new_account = row.account.as_ref().is_some_and(|given| {
            self.accounts.get(&id).is_none_or(|now| {
                now.number_blind != accounts::blind(keys, &given.number) || now.bank != given.bank
            })
        });
        let own_address = if row.address.is_empty() {
            address
        } else {
            &row.address
        };
        // Somebody without an address stays so: a blank says nothing new of them.
        let still_none = row.address.is_empty() && person.address.is_empty();
        let new_address = !own_address.is_empty() && person.address != own_address && !still_none;
        Ok(Some(KnownPerson {
            id,
            is_member,
            moves: person.lives_in != region.to_string() || new_address,
            new_hukou: row
                .hukou
                .is_some_and(|hukou| person.hukou != Some(hukou.to_string())),
            new_phone,
            new_account,
        }))
    }
}
