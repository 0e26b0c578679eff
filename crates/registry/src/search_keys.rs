//! The keys a person is found by (检索键): name parts, pinyin, initials, and blinded number tails.
//!
//! A key is a word and a colon (`n:` name, `p:` pinyin, `i:` initials, `d4:`…`d6:` document tail, `t4:` phone tail), so
//! every search is a prefix range on one index. A name is keyed by each of its tails, so that any part of it is the
//! beginning of a key; characters without a reading stay searchable as themselves. Nothing is normalised except that
//! the separating dot of transcribed names and blanks are left out and Latin letters are lowered, in key and query
//! alike. A surname with several readings is keyed under each of them.

use pinyin::{ToPinyin, ToPinyinMulti};
use std::collections::BTreeSet;
use store::Keys;

/// Surnames read otherwise than the same character elsewhere (姓氏读音); the first reading is the usual one.
const SURNAMES: &[(&str, &[&str])] = &[
    ("曾", &["zeng"]),
    ("单", &["shan"]),
    ("解", &["xie"]),
    ("仇", &["qiu"]),
    ("区", &["ou"]),
    ("查", &["zha"]),
    ("任", &["ren"]),
    ("华", &["hua"]),
    ("盖", &["ge", "gai"]),
    ("缪", &["miao"]),
    ("朴", &["piao"]),
    ("翟", &["zhai"]),
    ("尉", &["wei", "yu"]),
    ("乐", &["yue", "le"]),
    ("员", &["yun"]),
    ("黑", &["he", "hei"]),
    ("秘", &["bi", "mi"]),
    ("折", &["she"]),
    ("冼", &["xian"]),
    ("洗", &["xian"]),
    ("覃", &["qin", "tan"]),
    ("逄", &["pang"]),
    ("种", &["chong"]),
    ("繁", &["po"]),
    ("隗", &["wei", "kui"]),
    ("召", &["shao"]),
    ("那", &["na"]),
    ("宁", &["ning"]),
    ("石", &["shi"]),
    ("车", &["che"]),
    ("谌", &["chen", "shen"]),
    ("葛", &["ge"]),
    ("燕", &["yan"]),
    ("重", &["chong", "zhong"]),
    ("适", &["kuo", "shi"]),
    ("祭", &["zhai", "ji"]),
    ("晁", &["chao"]),
    ("洪", &["hong"]),
    ("贾", &["jia"]),
    ("会", &["gui", "hui"]),
    ("长", &["chang", "zhang"]),
    ("吕", &["lv", "lu"]),
    ("䶮", &["yan"]),
    ("㼆", &["lu"]),
    ("𬱖", &["wei"]),
    ("欧阳", &["ouyang"]),
    ("尉迟", &["yuchi"]),
    ("万俟", &["moqi"]),
    ("长孙", &["zhangsun"]),
    ("单于", &["chanyu"]),
    ("澹台", &["tantai"]),
    ("皇甫", &["huangfu"]),
    ("令狐", &["linghu"]),
    ("宰父", &["zaifu"]),
    ("夏侯", &["xiahou"]),
    ("上官", &["shangguan"]),
    ("司马", &["sima"]),
    ("诸葛", &["zhuge"]),
    ("东方", &["dongfang"]),
    ("公孙", &["gongsun"]),
    ("慕容", &["murong"]),
    ("司徒", &["situ"]),
    ("呼延", &["huyan"]),
];

/// What separates the parts of a name without being part of it.
fn is_separator(character: char) -> bool {
    matches!(character, '·' | '•' | '・' | '‧' | '.' | '．') || character.is_whitespace()
}

/// A name or a typed text as keys spell it (检索写法).
pub(crate) fn spelled(text: &str) -> String {
    text.chars()
        .filter(|c| !is_separator(*c))
        .flat_map(char::to_lowercase)
        .collect()
}

/// All keys of a person (一个人的全部检索键).
pub(crate) fn keys_of(
    keys: &Keys,
    name: &str,
    document_number: Option<&str>,
    phone: Option<&str>,
) -> BTreeSet<String> {
    let mut all = name_keys(name);
    if let Some(number) = document_number {
        for length in 4..=6 {
            all.extend(tail(number, length).map(|tail| document_tail_key(keys, &tail)));
        }
    }
    if let Some(phone) = phone {
        all.extend(tail(phone, 4).map(|tail| phone_tail_key(keys, &tail)));
    }
    all
}

/// The key of the last characters of a document number (证件号尾段).
pub(crate) fn document_tail_key(keys: &Keys, tail: &str) -> String {
    blind_key(
        keys,
        &format!("d{}", tail.chars().count()),
        "document.tail",
        tail,
    )
}

/// The key of the last four digits of a phone number (手机尾号).
pub(crate) fn phone_tail_key(keys: &Keys, tail: &str) -> String {
    blind_key(keys, "t4", "phone.tail", tail)
}

fn blind_key(keys: &Keys, word: &str, domain: &str, tail: &str) -> String {
    // Sixteen hexadecimal digits tell a million tails apart and keep the index small.
    let blind: String = keys.blind(domain, tail).chars().take(16).collect();
    format!("{word}:{blind}")
}

fn tail(text: &str, length: usize) -> Option<String> {
    let letters: Vec<char> = text.chars().collect();
    let from = letters.len().checked_sub(length)?;
    Some(letters[from..].iter().collect())
}

/// The keys of a name (姓名检索键).
pub(crate) fn name_keys(name: &str) -> BTreeSet<String> {
    let letters: Vec<char> = spelled(name).chars().collect();
    let mut keys = BTreeSet::new();
    for from in 0..letters.len() {
        let is_latin_middle = from > 0
            && letters[from].is_ascii_alphanumeric()
            && letters[from - 1].is_ascii_alphanumeric();
        if !is_latin_middle {
            keys.insert(format!("n:{}", letters[from..].iter().collect::<String>()));
        }
    }
    // The parts of a name in Latin letters are words; the blanks between them are gone from `letters`.
    for word in name
        .split(is_separator)
        .filter(|word| word.is_ascii() && !word.is_empty())
    {
        keys.insert(format!("n:{}", word.to_lowercase()));
    }
    if letters
        .iter()
        .any(|c| c.to_pinyin().is_some() || surname_of(&letters).is_some())
    {
        let (surname_length, surname_readings) = surname_readings(&letters);
        let given: Vec<String> = letters[surname_length.min(letters.len())..]
            .iter()
            .map(reading)
            .collect();
        let given_full: String = given.concat();
        let given_initials: String = given.iter().filter_map(|r| r.chars().next()).collect();
        for (full, initials) in &surname_readings {
            keys.insert(format!("p:{full}{given_full}"));
            keys.insert(format!("i:{initials}{given_initials}"));
        }
        if !given_full.is_empty() {
            keys.insert(format!("p:{given_full}"));
            keys.insert(format!("i:{given_initials}"));
        }
    }
    keys
}

/// The reading of one character in a given name; a character without one stands for itself.
fn reading(character: &char) -> String {
    let from_table = SURNAMES
        .iter()
        .find(|(surname, _)| character.to_pinyin().is_none() && surname.chars().eq([*character]))
        .and_then(|(_, readings)| readings.first().copied());
    character
        .to_pinyin()
        .map(|pinyin| plain(pinyin.plain()))
        .or(from_table.map(str::to_owned))
        .unwrap_or_else(|| character.to_string())
}

fn surname_of(letters: &[char]) -> Option<&'static (&'static str, &'static [&'static str])> {
    let begins = |surname: &str| {
        surname
            .chars()
            .enumerate()
            .all(|(i, c)| letters.get(i) == Some(&c))
    };
    // Two characters before one: 单于 is not 单.
    SURNAMES
        .iter()
        .filter(|(surname, _)| begins(surname))
        .max_by_key(|(surname, _)| surname.chars().count())
}

/// How many characters the surname has, and its readings in full and as initials, the dictionary's other ones included.
fn surname_readings(letters: &[char]) -> (usize, BTreeSet<(String, String)>) {
    let mut readings = BTreeSet::new();
    let initial = |text: &str| text.chars().next().map(String::from).unwrap_or_default();
    let known = surname_of(letters);
    if let Some((surname, spoken)) = known
        && surname.chars().count() == 2
    {
        for full in *spoken {
            let initials = surname
                .chars()
                .zip(split_reading(full, surname))
                .map(|(_, part)| initial(&part))
                .collect();
            readings.insert(((*full).to_owned(), initials));
        }
        return (2, readings);
    }
    for spoken in known.map(|(_, spoken)| *spoken).unwrap_or_default() {
        readings.insert(((*spoken).to_owned(), initial(spoken)));
    }
    if let Some(first) = letters.first() {
        if let Some(multi) = first.to_pinyin_multi() {
            for pinyin in multi {
                let full = plain(pinyin.plain());
                readings.insert((full.clone(), initial(&full)));
            }
        }
        if readings.is_empty() {
            readings.insert((reading(first), initial(&reading(first))));
        }
    }
    (1, readings)
}

/// The two syllables of a double surname, for its initials.
fn split_reading(full: &str, surname: &str) -> [String; 2] {
    // The second character's usual reading ends the text for nearly all double surnames; 迟, 俟, 孙 … included.
    let second = surname
        .chars()
        .nth(1)
        .map(|c| reading(&c))
        .unwrap_or_default();
    let second = match surname {
        "万俟" => "qi".to_owned(),
        _ => second,
    };
    match full.strip_suffix(second.as_str()) {
        Some(first) => [first.to_owned(), second],
        None => [full.to_owned(), second],
    }
}

/// ü is typed as v.
fn plain(reading: &str) -> String {
    reading.replace('ü', "v")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(name: &str, key: &str) -> bool {
        name_keys(name).contains(key)
    }

    #[test]
    fn every_part_of_a_name_is_the_beginning_of_a_key() {
        for key in [
            "n:王小明",
            "n:小明",
            "n:明",
            "p:wangxiaoming",
            "p:xiaoming",
            "i:wxm",
            "i:xm",
        ] {
            assert!(has("王小明", key), "{key}");
        }
        assert!(!has("王小明", "n:王小"));
    }

    #[test]
    fn a_surname_is_found_under_each_of_its_readings() {
        assert!(has("曾强", "p:zengqiang") && has("曾强", "i:zq"));
        assert!(has("单芳", "p:shanfang") && has("单芳", "i:sf"));
        assert!(has("解放", "p:xiefang") && has("解放", "p:jiefang"));
        assert!(has("仇和", "i:qh"));
        assert!(has("尉迟恭", "p:yuchigong") && has("尉迟恭", "i:ycg"));
        assert!(has("万俟卨", "i:mqx") || has("万俟卨", "p:moqixie"));
        assert!(has("欧阳小芳", "i:oyxf"));
        assert!(has("吕布", "p:lvbu") && has("吕布", "p:lubu"));
    }

    #[test]
    fn rare_characters_stay_themselves_and_the_dot_may_be_left_out() {
        assert!(has("䶮𬱖", "n:䶮𬱖") && has("䶮𬱖", "n:𬱖"));
        assert!(has("㼆小", "n:㼆小"));
        assert!(has("阿不都·热合曼", "n:阿不都热合曼") && has("阿不都·热合曼", "n:热合曼"));
        assert_eq!(spelled("阿不都・热合曼"), "阿不都热合曼");
    }

    #[test]
    fn latin_names_are_found_by_each_word_in_either_case() {
        assert!(has("Maria Silva", "n:mariasilva") && has("Maria Silva", "n:silva"));
        assert!(!has("Maria Silva", "n:aria silva"));
    }

    #[test]
    fn number_tails_are_blinded() {
        let keys = Keys::for_tests();
        let all = keys_of(
            &keys,
            "张芳",
            Some("44030619540101123X"),
            Some("17000001234"),
        );
        assert!(all.contains(&document_tail_key(&keys, "123X")));
        assert!(all.contains(&document_tail_key(&keys, "01123X")));
        assert!(all.contains(&phone_tail_key(&keys, "1234")));
        assert!(
            all.iter()
                .all(|key| !key.contains("123X") && !key.contains("1234"))
        );
    }
}
