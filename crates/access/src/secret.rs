//! Randomness for secrets (随机密钥): session tokens, second-factor secrets, receipt codes.
//!
//! The one exception to "randomness is a parameter": identifiers may be seeded and replayed, secrets may not. So this
//! asks the operating system, and nothing else in the house does so for tokens.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// So many bytes from the operating system (系统随机数).
///
/// A machine without randomness must not hand out sessions: stopping is the only safe answer.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut filled = [0_u8; N];
    getrandom::fill(&mut filled)
        .expect("the operating system's random source answers on every supported system");
    filled
}

/// A new 256-bit token (令牌) as 43 letters that need no escaping in a cookie or a link.
pub fn token() -> String {
    URL_SAFE_NO_PAD.encode(bytes::<32>())
}

/// A short code people read aloud (口述代码): letters and digits that cannot be mistaken for one another, 5 bits each.
pub fn spoken_code<const N: usize>() -> String {
    const LETTERS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    bytes::<N>()
        .into_iter()
        .map(|byte| char::from(LETTERS[usize::from(byte % 32)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{spoken_code, token};

    #[test]
    fn tokens_are_long_and_never_the_same() {
        assert_eq!(token().len(), 43);
        assert_ne!(token(), token());
        assert_eq!(spoken_code::<10>().len(), 10);
    }
}
