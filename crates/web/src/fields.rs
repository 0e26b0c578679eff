//! Named values (字段): what came in a query or a form, in order, and how links keep them.
//!
//! Own reading of `application/x-www-form-urlencoded`: names may repeat, bytes that are not UTF-8, and nought, become replacement
//! characters, nothing is refused here.

use std::fmt::Write as _;

/// Named values in the order they came (字段).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// No values.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Reads `a=1&b=2` (解析).
    pub fn read(text: &str) -> Self {
        Self(
            text.split('&')
                .filter(|pair| !pair.is_empty())
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decoded(name), decoded(value))
                })
                .collect(),
        )
    }

    /// The first value of a name, without surrounding blanks; empty when there is none (取值).
    pub fn get(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(n, _)| n == name)
            .map_or("", |(_, value)| value.trim())
    }

    /// The first value of a name, if it is there and not blank (取非空值).
    pub fn some(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|value| !value.is_empty())
    }

    /// Whether a name is there at all, as with a ticked box (有无).
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(n, _)| n == name)
    }

    /// All values of a name (取多值).
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// All pairs in order (全部).
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Adds a pair at the end (添加).
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// The same values with one name set to a value (换值); an empty value takes the name away.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut pairs: Vec<_> = self.0.iter().filter(|(n, _)| n != name).cloned().collect();
        if !value.is_empty() {
            pairs.push((name.to_owned(), value.to_owned()));
        }
        Self(pairs)
    }

    /// All pairs written as a query, blank ones too (全部写出), to be read back by [`Fields::read`].
    pub fn all_of(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.0 {
            if !text.is_empty() {
                text.push('&');
            }
            encode(name, &mut text);
            text.push('=');
            encode(value, &mut text);
        }
        text
    }

    /// A link to a path with these values, blank ones left out (链接).
    pub fn href(&self, path: &str) -> String {
        let mut link = path.to_owned();
        let mut joint = if path.contains('?') { '&' } else { '?' };
        for (name, value) in self.0.iter().filter(|(_, value)| !value.is_empty()) {
            link.push(joint);
            encode(name, &mut link);
            link.push('=');
            encode(value, &mut link);
            joint = '&';
        }
        link
    }
}

impl FromIterator<(String, String)> for Fields {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

/// Percent-encodes a text for a link (编码).
pub fn encoded(text: &str) -> String {
    let mut out = String::new();
    encode(text, &mut out);
    out
}

fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |place: usize| bytes.get(place).and_then(|b| char::from(*b).to_digit(16));
        match bytes[at] {
            b'+' => out.push(b' '),
            b'%' => {
                if let (Some(high), Some(low)) = (hex(at + 1), hex(at + 2)) {
                    out.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                    at += 2;
                } else {
                    out.push(b'%');
                }
            }
            other => out.push(other),
        }
        at += 1;
    }
    // No database keeps the character nought in a text.
    String::from_utf8_lossy(&out).replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::{Fields, encoded};

    #[test]
    fn what_is_written_into_a_link_is_read_back() {
        let fields = Fields::read("q=%E5%BC%A0+%E8%8A%B3&page=2&x=%zz&q=b&empty=");
        assert_eq!(fields.get("q"), "张 芳");
        assert_eq!(fields.all("q").collect::<Vec<_>>(), ["张 芳", "b"]);
        assert_eq!(fields.get("x"), "%zz");
        assert_eq!(fields.some("empty"), None);
        assert!(fields.has("empty") && !fields.has("other"));
        let link = fields
            .with("page", "3")
            .with("x", "")
            .with("q", "𬱖&=")
            .href("/people");
        assert_eq!(link, "/people?page=3&q=%F0%AC%B1%96%26%3D");
        assert_eq!(
            Fields::read(link.split_once('?').unwrap().1).get("q"),
            "𬱖&="
        );
        assert_eq!(encoded("a b"), "a%20b");
        assert_eq!(Fields::read("q=a%00b").get("q"), "a\u{fffd}b");
    }
}
