//! Identity documents (身份证件): which kind, which number, and whether the number can be right.
//!
//! Not everyone has a citizen identity number: a foreign spouse, a resident from Hong Kong, Macao or Taiwan, a
//! newborn with only a birth certificate, a person found in the street with nothing. Each kind is checked as far as
//! its own rule goes and no further. `Debug` masks the number, because debug output ends in logs.

use crate::id_number::{IdFault, IdNumber};
use crate::sex::Sex;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The kind of an identity document (证件类型).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// 居民身份证
    ResidentId,
    /// 港澳台居民居住证
    ResidencePermit,
    /// 外国人永久居留身份证
    ForeignPermanentResident,
    /// 护照
    Passport,
    /// 出生医学证明
    BirthCertificate,
    /// 无身份证件
    None,
}

impl DocumentKind {
    /// All kinds, the common one first.
    pub const ALL: [Self; 6] = [
        Self::ResidentId,
        Self::ResidencePermit,
        Self::ForeignPermanentResident,
        Self::Passport,
        Self::BirthCertificate,
        Self::None,
    ];

    /// The stored code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::ResidentId => "resident_id",
            Self::ResidencePermit => "residence_permit",
            Self::ForeignPermanentResident => "foreign_permanent_resident",
            Self::Passport => "passport",
            Self::BirthCertificate => "birth_certificate",
            Self::None => "none",
        }
    }

    /// The Chinese name.
    pub const fn name_zh(self) -> &'static str {
        match self {
            Self::ResidentId => "居民身份证",
            Self::ResidencePermit => "港澳台居民居住证",
            Self::ForeignPermanentResident => "外国人永久居留身份证",
            Self::Passport => "护照",
            Self::BirthCertificate => "出生医学证明",
            Self::None => "无身份证件",
        }
    }

    /// The English name.
    pub const fn name_en(self) -> &'static str {
        match self {
            Self::ResidentId => "resident identity card",
            Self::ResidencePermit => "residence permit of Hong Kong, Macao and Taiwan residents",
            Self::ForeignPermanentResident => "foreign permanent resident card",
            Self::Passport => "passport",
            Self::BirthCertificate => "birth certificate",
            Self::None => "no document",
        }
    }

    /// Reads a code, a Chinese name, or the short word people write for it.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let by_name = Self::ALL
            .into_iter()
            .find(|kind| text == kind.code() || text == kind.name_zh());
        by_name.or(match text {
            "身份证" => Some(Self::ResidentId),
            "居住证" | "港澳台居住证" => Some(Self::ResidencePermit),
            "永居证" | "外国人永久居留证" => Some(Self::ForeignPermanentResident),
            "出生证" | "出生证明" => Some(Self::BirthCertificate),
            "无" | "无证件" => Some(Self::None),
            _ => None,
        })
    }
}

/// An identity document (身份证件) whose number passed the checks of its kind.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Document {
    kind: DocumentKind,
    number: String,
    #[serde(skip)]
    born: Option<NaiveDate>,
    #[serde(skip)]
    sex: Option<Sex>,
}

/// Why a document number cannot be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentFault {
    /// The citizen number rule of GB 11643 is broken.
    #[error(transparent)]
    Id(#[from] IdFault),
    /// A residence permit begins with 81, 82 or 83.
    #[error("港澳台居民居住证号应以 81、82 或 83 开头；如是居民身份证，请把证件类型改为居民身份证")]
    NotAResidencePermit,
    /// A foreign permanent resident card has 15 characters (three letters, twelve digits) or 18 digits beginning with 9.
    #[error("外国人永久居留身份证号应为 3 个字母加 12 位数字，或以 9 开头的 18 位；请对照证件核对")]
    NotAPermanentResidentCard,
    /// Not a plausible number of letters and digits.
    #[error("{0}号码应为 {1} 到 {2} 位字母或数字；请对照证件核对")]
    Shape(&'static str, usize, usize),
    /// A number was given with "no document".
    #[error("证件类型为“无身份证件”时号码应留空；如有号码，请选择证件类型")]
    NumberWithoutDocument,
}

impl Document {
    /// Reads a number of a kind as people write it.
    ///
    /// # Errors
    /// [`DocumentFault`], with the remedy in its sentence.
    pub fn read(kind: DocumentKind, number: &str, today: NaiveDate) -> Result<Self, DocumentFault> {
        let written = number.trim().to_ascii_uppercase();
        match kind {
            DocumentKind::ResidentId => Ok(Self::from_id(kind, &IdNumber::read(&written, today)?)),
            DocumentKind::ResidencePermit => {
                let id = IdNumber::read(&written, today)?;
                if !["81", "82", "83"].contains(&&id.as_str()[..2]) || id.original().is_some() {
                    return Err(DocumentFault::NotAResidencePermit);
                }
                Ok(Self::from_id(kind, &id))
            }
            DocumentKind::ForeignPermanentResident => Self::permanent_resident(&written, today),
            DocumentKind::Passport => Self::shaped(kind, written, 5, 20),
            DocumentKind::BirthCertificate => Self::shaped(kind, written, 6, 20),
            DocumentKind::None if written.is_empty() => Ok(Self::none()),
            DocumentKind::None => Err(DocumentFault::NumberWithoutDocument),
        }
    }

    /// A citizen's identity card, already checked.
    pub fn resident(id: &IdNumber) -> Self {
        Self::from_id(DocumentKind::ResidentId, id)
    }

    /// A person without any document (无身份证件).
    pub const fn none() -> Self {
        Self {
            kind: DocumentKind::None,
            number: String::new(),
            born: None,
            sex: None,
        }
    }

    fn from_id(kind: DocumentKind, id: &IdNumber) -> Self {
        Self {
            kind,
            number: id.as_str().to_owned(),
            born: Some(id.birth_date()),
            sex: Some(id.sex()),
        }
    }

    fn permanent_resident(written: &str, today: NaiveDate) -> Result<Self, DocumentFault> {
        let kind = DocumentKind::ForeignPermanentResident;
        if written.len() == 18 && written.starts_with('9') {
            // The card of 2023 is built like a citizen number.
            return Ok(Self::from_id(kind, &IdNumber::read(written, today)?));
        }
        let letters_then_digits = written.len() == 15
            && written.bytes().enumerate().all(|(index, byte)| {
                if index < 3 {
                    byte.is_ascii_uppercase()
                } else {
                    byte.is_ascii_digit()
                }
            });
        if !letters_then_digits {
            return Err(DocumentFault::NotAPermanentResidentCard);
        }
        Ok(Self {
            kind,
            number: written.to_owned(),
            born: None,
            sex: None,
        })
    }

    fn shaped(
        kind: DocumentKind,
        written: String,
        shortest: usize,
        longest: usize,
    ) -> Result<Self, DocumentFault> {
        let fits = (shortest..=longest).contains(&written.len())
            && written.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !fits {
            return Err(DocumentFault::Shape(kind.name_zh(), shortest, longest));
        }
        Ok(Self {
            kind,
            number: written,
            born: None,
            sex: None,
        })
    }

    /// Its kind.
    pub fn kind(&self) -> DocumentKind {
        self.kind
    }

    /// Its number, upper case; empty for "no document".
    pub fn number(&self) -> &str {
        &self.number
    }

    /// The birth date its number carries, if it carries one.
    pub fn birth_date(&self) -> Option<NaiveDate> {
        self.born
    }

    /// The sex its number carries, if it carries one.
    pub fn sex(&self) -> Option<Sex> {
        self.sex
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Document({}, {} 位)",
            self.kind.code(),
            self.number.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: DocumentKind, number: &str) -> Result<Document, DocumentFault> {
        Document::read(kind, number, NaiveDate::from_ymd_opt(2026, 7, 1).unwrap())
    }

    #[test]
    fn each_kind_is_checked_by_its_own_rule() {
        let permit = read(DocumentKind::ResidencePermit, "810000199001010019").unwrap();
        assert_eq!(permit.birth_date(), NaiveDate::from_ymd_opt(1990, 1, 1));
        assert_eq!(
            read(DocumentKind::ResidencePermit, "440300199001010016"),
            Err(DocumentFault::NotAResidencePermit)
        );
        assert!(read(DocumentKind::ForeignPermanentResident, "usa110090010100").is_ok());
        assert_eq!(
            read(DocumentKind::ForeignPermanentResident, "1234"),
            Err(DocumentFault::NotAPermanentResidentCard)
        );
        assert!(read(DocumentKind::Passport, "E12345678").is_ok());
        assert!(read(DocumentKind::Passport, "护照").is_err());
        assert!(read(DocumentKind::BirthCertificate, "R440012345").is_ok());
        assert_eq!(read(DocumentKind::None, ""), Ok(Document::none()));
        assert_eq!(
            read(DocumentKind::None, "1"),
            Err(DocumentFault::NumberWithoutDocument)
        );
    }

    #[test]
    fn kinds_are_read_by_code_name_and_everyday_word() {
        for kind in DocumentKind::ALL {
            assert_eq!(DocumentKind::read(kind.code()), Some(kind));
            assert_eq!(DocumentKind::read(kind.name_zh()), Some(kind));
        }
        assert_eq!(DocumentKind::read("身份证"), Some(DocumentKind::ResidentId));
        assert_eq!(DocumentKind::read("驾驶证"), None);
    }

    #[test]
    fn debug_output_does_not_show_the_number() {
        let shown = format!("{:?}", read(DocumentKind::Passport, "E12345678").unwrap());
        assert!(!shown.contains("E1234"), "{shown}");
    }
}
