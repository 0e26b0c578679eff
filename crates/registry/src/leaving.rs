//! What may leave the register for counting (可以离开登记库的内容): numbers, dates, flags and codes under a pseudonym.
//!
//! A snapshot of the population is read by people and machines that must not know anybody. Guarantees: identifiers become
//! numbers that only the holder of this database's keys can make again; names, documents, phones, addresses and accounts
//! never leave, and of free texts only division codes do, so that nothing typed into a text field slips out.
//! Deliberately absent: the snapshot itself.

use store::Keys;
use uuid::Uuid;
use vocab::Region;

/// What of the person row and the membership may leave (登记自带内容中可以离开的).
pub const LEAVES: [&str; 5] = crate::facts::FROM_THE_REGISTER;

/// What must never stand in a snapshot under any name (绝不离开的).
const STAYS: [&str; 12] = [
    "name",
    "document",
    "document_kind",
    "document_number",
    "id_number",
    "phone",
    "address",
    "account",
    "account_number",
    "bank",
    "holder",
    "number",
];

/// Whether a fact's values may leave at all (该事实是否可以离开).
pub fn fact_may_leave(fact: &str) -> bool {
    !STAYS.contains(&fact)
}

/// Whether a text may leave (该文字是否可以离开): only as the code of a place.
pub fn text_may_leave(text: &str) -> bool {
    text.parse::<Region>().is_ok()
}

/// The number a household or person has in snapshots (快照编号): the same in all snapshots of this database, and made
/// again only with its keys.
pub fn pseudonym(keys: &Keys, id: Uuid) -> i64 {
    let blind = keys.blind_bytes("registry.leaving", id.as_bytes());
    let number = blind
        .get(..16)
        .and_then(|head| u64::from_str_radix(head, 16).ok())
        .unwrap_or(0);
    i64::try_from(number >> 1).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_codes_of_places_leave_as_texts() {
        assert!(text_may_leave("440306001001"));
        for typed in [
            "张三",
            "13800138000",
            "110101199003070013",
            "宝安区海裕社区 3 栋",
            "",
        ] {
            assert!(!text_may_leave(typed), "{typed}");
        }
        assert!(!fact_may_leave("phone") && fact_may_leave("wage"));
        assert!(LEAVES.iter().all(|fact| fact_may_leave(fact)));
    }

    #[test]
    fn a_pseudonym_is_the_same_again_and_says_nothing() {
        let keys = Keys::for_tests();
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(pseudonym(&keys, one), pseudonym(&keys, one));
        assert_ne!(pseudonym(&keys, one), pseudonym(&keys, two));
        assert!(pseudonym(&keys, one) > 0);
    }
}
