//! The roles an officer can hold (岗位). A role is always held *in a region*, never at large.
//!
//! Names of benefits and acts are not here: which role performs which act of a procedure is written in the packs.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A role (岗位).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 社区、街道窗口人员：登记、受理、录入。
    WindowOfficer,
    /// 街道审核人员：入户调查、审核、公示、确认。
    StreetReviewer,
    /// 区级审批人员：抽查、审批、复核。
    DistrictApprover,
    /// 财务人员：拟定和复核发放。
    Finance,
    /// 审计人员：只读，看全部记录与日志。
    Auditor,
    /// 系统管理员：管账号，不看个人资料。
    Administrator,
    /// 政策规则人员：看规则、核对规则，不看个人资料。
    RuleOfficer,
}

/// Why a text is not a role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}”不是岗位名")]
pub struct NotARole(pub String);

impl Role {
    /// All roles (全部岗位), in the order shown to people.
    pub const ALL: [Self; 7] = [
        Self::WindowOfficer,
        Self::StreetReviewer,
        Self::DistrictApprover,
        Self::Finance,
        Self::Auditor,
        Self::Administrator,
        Self::RuleOfficer,
    ];

    /// The word stored in tables and written in packs (岗位代码), e.g. `window_officer`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::WindowOfficer => "window_officer",
            Self::StreetReviewer => "street_reviewer",
            Self::DistrictApprover => "district_approver",
            Self::Finance => "finance",
            Self::Auditor => "auditor",
            Self::Administrator => "administrator",
            Self::RuleOfficer => "rule_officer",
        }
    }

    /// The name shown to people (岗位名称).
    pub const fn name_zh(self) -> &'static str {
        match self {
            Self::WindowOfficer => "窗口人员",
            Self::StreetReviewer => "街道审核",
            Self::DistrictApprover => "区级审批",
            Self::Finance => "财务",
            Self::Auditor => "审计",
            Self::Administrator => "系统管理员",
            Self::RuleOfficer => "政策规则人员",
        }
    }

    /// The English name shown to people (岗位英文名).
    pub const fn name_en(self) -> &'static str {
        match self {
            Self::WindowOfficer => "Window officer",
            Self::StreetReviewer => "Street reviewer",
            Self::DistrictApprover => "District approver",
            Self::Finance => "Finance",
            Self::Auditor => "Auditor",
            Self::Administrator => "Administrator",
            Self::RuleOfficer => "Rule officer",
        }
    }

    /// Whether one person may hold both roles (岗位能否兼任).
    ///
    /// Three-way separation (三员分立): who manages accounts and who audits does nothing else, so that neither can act
    /// on a case and then let himself in or clear his own traces.
    pub fn may_stand_beside(self, other: Self) -> bool {
        let alone = |role| matches!(role, Self::Administrator | Self::Auditor);
        self == other || !(alone(self) || alone(other))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Role {
    type Err = NotARole;
    fn from_str(text: &str) -> Result<Self, NotARole> {
        Self::ALL
            .into_iter()
            .find(|role| role.code() == text)
            .ok_or_else(|| NotARole(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::Role;

    #[test]
    fn every_code_reads_back_and_auditors_stand_alone() {
        for role in Role::ALL {
            assert_eq!(role.code().parse(), Ok(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.code());
            assert!(role.may_stand_beside(role));
        }
        assert!(!Role::Auditor.may_stand_beside(Role::WindowOfficer));
        assert!(!Role::Finance.may_stand_beside(Role::Administrator));
        assert!(Role::StreetReviewer.may_stand_beside(Role::WindowOfficer));
        assert!("boss".parse::<Role>().is_err());
    }
}
