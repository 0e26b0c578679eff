//! Time limits, notices, sampling, reviews and remedies of a procedure (时限、公示、抽查、核查、救济): dated by law, each
//! with its article.
//!
//! Deliberately absent: running them; see [`crate::clock`] and [`crate::notices`].

use access::Role;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use vocab::Citation;

/// The unit of a time limit (时限单位).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LimitUnit {
    /// Working days (工作日).
    #[serde(rename = "wd")]
    WorkingDays,
    /// Calendar days (自然日).
    #[serde(rename = "d")]
    Days,
    /// Months (月).
    #[serde(rename = "m")]
    Months,
}

/// A length of time (期限长度).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// How many.
    pub amount: u16,
    /// Of what.
    pub unit: LimitUnit,
}

/// A clock's rule (时限规则).
#[derive(Debug, Clone)]
pub struct ClockRule {
    /// Its word in the data.
    pub id: String,
    /// Its name.
    pub zh: String,
    /// Its name, English.
    pub en: String,
    /// How long.
    pub limit: Limit,
    /// Acts that start it (`submit` = submission).
    pub starts_on: Vec<String>,
    /// Acts that stop it.
    pub stops_on: Vec<String>,
    /// States in which it stands still.
    pub pauses_in: Vec<String>,
    /// The longest total.
    pub extend_to: Option<u16>,
    /// The article.
    pub article: Citation,
}

/// A remedy (救济途径).
#[derive(Debug, Clone)]
pub struct Remedy {
    /// Within.
    pub limit: Limit,
    /// The article.
    pub article: Citation,
    /// To whom.
    pub to_zh: String,
    /// To whom, English.
    pub to_en: String,
}

/// Where a notice is posted (公示地点).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticePlace {
    /// In the community (社区、村).
    Community,
    /// In the street (街道).
    Street,
    /// In the district (区).
    District,
}

/// What a notice may show (公示内容). There is nothing else to choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeField {
    /// The applicant's name (申请人姓名).
    Name,
    /// How many members (家庭成员数量).
    MemberCount,
    /// The amount (金额).
    Amount,
}

/// The publicity rule (公示规则).
#[derive(Debug, Clone)]
pub struct PublicityRule {
    /// Days after the day of posting.
    pub days: u16,
    /// The article.
    pub article: Citation,
    /// What is shown.
    pub fields: Vec<NoticeField>,
    /// Where.
    pub place: NoticePlace,
}

/// The sampling rule (抽查规则).
#[derive(Debug, Clone)]
pub struct SamplingRule {
    /// The act that draws.
    pub on: String,
    /// How many in a hundred.
    pub rate_percent: u8,
    /// Whose task it becomes.
    pub desk: Role,
    /// Within.
    pub within: Option<Limit>,
    /// The article.
    pub article: Citation,
}

/// The periodic review (定期核查).
#[derive(Debug, Clone)]
pub struct ReviewRule {
    /// After, where the programme has no classes.
    pub limit: Limit,
    /// The fact or variable that tells the class (分类依据), if the programme has classes.
    pub by: Option<String>,
    /// After, by class.
    pub classes: BTreeMap<String, Limit>,
    /// Whose task it becomes.
    pub desk: Role,
    /// The article.
    pub article: Citation,
}

impl ReviewRule {
    /// How long until the next review of a class (核查周期). A class nobody knows is looked at as soon as the strictest.
    pub fn limit_of(&self, class: Option<&str>) -> Limit {
        let strictest = || self.classes.values().min_by_key(|limit| limit.amount);
        class
            .and_then(|class| self.classes.get(class))
            .or_else(|| self.by.as_ref().and_then(|_| strictest()))
            .copied()
            .unwrap_or(self.limit)
    }
}
