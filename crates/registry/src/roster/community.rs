//! The names of communities (社区名称): a roster writes names, the register keeps codes.

use crate::places::{PlaceRow, all_inside};
use crate::reading::Reading;
use access::Scope;
use chrono::NaiveDate;
use std::collections::BTreeMap;
use vocab::Region;
use vocab::region::Level;

/// The communities of a scope, by name and by code.
pub(super) struct Communities {
    by_name: BTreeMap<String, Vec<Region>>,
    names: BTreeMap<Region, String>,
    only: Option<Region>,
}

impl Communities {
    pub(super) async fn of(
        source: &impl Reading,
        scope: &Scope,
        on: NaiveDate,
    ) -> anyhow::Result<Self> {
        let places = all_inside(source, scope.region, on).await?;
        Ok(Self::from_places(&places, scope.region))
    }

    fn from_places(places: &[PlaceRow], region: Region) -> Self {
        let mut by_name: BTreeMap<String, Vec<Region>> = BTreeMap::new();
        let mut names = BTreeMap::new();
        let above: BTreeMap<Region, &str> = places
            .iter()
            .map(|place| (place.code, place.name_zh.as_str()))
            .collect();
        for place in places
            .iter()
            .filter(|place| place.code.level() == Level::Community)
        {
            let street = place.parent.or(place.code.parent());
            let street = street
                .and_then(|street| above.get(&street))
                .copied()
                .unwrap_or_default();
            by_name
                .entry(place.name_zh.clone())
                .or_default()
                .push(place.code);
            if !street.is_empty() {
                let with_street = format!("{street}{}", place.name_zh);
                by_name.entry(with_street).or_default().push(place.code);
            }
        }
        for place in places
            .iter()
            .filter(|place| place.code.level() == Level::Community)
        {
            // The shortest name that is unique in the scope.
            let unique = |name: &String| by_name.get(name).is_some_and(|all| all.len() == 1);
            let street = place.parent.or(place.code.parent());
            let street = street
                .and_then(|street| above.get(&street))
                .copied()
                .unwrap_or_default();
            let name = [place.name_zh.clone(), format!("{street}{}", place.name_zh)]
                .into_iter()
                .find(unique)
                .unwrap_or_else(|| place.code.to_string());
            names.insert(place.code, name);
        }
        Self {
            by_name,
            names,
            only: (region.level() == Level::Community).then_some(region),
        }
    }

    /// The community a roster means, or a sentence why it is none.
    pub(super) fn read(&self, written: &str, scope: &Scope) -> Result<Region, String> {
        if written.is_empty() {
            return self
                .only
                .ok_or_else(|| "请填写居住社区的名称或 12 位区划代码".to_owned());
        }
        let region = match self.by_name.get(written).map(Vec::as_slice) {
            Some([one]) => *one,
            Some(_) => {
                return Err(
                    "辖区内有多个同名社区；请写成“街道名＋社区名”或填 12 位区划代码".to_owned(),
                );
            }
            None => written
                .parse()
                .map_err(|_| "辖区内没有这个社区；请核对名称，或填 12 位区划代码".to_owned())?,
        };
        if !scope.holds(region) {
            return Err("该社区不在您的管辖范围内，请由该社区或上级导入".to_owned());
        }
        Ok(region)
    }

    /// The name a community is written with, the code if it has none.
    pub(super) fn name(&self, region: Region) -> String {
        self.names
            .get(&region)
            .cloned()
            .unwrap_or_else(|| region.to_string())
    }

    /// All names, for the list in the template.
    pub(super) fn all(&self) -> Vec<String> {
        self.names.values().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(code: &str, name: &str) -> PlaceRow {
        PlaceRow {
            code: code.parse().unwrap(),
            name_zh: name.to_owned(),
            name_en: None,
            parent: None,
            from: None,
            until: None,
        }
    }

    #[test]
    fn names_that_occur_twice_need_their_street() {
        let places = [
            place("990101001000", "东街街道"),
            place("990101001001", "中心社区"),
            place("990101002000", "西街街道"),
            place("990101002001", "中心社区"),
            place("990101002002", "河边社区"),
        ];
        let district: Region = "990101".parse().unwrap();
        let scope = Scope::system(district);
        let known = Communities::from_places(&places, district);
        assert!(known.read("中心社区", &scope).is_err());
        assert_eq!(known.read("西街街道中心社区", &scope), Ok(places[3].code));
        assert_eq!(known.read("河边社区", &scope), Ok(places[4].code));
        assert_eq!(known.read("990101001001", &scope), Ok(places[1].code));
        assert_eq!(known.name(places[1].code), "东街街道中心社区");
        assert!(known.read("", &scope).is_err());
        let street = Scope::system("990101001".parse().unwrap());
        assert!(known.read("河边社区", &street).is_err());
    }
}
