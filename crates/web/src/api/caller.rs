//! Who calls (调用者): the key, the purpose and the word of a call, read from its headers.
//!
//! Guarantees: cookies are not looked at; a key that does not hold is refused, also where none is needed, so that a program
//! learns at once that its key ended. Deliberately absent: what the key may do ([`access::api_key`]).

use super::once;
use crate::guard::header_text;
use crate::problem::Problem;
use crate::visit::Visit;
use access::Purpose;
use axum::http::{HeaderMap, header};

/// The header that says what for.
pub(crate) const PURPOSE: &str = "huimin-purpose";
/// Characters a purpose may have.
const PURPOSE_MOST: usize = 200;

/// Reads the headers of a call (读取调用者). The inner answer is what is wrong with them, told after the calls are counted.
pub(crate) async fn read(
    visit: &mut Visit,
    headers: &HeaderMap,
) -> Result<Result<(), Problem>, Problem> {
    if let Some(sent) = headers.get(header::AUTHORIZATION) {
        let secret = sent
            .to_str()
            .ok()
            .and_then(|text| text.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, secret)| secret.trim());
        let Some(secret) = secret else {
            return Ok(Err(Problem::SignIn));
        };
        visit.keyed = access::api_key::keyed(&visit.app.db, secret).await?;
        if visit.keyed.is_none() {
            return Ok(Err(Problem::SignIn));
        }
    }
    Ok(stated(visit, headers))
}

/// Reads purpose and word.
fn stated(visit: &mut Visit, headers: &HeaderMap) -> Result<(), Problem> {
    if headers.contains_key(PURPOSE) {
        let Some(purpose) = purpose(header_text(headers, PURPOSE)) else {
            let sentence = visit.t(
                "事由写 application、review、payment、audit，或者 enquiry: 加说明（中文用百分号编码）",
            );
            return Err(Problem::about("Huimin-Purpose", sentence));
        };
        visit.purpose = Some(purpose);
    }
    if headers.contains_key(once::WORD) {
        let word = header_text(headers, once::WORD);
        if !once::is_word(word) {
            let sentence = visit.t("Idempotency-Key 要是 1 到 200 个可见 ASCII 字符");
            return Err(Problem::about("Idempotency-Key", sentence));
        }
        visit.word = Some(word.to_owned());
    }
    Ok(())
}

/// A purpose as a header writes it (事由).
fn purpose(text: &str) -> Option<Purpose> {
    match text {
        "application" => Some(Purpose::Application),
        "review" => Some(Purpose::Review),
        "payment" => Some(Purpose::Payment),
        "audit" => Some(Purpose::Audit),
        other => {
            let why = other.strip_prefix("enquiry:")?.replace('+', "%2B");
            let why = crate::fields::Fields::read(&format!("why={}", why.replace('&', "%26")));
            let why = why.get("why");
            let short = (1..=PURPOSE_MOST).contains(&why.chars().count());
            (short && !why.chars().any(char::is_control)).then(|| Purpose::Enquiry(why.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Purpose, purpose};

    #[test]
    fn a_purpose_is_one_of_four_words_or_a_reason() {
        assert_eq!(purpose("review"), Some(Purpose::Review));
        let reason = purpose("enquiry:%E4%BF%A1%E8%AE%BF%20A&B+C");
        assert_eq!(reason, Some(Purpose::Enquiry("信访 A&B+C".into())));
        for none in [
            "",
            "Review",
            "system",
            "enquiry:",
            "enquiry:%20",
            "enquiry:a%0Ab",
            "import",
        ] {
            assert_eq!(purpose(none), None, "{none}");
        }
    }
}
