//! The mark on a printed form of consent (授权书上的二维码): whose it is and for what, signed, so that the scanned sheet is
//! attached to the right person by itself.
//!
//! Guarantees: a mark is only read if this house wrote it. Deliberately absent: names, numbers and finding the mark in a picture.

use std::fmt::Write as _;
use store::Keys;
use uuid::Uuid;
use vocab::ids::{HouseholdId, PersonId};

/// What a mark begins with.
const KIND: &str = "HMSQ1";
/// The domain of the signature.
const DOMAIN: &str = "registry.consent.form";
/// How much of the signature stands in the mark: 80 bits, short enough for a square a phone reads.
const SIGNED: usize = 20;

/// Whose form it is (授权书归属).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marked {
    /// For which household's application.
    pub household: HouseholdId,
    /// Whose consent.
    pub person: PersonId,
}

/// The text of the QR of a form (写二维码).
pub fn mark(keys: &Keys, of: Marked, purpose: &str) -> String {
    let mut text = format!(
        "{KIND}:{}:{}",
        of.household.0.simple(),
        of.person.0.simple()
    );
    let signature = signature(keys, &text, purpose);
    // Writing to a text cannot fail.
    write!(text, ":{signature}").unwrap_or_default();
    text
}

/// Reads the text of a QR back (读二维码); `None` for what this house did not write for this purpose.
pub fn read_mark(keys: &Keys, text: &str, purpose: &str) -> Option<Marked> {
    let (body, signed) = text.trim().rsplit_once(':')?;
    if signature(keys, body, purpose) != signed {
        return None;
    }
    let mut parts = body.split(':');
    if parts.next()? != KIND {
        return None;
    }
    let household = Uuid::try_parse(parts.next()?).ok()?;
    let person = Uuid::try_parse(parts.next()?).ok()?;
    parts.next().is_none().then_some(Marked {
        household: HouseholdId(household),
        person: PersonId(person),
    })
}

fn signature(keys: &Keys, body: &str, purpose: &str) -> String {
    let mut signed = keys.sign(DOMAIN, format!("{body}|{}", purpose.trim()).as_bytes());
    signed.truncate(SIGNED);
    signed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_back_and_a_forged_one_is_not() {
        let keys = Keys::for_tests();
        let of = Marked {
            household: HouseholdId(Uuid::from_u128(7)),
            person: PersonId(Uuid::from_u128(9)),
        };
        let text = mark(&keys, of, "核对");
        assert_eq!(read_mark(&keys, &text, "核对"), Some(of));
        assert_eq!(read_mark(&keys, &text, "别的用途"), None);
        let another = text.replace(
            &Uuid::from_u128(9).simple().to_string(),
            &Uuid::from_u128(8).simple().to_string(),
        );
        assert_eq!(
            read_mark(&keys, &another, "核对"),
            None,
            "another person under the same signature"
        );
        assert_eq!(read_mark(&keys, "https://example.test", "核对"), None);
    }
}
