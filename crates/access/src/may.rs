//! Asking the permission table (鉴权), and the rule of two people (不同人复核).
//!
//! Pure: no database, no clock. A "no" says whether the role or the region is missing, so that the page can say whom
//! to turn to; towards the outside both look the same where existence itself must not be told.

use crate::{Actor, Permission};
use vocab::Region;
use vocab::ids::OfficerId;

/// Why an act or a look is denied (无权原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Nobody is signed in.
    #[error("请先登录")]
    NotSignedIn,
    /// No role of the actor carries the permission.
    #[error("您的岗位没有“{}”权限", .0.name_zh())]
    NoRole(Permission),
    /// The role is held, but not in this region.
    #[error("不在您的工作区域内")]
    Elsewhere,
}

/// Whether an actor may use a permission at a place (鉴权).
///
/// # Errors
/// [`Denied`], saying whether the role or the region is missing.
///
/// For example a street reviewer of 440306001 may see the cases of 440306001002, and is denied those of 440306002.
pub fn may(actor: &Actor, permission: Permission, at: Region) -> Result<(), Denied> {
    let mut holds_role = false;
    for (role, region) in &actor.roles {
        if actor.carries(permission, *role) {
            if region.holds(at) {
                return Ok(());
            }
            holds_role = true;
        }
    }
    match (holds_role, actor.is_nobody()) {
        (true, _) => Err(Denied::Elsewhere),
        (false, true) => Err(Denied::NotSignedIn),
        (false, false) => Err(Denied::NoRole(permission)),
    }
}

/// The second person is the first one, or nobody (同一人不能复核).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("上一步由您本人办理，请由另一位同事办理这一步")]
pub struct SamePerson;

/// Four eyes (双人原则): whether `now` is a person other than the one who did the step before.
///
/// The system is nobody: it can neither check a person nor be checked away. One person cannot hold two accounts
/// ([`crate::officer::Refused::SamePersonHasAccount`]), so comparing accounts compares people.
///
/// # Errors
/// [`SamePerson`].
pub fn another_officer(before: OfficerId, now: &Actor) -> Result<(), SamePerson> {
    if now.is_nobody() || now.officer == before {
        Err(SamePerson)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Actor, Denied, OfficerId, Permission, Region, SamePerson, another_officer, may};
    use crate::{Role, TABLE};
    use uuid::Uuid;

    fn region(code: &str) -> Region {
        code.parse().unwrap()
    }

    #[test]
    fn every_role_and_place_is_answered_as_the_table_says() {
        let home = region("440306001001");
        let places = [
            ("own", "440306001001", true),
            ("parent", "440306001", false),
            ("sibling", "440306001002", false),
            ("other street", "440306002001", false),
        ];
        for role in Role::ALL {
            let actor = Actor::officer(OfficerId(Uuid::from_u128(7)), "某人", vec![(role, home)]);
            for (permission, roles, _) in TABLE {
                for (which, place, inside) in places {
                    let expected = match (roles.contains(&role), inside) {
                        (true, true) => Ok(()),
                        (true, false) => Err(Denied::Elsewhere),
                        (false, _) => Err(Denied::NoRole(*permission)),
                    };
                    assert_eq!(
                        may(&actor, *permission, region(place)),
                        expected,
                        "{role} {permission} {which}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_street_role_reaches_its_communities() {
        let actor = Actor::officer(
            OfficerId(Uuid::from_u128(7)),
            "某人",
            vec![(Role::StreetReviewer, region("440306001"))],
        );
        assert_eq!(
            may(&actor, Permission::SeeCases, region("440306001002")),
            Ok(())
        );
        assert_eq!(
            may(&actor, Permission::SeeCases, region("440306")),
            Err(Denied::Elsewhere)
        );
        assert_eq!(
            may(&Actor::public(), Permission::SeeCases, region("440306")),
            Err(Denied::NotSignedIn)
        );
    }

    #[test]
    fn two_people_are_two_people_and_the_system_is_nobody() {
        let first = OfficerId(Uuid::from_u128(1));
        let same = Actor::officer(first, "甲", Vec::new());
        let other = Actor::officer(OfficerId(Uuid::from_u128(2)), "乙", Vec::new());
        assert_eq!(another_officer(first, &same), Err(SamePerson));
        assert_eq!(another_officer(first, &other), Ok(()));
        assert_eq!(another_officer(first, &Actor::system()), Err(SamePerson));
    }
}
