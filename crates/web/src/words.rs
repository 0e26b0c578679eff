//! Words for what other rooms name by code (用语): roles, permissions, places, kinds of facts, and their refusals.
//!
//! Other rooms write their sentences in Chinese; here stands how they read in English. A sentence with values in it is
//! matched against its pattern, so that "账号名“wang”已有人使用" finds its English with the name kept.

use crate::locale::Lang;
use access::{Permission, Role};
use policy::{Book, Programme};
use vocab::Region;

/// The name of a role (岗位名).
pub fn role(lang: Lang, role: Role) -> &'static str {
    match lang {
        Lang::Zh => role.name_zh(),
        Lang::En => role.name_en(),
    }
}

/// What a permission allows (权限名).
pub fn permission(lang: Lang, permission: Permission) -> String {
    match lang {
        Lang::Zh => permission.name_zh().to_owned(),
        Lang::En => permission.code().replace('_', " "),
    }
}

/// The name of a place (地名), its code when the pack does not know it.
pub fn place(lang: Lang, book: &Book, region: Region) -> String {
    let place = book.place();
    if region == Region::NATION {
        return lang.t("全国").to_owned();
    }
    if region == place.division {
        return lang.pick(&place.name_zh, &place.name_en).to_owned();
    }
    place
        .regions
        .iter()
        .find(|known| known.code == region)
        .map_or_else(
            || region.to_string(),
            |known| lang.pick(&known.name_zh, &known.name_en).to_owned(),
        )
}

/// Programmes that can be chosen in a form (可选事项), by name.
pub fn titled<'a>(
    lang: Lang,
    programmes: impl IntoIterator<Item = &'a Programme>,
) -> Vec<(String, String)> {
    programmes
        .into_iter()
        .map(|one| {
            let title = lang.pick(&one.title_zh, &one.title_en);
            (one.id.clone(), title.to_owned())
        })
        .collect()
}

/// The places under a region that can be chosen in a form (可选地区), the communities with their streets' names.
pub fn places_under(lang: Lang, book: &Book, region: Region) -> Vec<(String, String)> {
    let place = book.place();
    place
        .regions
        .iter()
        .filter(|known| region.holds(known.code))
        .map(|known| {
            let name = lang.pick(&known.name_zh, &known.name_en);
            let street = known
                .parent
                .and_then(|code| place.regions.iter().find(|above| above.code == code));
            let whole = match street {
                Some(street) => format!("{} {name}", lang.pick(&street.name_zh, &street.name_en)),
                None => name.to_owned(),
            };
            (known.code.to_string(), whole)
        })
        .collect()
}

/// A sentence another room wrote, in the visitor's language (拒绝理由等).
pub fn sentence(lang: Lang, zh: &str) -> String {
    if lang == Lang::Zh {
        return zh.to_owned();
    }
    for (pattern, english) in REFUSALS {
        if *pattern == zh {
            return (*english).to_owned();
        }
        if let Some(values) = matched(pattern, zh) {
            return values
                .into_iter()
                .fold((*english).to_owned(), |text, (name, value)| {
                    text.replace(&format!("{{{name}}}"), &sentence(lang, value))
                });
        }
    }
    lang.look(zh).to_owned()
}

/// The values of a pattern's `{names}` in a text, if the text has its shape.
fn matched<'a>(pattern: &'a str, text: &'a str) -> Option<Vec<(&'a str, &'a str)>> {
    let mut values = Vec::new();
    let (head, mut pattern) = pattern.split_at(pattern.find('{')?);
    let mut text = text.strip_prefix(head)?;
    while let Some(rest) = pattern.strip_prefix('{') {
        let (name, after) = rest.split_once('}')?;
        let until = after.find('{').unwrap_or(after.len());
        let (literal, next) = after.split_at(until);
        let end = if literal.is_empty() {
            text.len()
        } else {
            text.find(literal)?
        };
        let (value, beyond) = text.split_at(end);
        values.push((name, value));
        text = beyond.strip_prefix(literal)?;
        pattern = next;
    }
    text.is_empty().then_some(values)
}

/// The refusals of other rooms, Chinese and English, with `{0}`, `{1}` for their values; the longest first, so that a
/// pattern that swallows everything comes last.
static REFUSALS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/refusals.rs"));

#[cfg(test)]
mod tests {
    use super::{Lang, matched, sentence};
    use access::{Denied, Role, officer};

    #[test]
    fn a_sentence_with_values_finds_its_english() {
        assert_eq!(
            matched("“{0}”和“{1}”", "“甲”和“乙”"),
            Some(vec![("0", "甲"), ("1", "乙")])
        );
        assert_eq!(matched("共 {0}", "共 3"), Some(vec![("0", "3")]));
        assert_eq!(matched("“{0}”", "甲"), None);
        let english = sentence(
            Lang::En,
            &officer::Refused::LoginTaken("wang".into()).to_string(),
        );
        assert!(english.contains("wang") && english.is_ascii(), "{english}");
    }

    #[test]
    fn roles_and_permissions_inside_a_sentence_are_english_too() {
        for held in Role::ALL {
            let english = sentence(
                Lang::En,
                &officer::Refused::RolesApart {
                    held,
                    wanted: Role::Auditor,
                }
                .to_string(),
            );
            assert!(english.is_ascii(), "{english}");
        }
        for (permission, ..) in access::TABLE {
            let english = sentence(Lang::En, &Denied::NoRole(*permission).to_string());
            assert!(english.is_ascii(), "{english}");
        }
    }
}
