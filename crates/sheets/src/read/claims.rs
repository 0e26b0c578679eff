//! What a part of a workbook claims of itself (自报的条数), found while its bytes go by.
//!
//! The library makes room for as many shared texts as `uniqueCount` says before it has read one. Guarantees: the largest such
//! claim is found wherever it stands, also in UTF-16. Deliberately absent: any other reading of XML.

use std::io::{Result, Write};

const NAME: &[u8] = b"uniqueCount";

/// Listens to a part's bytes (旁听): how many there are, and the largest count claimed.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// Bytes so far.
    bytes: u64,
    /// The largest claim so far.
    most: u64,
    heard: Heard,
}

#[derive(Debug, Clone, Copy)]
enum Heard {
    /// So many letters of the name.
    Name(usize),
    /// The name; then come `=` and a quotation mark.
    Value,
    Number(u64),
}

impl Default for Heard {
    fn default() -> Self {
        Self::Name(0)
    }
}

impl Claims {
    /// Whether so many texts can be in so many bytes (能否属实): the shortest is `<si/>`.
    pub(super) fn hold(&self) -> bool {
        self.most <= self.bytes / 5
    }

    fn hear(&mut self, byte: u8) {
        self.heard = match (self.heard, byte) {
            // Between the letters of UTF-16.
            (heard, 0) => heard,
            (Heard::Name(known), _) if byte == NAME[known] && known + 1 == NAME.len() => {
                Heard::Value
            }
            (Heard::Name(known), _) if byte == NAME[known] => Heard::Name(known + 1),
            (Heard::Value, b'=' | b'"' | b'\'' | b' ' | b'\t' | b'\r' | b'\n' | b'+') => {
                Heard::Value
            }
            (Heard::Value, b'0'..=b'9') => Heard::Number(u64::from(byte - b'0')),
            (Heard::Number(number), b'0'..=b'9') => {
                let digit = u64::from(byte - b'0');
                Heard::Number(number.saturating_mul(10).saturating_add(digit))
            }
            // Only its first letter begins the name anew: it stands there once.
            _ => Heard::Name(usize::from(byte == NAME[0])),
        };
        if let Heard::Number(number) = self.heard {
            self.most = self.most.max(number);
        }
    }
}

impl Write for Claims {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        for byte in bytes {
            self.hear(*byte);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Claims;
    use std::io::Write;

    fn hold(pieces: &[&[u8]]) -> bool {
        let mut claims = Claims::default();
        for piece in pieces {
            claims.write_all(piece).unwrap();
        }
        claims.hold()
    }

    #[test]
    fn more_texts_than_the_bytes_can_hold_are_no_claim_to_believe() {
        // Three texts of five bytes each, and the claim of three.
        assert!(hold(&[b"<sst uniqueCount=\"3\"><si/><si/><si/></sst>"]));
        assert!(!hold(&[b"<sst uniqueCount=\"99999999999\"><si/></sst>"]));
        assert!(!hold(&[
            b"<sst count=\"1\" uni",
            b"queCount = '9",
            b"9999'>"
        ]));
        assert!(!hold(&[
            b"<!-- uuniqueCount --><sst uniqueCount=\"99999999999999999999999\">"
        ]));
        let wide: Vec<u8> = "<sst uniqueCount=\"99999\">"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert!(!hold(&[&wide]));
    }
}
