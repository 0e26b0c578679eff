//! Masking (打码): what of a name, a document number, a phone or a bank account is shown when nobody asked for more.
//!
//! Works on characters, not bytes, so rare characters of names survive. It never lengthens and never guesses: what is
//! too short to be partly shown is hidden wholly.

/// Stars in the place of so many characters.
fn stars(count: usize) -> String {
    "*".repeat(count)
}

/// Keeps the first and last characters and hides the rest; hides all when nothing would be left to hide.
fn ends(text: &str, first: usize, last: usize) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= first + last {
        return stars(letters.len());
    }
    let head: String = letters.iter().take(first).collect();
    let tail: String = letters.iter().skip(letters.len() - last).collect();
    head + &stars(letters.len() - first - last) + &tail
}

/// A masked name (姓名打码): 张芳 → 张*, 张小芳 → 张*芳, 王 → 王.
pub fn mask_name(name: &str) -> String {
    match name.chars().count() {
        0 | 1 => name.to_owned(),
        2 => ends(name, 1, 0),
        _ => ends(name, 1, 1),
    }
}

/// A masked document number (证件号打码): the birth date inside an identity number is always hidden.
pub fn mask_id(number: &str) -> String {
    if number.chars().count() >= 15 {
        ends(number, 3, 4)
    } else {
        ends(number, 1, 2)
    }
}

/// A masked phone number (电话打码): 138****5678.
pub fn mask_phone(phone: &str) -> String {
    if phone.chars().count() >= 11 {
        ends(phone, 3, 4)
    } else {
        ends(phone, 0, 2)
    }
}

/// A masked bank account (账号打码): only the last four digits.
pub fn mask_account(account: &str) -> String {
    ends(account, 0, 4)
}

#[cfg(test)]
mod tests {
    use super::{mask_account, mask_id, mask_name, mask_phone};

    #[test]
    fn masks_keep_only_what_the_desk_needs_to_tell_people_apart() {
        for (clear, masked) in [
            ("张芳", "张*"),
            ("张小芳", "张*芳"),
            ("欧阳小芳", "欧**芳"),
            ("𬱖", "𬱖"),
            ("阿不都·热合曼", "阿*****曼"),
            ("", ""),
        ] {
            assert_eq!(mask_name(clear), masked);
        }
        assert_eq!(mask_id("440306195401011234"), "440***********1234");
        assert_eq!(mask_id("440306540101123"), "440********1123");
        assert_eq!(mask_id("H1234567"), "H*****67");
        assert_eq!(mask_id("AB"), "**");
        assert_eq!(mask_phone("13812345678"), "138****5678");
        assert_eq!(mask_phone("27770000"), "******00");
        assert_eq!(mask_account("6222000000001234"), "************1234");
        assert_eq!(mask_account("1234"), "****");
    }
}
