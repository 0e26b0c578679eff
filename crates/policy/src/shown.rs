//! A short text kept in place (显示文字): amounts and flags as people read them, hundreds in one answer.
//!
//! Up to 22 bytes need no memory of their own; longer texts have it. Deliberately absent: changing a text once it is made.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::ops::Deref;

/// How many bytes fit in place.
const ROOM: usize = 22;

/// A value as people read it (显示文字): `1,250.00`, `是`; read like any text.
#[derive(Clone)]
pub struct Shown(Kept);

#[derive(Clone)]
enum Kept {
    Short { length: u8, bytes: [u8; ROOM] },
    Long(Box<str>),
}

impl Shown {
    /// From the left part of a buffer of plain ASCII that was written from the right.
    pub(crate) fn of_ascii(ascii: &[u8]) -> Self {
        match u8::try_from(ascii.len()) {
            Ok(length) if ascii.len() <= ROOM => {
                let mut bytes = [0; ROOM];
                bytes[..ascii.len()].copy_from_slice(ascii);
                Self(Kept::Short { length, bytes })
            }
            _ => Self(Kept::Long(String::from_utf8_lossy(ascii).into())),
        }
    }
}

impl From<&str> for Shown {
    fn from(text: &str) -> Self {
        if text.len() <= ROOM {
            Self::of_ascii(text.as_bytes())
        } else {
            Self(Kept::Long(text.into()))
        }
    }
}

impl From<String> for Shown {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl Default for Shown {
    fn default() -> Self {
        Self::of_ascii(&[])
    }
}

impl Deref for Shown {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            // Only whole texts are put in, so nothing is ever left out here.
            Kept::Short { length, bytes } => bytes
                .get(..usize::from(*length))
                .and_then(|bytes| std::str::from_utf8(bytes).ok())
                .unwrap_or_default(),
            Kept::Long(text) => text,
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl PartialEq for Shown {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Shown {}

impl PartialEq<str> for Shown {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl PartialEq<&str> for Shown {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Shown {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_texts_read_the_same() {
        for text in [
            "",
            "是",
            "1,250.00",
            "七个汉字一共二十一",
            "1234567890123456789012",
            "12345678901234567890123",
            "民政局、街道办事处和社区居民委员会",
        ] {
            let shown = Shown::from(text);
            assert_eq!(&*shown, text);
            assert_eq!(shown, text);
            assert_eq!(shown.to_string(), text);
            let json = serde_json::to_string(&shown).unwrap();
            assert_eq!(json, serde_json::to_string(text).unwrap());
            assert_eq!(serde_json::from_str::<Shown>(&json).unwrap(), shown);
        }
    }
}
