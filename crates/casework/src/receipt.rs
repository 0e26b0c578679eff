//! Receipt codes (回执码): what the applicant types to see how far the application is.
//!
//! Guarantees: a code follows from the application and the house's keys alone, so it is stored nowhere in clear and can
//! be printed again; it cannot be guessed (60 bits of an HMAC) and a mistyped symbol is noticed before the database is
//! asked. Deliberately absent: letters that look like digits (I, L, O, U).

use store::Keys;
use vocab::ids::ApplicationId;

pub(crate) const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Odd weights: multiplying by them mod 32 loses nothing, so one wrong symbol always changes the check.
const WEIGHTS: [u32; 12] = [1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23];

/// The code of an application (回执码): `7K3F-9M2Q-XW4T-C`.
pub fn code(keys: &Keys, application: ApplicationId) -> String {
    let mac = keys.blind("casework.receipt", &application.to_string());
    let bits = mac
        .get(..16)
        .and_then(|hex| u64::from_str_radix(hex, 16).ok())
        .unwrap_or(0);
    let values: Vec<u32> = (0..12)
        .map(|place| u32::try_from(bits >> (place * 5) & 31).unwrap_or(0))
        .collect();
    let mut text = String::with_capacity(16);
    for (place, value) in values.iter().enumerate() {
        if place > 0 && place % 4 == 0 {
            text.push('-');
        }
        text.push(symbol(*value));
    }
    text.push('-');
    text.push(symbol(check(&values)));
    text
}

/// What is stored in place of the code, to find its application again.
pub(crate) fn key(keys: &Keys, code: &str) -> String {
    keys.blind("casework.receipt.key", code)
}

/// Reads a code as people type it: any case, with or without dashes, O for 0, I and L for 1; `None` if it cannot be one.
pub fn normalise(typed: &str) -> Option<String> {
    let values: Vec<u32> = typed
        .chars()
        .filter(|letter| !letter.is_whitespace() && !matches!(letter, '-' | '－' | '—'))
        .map(|letter| match letter.to_ascii_uppercase() {
            'O' => Some(0),
            'I' | 'L' => Some(1),
            letter => SYMBOLS
                .iter()
                .position(|symbol| char::from(*symbol) == letter)
                .and_then(|place| u32::try_from(place).ok()),
        })
        .collect::<Option<_>>()?;
    let (last, body) = values.split_last()?;
    if body.len() != WEIGHTS.len() || check(body) != *last {
        return None;
    }
    let text: String = body.iter().map(|value| symbol(*value)).collect();
    Some(format!(
        "{}-{}-{}-{}",
        &text[..4],
        &text[4..8],
        &text[8..12],
        symbol(*last)
    ))
}

fn check(values: &[u32]) -> u32 {
    values
        .iter()
        .zip(WEIGHTS)
        .map(|(value, weight)| value * weight)
        .sum::<u32>()
        % 32
}

pub(crate) fn symbol(value: u32) -> char {
    usize::try_from(value)
        .ok()
        .and_then(|place| SYMBOLS.get(place))
        .map_or('0', |symbol| char::from(*symbol))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_code_is_read_back_however_it_is_typed_and_a_wrong_symbol_is_noticed() {
        let keys = Keys::for_tests();
        for number in 0..200_u128 {
            let code = code(&keys, ApplicationId(Uuid::from_u128(number)));
            assert_eq!(code.len(), 16);
            assert_eq!(normalise(&code), Some(code.clone()));
            assert_eq!(
                normalise(&code.to_lowercase().replace('-', " ")),
                Some(code.clone())
            );
            let mut wrong: Vec<char> = code.chars().collect();
            wrong[2] = if wrong[2] == '7' { '8' } else { '7' };
            assert_eq!(normalise(&wrong.into_iter().collect::<String>()), None);
        }
        assert_eq!(normalise(""), None);
        assert_eq!(normalise("7K3F-9M2Q"), None);
        assert_eq!(normalise("7K3F-9M2Q-XW4T-张"), None);
    }

    #[test]
    fn codes_of_neighbouring_applications_have_nothing_in_common() {
        let keys = Keys::for_tests();
        let one = code(&keys, ApplicationId(Uuid::from_u128(1)));
        let two = code(&keys, ApplicationId(Uuid::from_u128(2)));
        assert_ne!(one[..4], two[..4]);
    }
}
