//! A place over the nation (地方替换上级): versions of rules put together, replaced only on a named legal basis.
//!
//! Deliberately absent: replacing part of a rule; a place that differs says the whole rule.

use crate::fault::Faults;
use crate::pack::Folder;
use crate::rule::{RawBenefit, RawRule};

/// Puts the versions of each rule together and lets a place replace the nation's rules, if it says on what basis.
pub(crate) fn merge_rules(folder: &mut Folder, rules: Vec<RawRule>, faults: &Faults) {
    let mut groups: Vec<Vec<RawRule>> = Vec::new();
    for rule in rules {
        match groups
            .iter_mut()
            .find(|group| group[0].id.text == rule.id.text)
        {
            Some(group) => group.push(rule),
            None => groups.push(vec![rule]),
        }
    }
    for group in groups {
        let first = &group[0];
        check_versions(&group, faults);
        let inherited: Vec<usize> = (0..folder.rules.len())
            .filter(|index| folder.rules[*index].id.text == first.id.text)
            .collect();
        match (inherited.first(), &first.replaces) {
            (None, Some(replaces)) => {
                faults.note(&replaces.spot, format!("上级规则包里没有“{}”，没有什么可以 replaces", first.id.text));
                folder.rules.extend(group);
            }
            (None, None) => folder.rules.extend(group),
            (Some(_), None) => faults.note(
                &first.spot,
                format!("“{}”是上级规则包的规则；要替换它，请写 replaces = \"法律代号:条\" 说明本地依据", first.id.text),
            ),
            (Some(at), Some(replaces)) => {
                let old = &folder.rules[*at];
                if old.is_condition != first.is_condition || old.gives != first.gives || (first.of.is_some() && old.of.is_some() && old.of != first.of) {
                    faults.note(&replaces.spot, format!("“{}”在上级规则包里的类型或对象不同，不能这样替换", first.id.text));
                }
                let at = *at;
                folder.rules.retain(|rule| rule.id.text != first.id.text);
                let at = at.min(folder.rules.len());
                folder.rules.splice(at..at, group);
            }
        }
    }
}

pub(crate) fn check_versions(group: &[RawRule], faults: &Faults) {
    for pair in group.windows(2) {
        let (before, after) = (&pair[0], &pair[1]);
        if before.is_condition != after.is_condition
            || before.gives != after.gives
            || before.of != after.of
        {
            faults.note(
                &after.id.spot,
                format!(
                    "“{}”的各个版本必须是同样的对象（of）和类型（gives）",
                    after.id.text
                ),
            );
        }
        match (before.from, after.from) {
            (_, None) => faults.note(
                &after.id.spot,
                format!(
                    "“{}”写了两次；如果是新的版本，请写 from = 日期，并排在旧版本之后",
                    after.id.text
                ),
            ),
            (Some(old), Some(new)) if new <= old => faults.note(
                &after.id.spot,
                format!(
                    "“{}”的版本没有按日期先后排列：{new} 写在 {old} 之后",
                    after.id.text
                ),
            ),
            _ => {}
        }
    }
    for rule in &group[1..] {
        if let Some(replaces) = &rule.replaces
            && group[0].replaces.is_none()
        {
            faults.note(&replaces.spot, "replaces 写在这条规则的第一个版本上");
        }
    }
}

pub(crate) fn merge_benefit(folder: &mut Folder, benefit: Option<RawBenefit>, faults: &Faults) {
    let Some(benefit) = benefit else { return };
    match (&folder.benefit, &benefit.replaces) {
        (Some(_), None) => faults.note(
            &benefit.spot,
            "[benefit] 在上级规则包里已经有了；要替换它，请写 replaces = \"法律代号:条\" 说明本地依据",
        ),
        (None, Some(replaces)) => {
            faults.note(&replaces.spot, "上级规则包里没有 [benefit]，没有什么可以 replaces");
        }
        _ => {}
    }
    folder.benefit = Some(benefit);
}
