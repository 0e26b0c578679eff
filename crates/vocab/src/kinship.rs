//! Kinship to the head of the household (与户主关系, GB/T 4761): codes, names, and the groups that law speaks of.
//!
//! Guarantees: every code of the table has both names and exactly one group. Deliberately absent: whether a group
//! counts as a household member for a benefit; that is law and lives in the packs.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A relation to the head of the household (与户主关系), a two-digit code of GB/T 4761.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Kinship {
    row: &'static (&'static str, &'static str, &'static str),
}

/// The groups of relations the law distinguishes (关系类别).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// 本人、户主
    Head,
    /// 配偶
    Spouse,
    /// 子女（含养子女、继子女）
    Child,
    /// 女婿、儿媳：not children in the eyes of the law
    ChildInLaw,
    /// 孙辈
    Grandchild,
    /// 父母（含继父母、养父母）
    Parent,
    /// 公婆、岳父母
    ParentInLaw,
    /// 祖辈
    Grandparent,
    /// 兄弟姐妹
    Sibling,
    /// 其他亲属
    OtherRelative,
    /// 非亲属
    Unrelated,
}

/// Why a text is no relation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "“{0}”不是与户主关系；请填国家标准 GB/T 4761 的名称或两位代码，例如 户主、配偶、子、女、父亲、母亲"
)]
pub struct NotAKinship(pub String);

/// Code, Chinese name, English name.
#[rustfmt::skip]
const TABLE: &[(&str, &str, &str)] = &[
    ("01", "本人", "self"),
    ("02", "户主", "head of household"),
    ("10", "配偶", "spouse"),
    ("11", "夫", "husband"),
    ("12", "妻", "wife"),
    ("20", "子", "son"),
    ("21", "独生子", "only son"),
    ("22", "长子", "eldest son"),
    ("23", "次子", "second son"),
    ("24", "三子", "third son"),
    ("25", "四子", "fourth son"),
    ("26", "五子", "fifth son"),
    ("27", "养子或继子", "adopted son or stepson"),
    ("28", "女婿", "son-in-law"),
    ("29", "其他儿子", "other son"),
    ("30", "女", "daughter"),
    ("31", "独生女", "only daughter"),
    ("32", "长女", "eldest daughter"),
    ("33", "次女", "second daughter"),
    ("34", "三女", "third daughter"),
    ("35", "四女", "fourth daughter"),
    ("36", "五女", "fifth daughter"),
    ("37", "养女或继女", "adopted daughter or stepdaughter"),
    ("38", "儿媳", "daughter-in-law"),
    ("39", "其他女儿", "other daughter"),
    ("40", "孙辈", "grandchild"),
    ("41", "孙子", "son's son"),
    ("42", "孙女", "son's daughter"),
    ("43", "外孙子", "daughter's son"),
    ("44", "外孙女", "daughter's daughter"),
    ("45", "孙媳妇", "grandson's wife"),
    ("46", "孙女婿", "granddaughter's husband"),
    ("47", "曾孙子", "great-grandson"),
    ("48", "曾孙女", "great-granddaughter"),
    ("49", "其他孙辈", "other grandchild"),
    ("50", "父母", "parent"),
    ("51", "父亲", "father"),
    ("52", "母亲", "mother"),
    ("53", "公公", "husband's father"),
    ("54", "婆婆", "husband's mother"),
    ("55", "岳父", "wife's father"),
    ("56", "岳母", "wife's mother"),
    ("57", "继父或养父", "stepfather or adoptive father"),
    ("58", "继母或养母", "stepmother or adoptive mother"),
    ("59", "其他父母关系", "other parent"),
    ("60", "祖父母或外祖父母", "grandparent"),
    ("61", "祖父", "paternal grandfather"),
    ("62", "祖母", "paternal grandmother"),
    ("63", "外祖父", "maternal grandfather"),
    ("64", "外祖母", "maternal grandmother"),
    ("65", "配偶的祖父母或外祖父母", "spouse's grandparent"),
    ("66", "曾祖父", "great-grandfather"),
    ("67", "曾祖母", "great-grandmother"),
    ("68", "配偶的曾祖父母", "spouse's great-grandparent"),
    ("69", "其他祖辈", "other grandparent"),
    ("70", "兄弟姐妹", "sibling"),
    ("71", "兄", "elder brother"),
    ("72", "嫂", "elder brother's wife"),
    ("73", "弟", "younger brother"),
    ("74", "弟媳", "younger brother's wife"),
    ("75", "姐姐", "elder sister"),
    ("76", "姐夫", "elder sister's husband"),
    ("77", "妹妹", "younger sister"),
    ("78", "妹夫", "younger sister's husband"),
    ("79", "其他兄弟姐妹", "other sibling"),
    ("80", "其他亲属关系", "other relation"),
    ("81", "伯父", "father's elder brother"),
    ("82", "伯母", "wife of father's elder brother"),
    ("83", "叔父", "father's younger brother"),
    ("84", "婶母", "wife of father's younger brother"),
    ("85", "舅父", "mother's brother"),
    ("86", "舅母", "wife of mother's brother"),
    ("87", "姨父", "husband of mother's sister"),
    ("88", "姨母", "mother's sister"),
    ("89", "姑父", "husband of father's sister"),
    ("90", "姑母", "father's sister"),
    ("91", "堂兄弟姐妹", "paternal cousin"),
    ("92", "表兄弟姐妹", "cousin"),
    ("93", "侄子", "brother's son"),
    ("94", "侄女", "brother's daughter"),
    ("95", "外甥", "sister's son"),
    ("96", "外甥女", "sister's daughter"),
    ("97", "其他亲属", "other relative"),
    ("99", "非亲属", "not related"),
];

/// Words people write that the standard spells otherwise.
const EVERYDAY: &[(&str, &str)] = &[
    ("丈夫", "11"),
    ("妻子", "12"),
    ("夫妻", "10"),
    ("爱人", "10"),
    ("儿子", "20"),
    ("女儿", "30"),
    ("养子", "27"),
    ("继子", "27"),
    ("养女", "37"),
    ("继女", "37"),
    ("父", "51"),
    ("母", "52"),
    ("媳妇", "38"),
    ("孙", "41"),
    ("外孙", "43"),
    ("爷爷", "61"),
    ("奶奶", "62"),
    ("外公", "63"),
    ("外婆", "64"),
    ("哥哥", "71"),
    ("哥", "71"),
    ("弟弟", "73"),
    ("姐", "75"),
    ("妹", "77"),
    ("侄儿", "93"),
    ("孙媳", "45"),
    ("继父", "57"),
    ("养父", "57"),
    ("继母", "58"),
    ("养母", "58"),
];

impl Kinship {
    /// All relations in the order of the standard.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| Self { row })
    }

    /// The head of the household (户主).
    pub fn head() -> Self {
        Self { row: &TABLE[1] }
    }

    /// Reads a code (`12`, `2`), a name of the standard or the everyday word for it.
    ///
    /// # Errors
    /// [`NotAKinship`].
    pub fn read(text: &str) -> Result<Self, NotAKinship> {
        let text = text.trim();
        let padded = format!("{text:0>2}");
        let everyday = EVERYDAY
            .iter()
            .find(|(word, _)| *word == text)
            .map(|(_, code)| *code);
        Self::all()
            .find(|kin| {
                kin.code() == padded || kin.name_zh() == text || Some(kin.code()) == everyday
            })
            .ok_or_else(|| NotAKinship(text.to_owned()))
    }

    /// The two-digit code.
    pub fn code(self) -> &'static str {
        self.row.0
    }

    /// The Chinese name.
    pub fn name_zh(self) -> &'static str {
        self.row.1
    }

    /// The English name.
    pub fn name_en(self) -> &'static str {
        self.row.2
    }

    /// Whether this is the head of the household, under either of the two codes for it.
    pub fn is_head(self) -> bool {
        self.group() == Group::Head
    }

    /// The group it belongs to.
    pub fn group(self) -> Group {
        match self.code() {
            "01" | "02" => Group::Head,
            "10" | "11" | "12" => Group::Spouse,
            "28" | "38" => Group::ChildInLaw,
            "53" | "54" | "55" | "56" => Group::ParentInLaw,
            "99" => Group::Unrelated,
            code => match code.as_bytes().first() {
                Some(b'2' | b'3') => Group::Child,
                Some(b'4') => Group::Grandchild,
                Some(b'5') => Group::Parent,
                Some(b'6') => Group::Grandparent,
                Some(b'7') => Group::Sibling,
                _ => Group::OtherRelative,
            },
        }
    }
}

impl TryFrom<String> for Kinship {
    type Error = NotAKinship;
    fn try_from(text: String) -> Result<Self, NotAKinship> {
        Self::read(&text)
    }
}

impl From<Kinship> for String {
    fn from(kin: Kinship) -> Self {
        kin.code().to_owned()
    }
}

impl fmt::Display for Kinship {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_and_names_are_unique_and_read_back() {
        let codes: BTreeSet<_> = Kinship::all().map(Kinship::code).collect();
        let names: BTreeSet<_> = Kinship::all().map(Kinship::name_zh).collect();
        let english: BTreeSet<_> = Kinship::all().map(Kinship::name_en).collect();
        assert_eq!(
            (codes.len(), names.len(), english.len()),
            (TABLE.len(), TABLE.len(), TABLE.len())
        );
        for kin in Kinship::all() {
            assert_eq!(Kinship::read(kin.code()), Ok(kin));
            assert_eq!(Kinship::read(kin.name_zh()), Ok(kin));
        }
        for (word, code) in EVERYDAY {
            assert_eq!(Kinship::read(word).unwrap().code(), *code);
        }
        assert!(Kinship::read("98").is_err() && Kinship::read("邻居").is_err());
    }

    #[test]
    fn sons_in_law_and_parents_in_law_are_no_children_and_no_parents() {
        let group = |code: &str| Kinship::read(code).unwrap().group();
        assert_eq!(group("2"), Group::Head);
        assert_eq!(
            (group("27"), group("28"), group("38")),
            (Group::Child, Group::ChildInLaw, Group::ChildInLaw)
        );
        assert_eq!(
            (group("57"), group("55")),
            (Group::Parent, Group::ParentInLaw)
        );
        assert_eq!(
            (group("90"), group("99")),
            (Group::OtherRelative, Group::Unrelated)
        );
    }
}
