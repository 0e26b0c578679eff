//! The check digit of bank cards (银行卡校验位, Luhn). Pure arithmetic; what a failure means is decided elsewhere:
//! an error for a card, only a warning for a passbook, whose numbers follow each bank's own habit.

/// The digit that completes a number without its check digit (校验位). `None` if a character is not a digit.
pub fn check_digit(without_check: &str) -> Option<char> {
    let sum = weighted_sum(without_check, 2)?;
    char::from_digit((10 - sum % 10) % 10, 10)
}

/// Whether a complete number ends in the right check digit (是否通过校验).
pub fn holds(number: &str) -> bool {
    !number.is_empty() && weighted_sum(number, 1).is_some_and(|sum| sum % 10 == 0)
}

/// Sum from the right with weights alternating from `first`, two-digit products reduced by nine.
fn weighted_sum(digits: &str, first: u32) -> Option<u32> {
    let mut weight = first;
    let mut sum = 0;
    for character in digits.chars().rev() {
        let product = character.to_digit(10)? * weight;
        sum += if product > 9 { product - 9 } else { product };
        weight = 3 - weight;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_check_digits_are_found() {
        // T17-40 … T17-43
        for (number, check) in [
            ("7992739871", '3'),
            ("622202000000000000", '0'),
            ("623058000012345678", '7'),
            ("453201511283036", '6'),
        ] {
            assert_eq!(check_digit(number), Some(check), "{number}");
            assert!(holds(&format!("{number}{check}")), "{number}");
            let wrong = check.to_digit(10).map(|d| (d + 1) % 10).unwrap();
            assert!(!holds(&format!("{number}{wrong}")), "{number}");
        }
        assert!(!holds("") && !holds("62-22") && check_digit("12a").is_none());
    }
}
