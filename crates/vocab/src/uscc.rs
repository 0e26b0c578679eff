//! The unified social credit code (统一社会信用代码, GB 32100-2015) of an organisation.
//!
//! It carries two checks: position 17 closes the organisation code (GB 11714), position 18 the whole. A made-up
//! number easily satisfies one of them, so both are tested, and the answer says which failed.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The thirty-one symbols allowed: no I, O, S, V, Z.
const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
const WEIGHTS: [u32; 17] = [
    1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28,
];
const ORGANISATION_WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];

/// A checked unified social credit code (统一社会信用代码), upper case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Uscc(String);

/// Why a text is not a unified social credit code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UsccFault {
    /// Not eighteen characters.
    #[error("统一社会信用代码应为 18 位，读到 {0} 位；请对照登记证书补全")]
    Length(usize),
    /// A character outside the alphabet.
    #[error("统一社会信用代码里不会出现“{0}”；请检查是否把数字 0、1、5、2 写成了字母 O、I、S、Z")]
    Character(char),
    /// Position 17 does not close the organisation code.
    #[error("统一社会信用代码第 17 位（组织机构代码校验位）不对；请对照登记证书逐位核对")]
    OrganisationCheck,
    /// Position 18 does not close the whole.
    #[error("统一社会信用代码最后一位（校验位）不对；请对照登记证书逐位核对")]
    FinalCheck,
}

impl Uscc {
    /// Reads a code as people write it: lower case and surrounding blanks are forgiven, nothing else is.
    ///
    /// # Errors
    /// [`UsccFault`], the first reason in the order length, characters, position 17, position 18.
    pub fn read(text: &str) -> Result<Self, UsccFault> {
        let code = text.trim().to_ascii_uppercase();
        let length = code.chars().count();
        if length != 18 {
            return Err(UsccFault::Length(length));
        }
        if let Some(stranger) = code.chars().find(|c| !ALPHABET.contains(*c)) {
            return Err(UsccFault::Character(stranger));
        }
        let at = |index: usize| code.as_bytes().get(index).map(|byte| char::from(*byte));
        if organisation_check(&code[8..16]) != at(16) {
            return Err(UsccFault::OrganisationCheck);
        }
        if final_check(&code[..17]) != at(17) {
            return Err(UsccFault::FinalCheck);
        }
        Ok(Self(code))
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The check character of an organisation code of eight characters (组织机构代码校验位, GB 11714).
pub fn organisation_check(first_eight: &str) -> Option<char> {
    if first_eight.len() != 8 {
        return None;
    }
    let mut sum = 0;
    for (character, weight) in first_eight.chars().zip(ORGANISATION_WEIGHTS) {
        sum += character.to_digit(36)? * weight;
    }
    match 11 - sum % 11 {
        10 => Some('X'),
        11 => Some('0'),
        digit => char::from_digit(digit, 10),
    }
}

/// The last character of a unified social credit code, from the first seventeen (末位校验码).
pub fn final_check(first_seventeen: &str) -> Option<char> {
    if first_seventeen.len() != 17 {
        return None;
    }
    let mut sum = 0_u32;
    for (character, weight) in first_seventeen.chars().zip(WEIGHTS) {
        let place = ALPHABET.chars().position(|known| known == character)?;
        sum += u32::try_from(place).ok()? * weight;
    }
    let place = usize::try_from((31 - sum % 31) % 31).ok()?;
    ALPHABET.chars().nth(place)
}

impl TryFrom<String> for Uscc {
    type Error = UsccFault;
    fn try_from(text: String) -> Result<Self, UsccFault> {
        Self::read(&text)
    }
}

impl From<Uscc> for String {
    fn from(code: Uscc) -> Self {
        code.0
    }
}

impl fmt::Display for Uscc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_check_characters_are_computed() {
        // T17-20 … T17-27
        assert_eq!(final_check("91350100M000100Y4"), Some('3'));
        assert_eq!(organisation_check("MJL12345"), Some('4'));
        assert_eq!(final_check("52440306MJL123454"), Some('M'));
        assert_eq!(organisation_check("MJL00012"), Some('0'));
        assert_eq!(final_check("51440306MJL000120"), Some('G'));
        assert_eq!(organisation_check("MJ000001"), Some('8'));
        assert_eq!(final_check("53440000MJ0000018"), Some('A'));
        assert_eq!(final_check("51440303502689004"), Some('X'));
        assert_eq!(organisation_check("D2143569"), Some('X'));
        assert_eq!(organisation_check("M000100Y"), Some('4'));
        assert_eq!(organisation_check("MJ000000"), Some('X'));
        for whole in [
            "91350100M000100Y43",
            "52440306mjl123454m",
            " 51440306MJL000120G ",
            "53440000MJ0000018A",
        ] {
            assert!(Uscc::read(whole).is_ok(), "{whole}");
        }
    }

    #[test]
    fn a_number_satisfying_only_one_check_is_refused_with_the_check_named() {
        // The organisation check is wrong on purpose, the final one is made to fit.
        let seventeen = "52440306MJL123455";
        let last = final_check(seventeen).unwrap();
        assert_eq!(
            Uscc::read(&format!("{seventeen}{last}")),
            Err(UsccFault::OrganisationCheck)
        );
        assert_eq!(Uscc::read("91350100M000100Y44"), Err(UsccFault::FinalCheck));
    }

    #[test]
    fn five_letters_never_occur() {
        for letter in ['I', 'O', 'S', 'V', 'Z'] {
            let text = format!("9135010{letter}M000100Y43");
            assert_eq!(Uscc::read(&text), Err(UsccFault::Character(letter)));
        }
        assert_eq!(Uscc::read("91350100"), Err(UsccFault::Length(8)));
    }
}
