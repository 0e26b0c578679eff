//! Who is acting, where and why (操作人、范围、事由). Every query of the crates above takes a [`Scope`].
//!
//! A scope only narrows: it can be made for a region inside the actor's own, never for a wider one.

use crate::{Denied, Permission, Role, may};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use uuid::Uuid;
use vocab::Region;
use vocab::ids::OfficerId;

/// Who is acting (操作人): an officer with the roles held today, the system itself, or a member of the public.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The officer; nil for the system and the public.
    pub officer: OfficerId,
    /// The name shown beside what the officer did.
    pub name: String,
    /// The roles held, each in its region.
    pub roles: Vec<(Role, Region)>,
    /// The widest region in which any role is held.
    pub region: Region,
    /// Of what the roles carry only this much; `None` is all of it. So a program's key is narrower than its account.
    pub only: Option<BTreeSet<Permission>>,
}

impl Actor {
    /// An officer with these roles (工作人员); the widest region is worked out here.
    pub fn officer(
        officer: OfficerId,
        name: impl Into<String>,
        roles: Vec<(Role, Region)>,
    ) -> Self {
        let region = widest(roles.iter().map(|(_, region)| *region)).unwrap_or(Region::NATION);
        Self {
            officer,
            name: name.into(),
            roles,
            region,
            only: None,
        }
    }

    /// The same narrowed to some permissions (缩小权限).
    #[must_use]
    pub fn only(mut self, permissions: BTreeSet<Permission>) -> Self {
        self.only = Some(match self.only {
            None => permissions,
            Some(held) => held.intersection(&permissions).copied().collect(),
        });
        self
    }

    /// Whether a role is held that carries a permission not narrowed away, wherever that is (有无此权限).
    pub(crate) fn carries(&self, permission: Permission, role: Role) -> bool {
        permission.roles().contains(&role)
            && self
                .only
                .as_ref()
                .is_none_or(|only| only.contains(&permission))
    }

    /// The system itself (系统): night jobs, imports at the console, the demo builder.
    pub fn system() -> Self {
        Self::officer(
            OfficerId(Uuid::nil()),
            "系统",
            Role::ALL
                .into_iter()
                .map(|role| (role, Region::NATION))
                .collect(),
        )
    }

    /// A member of the public, not signed in (公众): holds no role.
    pub fn public() -> Self {
        Self::officer(OfficerId(Uuid::nil()), "公众", Vec::new())
    }

    /// Whether a role is held in a region that holds `at` (在某地有某岗位).
    pub fn has_role(&self, role: Role, at: Region) -> bool {
        self.roles
            .iter()
            .any(|(held, region)| *held == role && region.holds(at))
    }

    /// The widest region in which a permission is held (某权限的最大范围), if any.
    pub fn region_of(&self, permission: Permission) -> Option<Region> {
        widest(
            self.roles
                .iter()
                .filter(|(role, _)| self.carries(permission, *role))
                .map(|(_, region)| *region),
        )
    }

    /// Whether this is the system or the public, not a person who answers for the act.
    pub fn is_nobody(&self) -> bool {
        self.officer.0.is_nil()
    }
}

/// The widest of several regions; of two equally wide ones the first by code, so that the answer is always the same.
fn widest(regions: impl Iterator<Item = Region>) -> Option<Region> {
    regions.min_by_key(|region| (region.level(), *region))
}

/// Why something is looked at or done (事由); stands in the journal beside every act and every look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// 办理申请。
    Application,
    /// 审核、复核。
    Review,
    /// 发放。
    Payment,
    /// 审计。
    Audit,
    /// 查询，附说明。
    Enquiry(String),
    /// 导入。
    Import,
    /// 系统任务。
    System,
}

impl Purpose {
    /// The word written into the journal (事由文字).
    pub fn text(&self) -> String {
        match self {
            Self::Application => "办理申请".to_owned(),
            Self::Review => "审核".to_owned(),
            Self::Payment => "发放".to_owned(),
            Self::Audit => "审计".to_owned(),
            Self::Enquiry(why) => format!("查询：{why}"),
            Self::Import => "导入".to_owned(),
            Self::System => "系统任务".to_owned(),
        }
    }
}

/// The scope of an act or a look (范围): who, in which region, for which purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Who.
    pub actor: Actor,
    /// Only what lies in this region can be seen or touched.
    pub region: Region,
    /// Why.
    pub purpose: Purpose,
}

impl Scope {
    /// The scope in which an actor may use a permission (按权限取范围): the widest region in which it is held.
    ///
    /// # Errors
    /// [`Denied`] when no role of the actor carries the permission.
    pub fn of(actor: &Actor, permission: Permission, purpose: Purpose) -> Result<Self, Denied> {
        let region = actor
            .region_of(permission)
            .ok_or(Denied::NoRole(permission))?;
        Ok(Self {
            actor: actor.clone(),
            region,
            purpose,
        })
    }

    /// A narrower scope (缩小范围).
    ///
    /// # Errors
    /// [`Denied::Elsewhere`] when `region` does not lie inside this scope.
    pub fn within(&self, region: Region) -> Result<Self, Denied> {
        if self.region.holds(region) {
            Ok(Self {
                actor: self.actor.clone(),
                region,
                purpose: self.purpose.clone(),
            })
        } else {
            Err(Denied::Elsewhere)
        }
    }

    /// The system's own scope in a region (系统范围).
    pub fn system(region: Region) -> Self {
        Self {
            actor: Actor::system(),
            region,
            purpose: Purpose::System,
        }
    }

    /// The codes of the scope as the half-open range of texts `[first, beyond)` for SQL (区划代码区间).
    pub fn code_range(&self) -> (String, String) {
        self.region.code_range()
    }

    /// Whether a place lies in the scope (是否在范围内).
    pub fn holds(&self, place: Region) -> bool {
        self.region.holds(place)
    }

    /// Whether the actor may use a permission at a place *and* the place lies in the scope (范围内的权限).
    ///
    /// # Errors
    /// [`Denied`], saying whether the role or the region is missing.
    pub fn may(&self, permission: Permission, at: Region) -> Result<(), Denied> {
        if !self.holds(at) {
            return Err(Denied::Elsewhere);
        }
        may(&self.actor, permission, at)
    }
}

#[cfg(test)]
mod tests {
    use super::{Actor, Permission, Purpose, Region, Role, Scope};
    use crate::Denied;
    use vocab::ids::OfficerId;

    fn region(code: &str) -> Region {
        code.parse().unwrap()
    }

    fn officer(roles: &[(Role, &str)]) -> Actor {
        Actor::officer(
            OfficerId(uuid::Uuid::from_u128(1)),
            "王窗口",
            roles
                .iter()
                .map(|(role, code)| (*role, region(code)))
                .collect(),
        )
    }

    #[test]
    fn a_scope_takes_the_widest_region_of_the_roles_that_carry_the_permission() {
        let actor = officer(&[
            (Role::WindowOfficer, "440306001001"),
            (Role::StreetReviewer, "440306001"),
            (Role::RuleOfficer, "440306"),
        ]);
        assert_eq!(actor.region, region("440306"));
        let scope = Scope::of(&actor, Permission::SeeCases, Purpose::Review).unwrap();
        assert_eq!(scope.region, region("440306001"));
        assert_eq!(
            Scope::of(&actor, Permission::ManageOfficers, Purpose::Review),
            Err(Denied::NoRole(Permission::ManageOfficers))
        );
    }

    #[test]
    fn a_scope_can_be_narrowed_and_never_widened() {
        let scope = Scope::system(region("440306001"));
        assert_eq!(
            scope.within(region("440306001002")).unwrap().region,
            region("440306001002")
        );
        assert_eq!(scope.within(region("440306")), Err(Denied::Elsewhere));
        assert_eq!(scope.within(region("440306002001")), Err(Denied::Elsewhere));
    }

    #[test]
    fn what_is_narrowed_away_is_held_nowhere() {
        let officer = officer(&[(Role::StreetReviewer, "440306001")]);
        let home = region("440306001");
        let key = officer.only([Permission::SeeCases, Permission::ManageOfficers].into());
        assert_eq!(key.region_of(Permission::SeeCases), Some(home));
        for away in [Permission::SeePeople, Permission::ManageOfficers] {
            assert_eq!(key.region_of(away), None);
            assert_eq!(crate::may(&key, away, home), Err(Denied::NoRole(away)));
        }
        assert_eq!(key.only([].into()).region_of(Permission::SeeCases), None);
    }

    #[test]
    fn the_public_holds_nothing() {
        assert!(Actor::public().is_nobody());
        for (permission, ..) in crate::TABLE {
            assert!(Scope::of(&Actor::public(), *permission, Purpose::System).is_err());
        }
    }
}
