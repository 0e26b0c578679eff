//! The columns of the roster (花名册的列).

/// A column of the roster, by its heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Title {
    Number,
    Kinship,
    Name,
    DocumentKind,
    DocumentNumber,
    Sex,
    BirthDate,
    Hukou,
    Community,
    Address,
    Phone,
    Bank,
    Account,
}

/// The column that rejected rows carry; read back, it is passed over.
pub(super) const REASON: &str = "错误原因";
/// Rows whose household number begins so are samples.
pub(super) const SAMPLE: &str = "示例";

impl Title {
    pub(super) const ALL: [Self; 13] = [
        Self::Number,
        Self::Kinship,
        Self::Name,
        Self::DocumentKind,
        Self::DocumentNumber,
        Self::Sex,
        Self::BirthDate,
        Self::Hukou,
        Self::Community,
        Self::Address,
        Self::Phone,
        Self::Bank,
        Self::Account,
    ];

    /// Without these a row means nothing.
    pub(super) const NEEDED: [Self; 4] = [
        Self::Number,
        Self::Kinship,
        Self::Name,
        Self::DocumentNumber,
    ];

    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Number => "户编号",
            Self::Kinship => "与户主关系",
            Self::Name => "姓名",
            Self::DocumentKind => "证件类型",
            Self::DocumentNumber => "证件号码",
            Self::Sex => "性别",
            Self::BirthDate => "出生日期",
            Self::Hukou => "户籍地区划代码",
            Self::Community => "居住社区",
            Self::Address => "详细住址",
            Self::Phone => "手机号",
            Self::Bank => "开户银行",
            Self::Account => "银行账号",
        }
    }

    /// The column of a heading as people alter it: with a star for "needed", blanks or a remark in brackets.
    pub(super) fn read(heading: &str) -> Option<Self> {
        let heading: String = heading.chars().filter(|c| !c.is_whitespace()).collect();
        let heading = heading.trim_matches(['*', '＊']);
        let heading = heading.split(['(', '（']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|title| title.text() == heading)
    }

    /// A value of this column as an error list may show it.
    pub(super) fn masked(self, value: &str) -> String {
        let shown: String = value.chars().take(40).collect();
        match self {
            Self::Name => access::mask_name(&shown),
            Self::DocumentNumber => access::mask_id(&shown),
            Self::Phone => access::mask_phone(&shown),
            Self::Account => access::mask_account(&shown),
            _ => shown,
        }
    }
}
