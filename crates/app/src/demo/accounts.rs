//! The demo's officers (演示账号): one of each role, and a second window so that one can see what it may not see.
//!
//! Guarantees: names and passwords are the same in every demo, so guides and browser journeys can quote them; nobody holds
//! two roles. Deliberately absent: any of these in a real house: [`super::super::serve`] refuses a database that has them.

use access::{Actor, Door, NewOfficer, Purpose, Role, Scope};
use anyhow::{Context, bail};
use store::Db;
use vocab::Region;

/// The password of every demo account (演示密码). Everybody knows it; that is its purpose.
pub(crate) const PASSWORD: &str = "Yanshi-2026";

/// An account of the demo (演示账号).
pub(crate) struct Account {
    pub(crate) login: &'static str,
    pub(crate) name: &'static str,
    pub(crate) role: Role,
    pub(crate) at: At,
    pub(crate) what_zh: &'static str,
    pub(crate) what_en: &'static str,
}

/// Where in the district an account works (工作地点).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    District,
    Street,
    Community,
    /// A community of another street: its officer must not see the first one's people.
    ElsewhereCommunity,
}

/// All accounts, in the order in which the tour meets them.
pub(crate) const ACCOUNTS: &[Account] = &[
    Account {
        login: "chuangkou",
        name: "王春苗",
        role: Role::WindowOfficer,
        at: At::Community,
        what_zh: "社区窗口：登记、申请、受理",
        what_en: "community window: register, apply, accept",
    },
    Account {
        login: "chuangkou2",
        name: "陆远山",
        role: Role::WindowOfficer,
        at: At::ElsewhereCommunity,
        what_zh: "另一街道的社区窗口：看不到前者的居民",
        what_en: "a window of another street: cannot see the first one's people",
    },
    Account {
        login: "jiedao",
        name: "李文静",
        role: Role::StreetReviewer,
        at: At::Street,
        what_zh: "街道审核：入户、公示、确认",
        what_en: "street reviewer: visit, public notice, confirmation",
    },
    Account {
        login: "jiedao2",
        name: "周立新",
        role: Role::StreetReviewer,
        at: At::Street,
        what_zh: "街道审核：与前者共同入户、互相复核",
        what_en: "second street reviewer: visits together with the first",
    },
    Account {
        login: "qushen",
        name: "陈国梁",
        role: Role::DistrictApprover,
        at: At::District,
        what_zh: "区级审批：抽查、复核放款",
        what_en: "district approver: sampling, release of pay runs",
    },
    Account {
        login: "qushen2",
        name: "沈一宁",
        role: Role::DistrictApprover,
        at: At::District,
        what_zh: "区级审批：答复对前者决定的申诉",
        what_en: "second district approver: answers appeals against the first one's decisions",
    },
    Account {
        login: "caiwu",
        name: "赵明慧",
        role: Role::Finance,
        at: At::District,
        what_zh: "财务：拟定发放、银行文件、回盘",
        what_en: "finance: pay runs, bank files, bank returns",
    },
    Account {
        login: "caiwu2",
        name: "孙雅琴",
        role: Role::Finance,
        at: At::District,
        what_zh: "财务：复核放款（不能复核自己拟定的）",
        what_en: "second finance officer: releases what another proposed",
    },
    Account {
        login: "shenji",
        name: "吴正平",
        role: Role::Auditor,
        at: At::District,
        what_zh: "审计：只读，看日志和账",
        what_en: "auditor: reads the journal and the ledger",
    },
    Account {
        login: "guanli",
        name: "郑海燕",
        role: Role::Administrator,
        at: At::District,
        what_zh: "系统管理员：账号和岗位，不看个人资料",
        what_en: "administrator: accounts and roles, sees no person",
    },
    Account {
        login: "guize",
        name: "何晓岚",
        role: Role::RuleOfficer,
        at: At::District,
        what_zh: "政策规则：法条、标准、算例",
        what_en: "rule officer: law, numbers, worked cases",
    },
];

/// The regions the accounts work in (工作区划).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places {
    pub(crate) district: Region,
    pub(crate) street: Region,
    pub(crate) community: Region,
    pub(crate) elsewhere: Region,
}

impl Places {
    /// The first community of the first street, and the first community of the next street.
    pub(crate) fn of(place: &policy::Place) -> anyhow::Result<Self> {
        let children = |parent: Region| {
            place
                .regions
                .iter()
                .map(|region| region.code)
                .filter(move |code| code.parent() == Some(parent))
        };
        let mut streets =
            children(place.division).filter(|street| children(*street).next().is_some());
        let too_small = || {
            format!(
                "演示需要至少两个街道、各有社区：{} 没有 (a demo needs two streets with communities)",
                place.id
            )
        };
        let street = streets.next().with_context(too_small)?;
        let other = streets.next().with_context(too_small)?;
        let community = children(street).next().with_context(too_small)?;
        let elsewhere = children(other).next().with_context(too_small)?;
        Ok(Self {
            district: place.division,
            street,
            community,
            elsewhere,
        })
    }

    pub(crate) fn of_account(&self, at: At) -> Region {
        match at {
            At::District => self.district,
            At::Street => self.street,
            At::Community => self.community,
            At::ElsewhereCommunity => self.elsewhere,
        }
    }
}

/// Make the accounts.
pub(crate) async fn make(db: &Db, door: &Door, places: &Places) -> anyhow::Result<()> {
    let scope = Scope::system(Region::NATION);
    let mut tx = db.begin().await?;
    for account in ACCOUNTS {
        let new = NewOfficer {
            login: account.login.to_owned(),
            name: account.name.to_owned(),
            person_number: None,
            must_change: false,
        };
        let officer = match access::create_officer(&mut tx, &scope, door, new, PASSWORD).await? {
            Ok(officer) => officer,
            Err(refused) => bail!("演示账号 {}：{refused}", account.login),
        };
        let region = places.of_account(account.at);
        if let Err(refused) =
            access::grant_role(&mut tx, &scope, officer, account.role, region).await?
        {
            bail!("演示账号 {}：{refused}", account.login);
        }
    }
    tx.commit().await
}

/// One of the demo's officers as an actor, for acts in the demo's past.
pub(crate) async fn scope_of(db: &Db, login: &str, purpose: Purpose) -> anyhow::Result<Scope> {
    let officer = access::officer::by_login(db, login).await?;
    let officer =
        officer.with_context(|| format!("演示账号 {login} 不存在 (no such demo account)"))?;
    let actor = Actor::officer(officer.id, officer.name, officer.roles);
    let region = actor.region;
    Ok(Scope {
        actor,
        region,
        purpose,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use access::PasswordPolicy;

    #[test]
    fn the_demo_password_would_be_accepted_as_any_other() {
        for account in ACCOUNTS {
            assert_eq!(
                PasswordPolicy::Djbh3.accepts(account.login, PASSWORD),
                Ok(()),
                "{}",
                account.login
            );
        }
    }

    #[test]
    fn every_role_has_an_account() {
        for role in Role::ALL {
            assert!(
                ACCOUNTS.iter().any(|account| account.role == role),
                "{role}"
            );
        }
    }
}
