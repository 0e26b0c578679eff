//! The permission table (权限表): every permission once, with the roles that carry it. Nothing else grants anything.
//!
//! The table says *what*; *where* is the region of the role, checked by [`crate::may`](crate::may()). Which act of a
//! procedure a role may perform is finer than this table and stands in the packs.

use crate::Role;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A permission (权限).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// 查看待办和办件列表。
    SeeCases,
    /// 导出办件列表。
    ExportCases,
    /// 查找人员和家庭。
    SearchPeople,
    /// 查看人员和家庭（打码）。
    SeePeople,
    /// 说明事由后查看未打码的证件号、电话、账号。
    RevealPeople,
    /// 登记人员、组成和变更家庭。
    RegisterPeople,
    /// 录入事实及其来源和材料。
    RecordFacts,
    /// 填写并提交申请。
    Apply,
    /// 办理办件（具体动作另由办理程序限定岗位）。
    ActOnCases,
    /// 查看和下载材料、文书。
    SeePapers,
    /// 上传材料。
    AddPapers,
    /// 导入家庭名册。
    ImportRoster,
    /// 查看发放批次。
    SeePayRuns,
    /// 拟定发放批次。
    ProposePayRun,
    /// 复核放款。
    ReleasePayRun,
    /// 导出银行文件、导入银行回盘。
    BankFiles,
    /// 查看规则、法条、参数、算例。
    SeeRules,
    /// 查看日志。
    ReadJournal,
    /// 管理账号和岗位。
    ManageOfficers,
    /// 处理公示异议、登记公开信息。
    HandleNotices,
    /// 查看统计数字。
    SeeFigures,
    /// 查看统计报表（到自己的地区为止）。
    SeeStatistics,
    /// 查看标准调整。
    SeeAdjustments,
    /// 拟定、撤回、回退标准调整。
    ProposeAdjustment,
    /// 复核并办理标准调整。
    ApproveAdjustment,
    /// 立即比对全部人口。
    RunSweep,
    /// 起草规则和参数、提请发布。
    WriteRules,
    /// 复核并发布规则。
    PublishRules,
    /// 凭本人授权发起家庭经济状况核对，采信结果。
    Enquire,
    /// 查看全部核对记录和异常提示。
    SeeEnquiries,
    /// 复核合并、撤销合并重复登记。
    MergePeople,
    /// 签发、换发、吊销程序接口密钥。
    ManageKeys,
}

use Permission as P;
use Role as R;

/// Whether an act asks for the password or the code once more (办理前再次验证身份).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// The session is enough.
    No,
    /// Asked again, unless it was shown within the last minutes ([`crate::prove_again`]); only for changing, never for
    /// looking.
    Asked,
}

/// The permission table (权限表): the permission, the roles that carry it, and whether its acts ask who is there once more.
///
/// What makes money move for many at once, and what lets a program in, is asked again. An administrator manages accounts and sees no person; an
/// auditor sees everything and changes nothing.
pub const TABLE: &[(Permission, &[Role], Again)] = &[
    (
        P::SeeCases,
        &[
            R::WindowOfficer,
            R::StreetReviewer,
            R::DistrictApprover,
            R::Auditor,
        ],
        Again::No,
    ),
    (
        P::ExportCases,
        &[R::StreetReviewer, R::DistrictApprover, R::Auditor],
        Again::No,
    ),
    (
        P::SearchPeople,
        &[
            R::WindowOfficer,
            R::StreetReviewer,
            R::DistrictApprover,
            R::Finance,
            R::Auditor,
        ],
        Again::No,
    ),
    (
        P::SeePeople,
        &[
            R::WindowOfficer,
            R::StreetReviewer,
            R::DistrictApprover,
            R::Finance,
            R::Auditor,
        ],
        Again::No,
    ),
    (
        P::RevealPeople,
        &[
            R::WindowOfficer,
            R::StreetReviewer,
            R::DistrictApprover,
            R::Finance,
        ],
        Again::No,
    ),
    (
        P::RegisterPeople,
        &[R::WindowOfficer, R::StreetReviewer, R::DistrictApprover],
        Again::No,
    ),
    (
        P::RecordFacts,
        &[R::WindowOfficer, R::StreetReviewer, R::DistrictApprover],
        Again::No,
    ),
    (P::Apply, &[R::WindowOfficer, R::StreetReviewer], Again::No),
    (
        P::ActOnCases,
        &[R::WindowOfficer, R::StreetReviewer, R::DistrictApprover],
        Again::No,
    ),
    (
        P::SeePapers,
        &[
            R::WindowOfficer,
            R::StreetReviewer,
            R::DistrictApprover,
            R::Auditor,
        ],
        Again::No,
    ),
    (
        P::AddPapers,
        &[R::WindowOfficer, R::StreetReviewer, R::DistrictApprover],
        Again::No,
    ),
    (
        P::ImportRoster,
        &[R::StreetReviewer, R::DistrictApprover],
        Again::No,
    ),
    (
        P::SeePayRuns,
        &[R::DistrictApprover, R::Finance, R::Auditor],
        Again::No,
    ),
    (P::ProposePayRun, &[R::Finance], Again::No),
    (
        P::ReleasePayRun,
        &[R::Finance, R::DistrictApprover],
        Again::Asked,
    ),
    (P::BankFiles, &[R::Finance], Again::No),
    (
        P::SeeRules,
        &[
            R::WindowOfficer,
            R::StreetReviewer,
            R::DistrictApprover,
            R::Finance,
            R::Auditor,
            R::Administrator,
            R::RuleOfficer,
        ],
        Again::No,
    ),
    (P::ReadJournal, &[R::Auditor], Again::No),
    (P::ManageOfficers, &[R::Administrator], Again::No),
    (
        P::HandleNotices,
        &[R::StreetReviewer, R::DistrictApprover],
        Again::No,
    ),
    (
        P::SeeFigures,
        &[
            R::StreetReviewer,
            R::DistrictApprover,
            R::Finance,
            R::Auditor,
            R::RuleOfficer,
        ],
        Again::No,
    ),
    (
        P::SeeStatistics,
        &[
            R::WindowOfficer,
            R::StreetReviewer,
            R::DistrictApprover,
            R::Finance,
            R::Auditor,
            R::RuleOfficer,
        ],
        Again::No,
    ),
    (
        P::SeeAdjustments,
        &[R::DistrictApprover, R::Finance, R::Auditor],
        Again::No,
    ),
    (
        P::ProposeAdjustment,
        &[R::DistrictApprover, R::Finance],
        Again::No,
    ),
    (P::ApproveAdjustment, &[R::DistrictApprover], Again::Asked),
    (P::RunSweep, &[R::DistrictApprover], Again::No),
    (P::WriteRules, &[R::RuleOfficer], Again::No),
    (
        P::PublishRules,
        &[R::RuleOfficer, R::DistrictApprover],
        Again::Asked,
    ),
    (
        P::Enquire,
        &[R::WindowOfficer, R::StreetReviewer, R::DistrictApprover],
        Again::No,
    ),
    (P::SeeEnquiries, &[R::Auditor], Again::No),
    (
        P::MergePeople,
        &[R::StreetReviewer, R::DistrictApprover],
        Again::No,
    ),
    (P::ManageKeys, &[R::Administrator], Again::Asked),
];

impl Permission {
    /// The roles that carry this permission (有此权限的岗位); a permission missing from [`TABLE`] is carried by none.
    pub fn roles(self) -> &'static [Role] {
        TABLE
            .iter()
            .find(|(permission, ..)| *permission == self)
            .map_or(&[], |(_, roles, _)| roles)
    }

    /// Whether its acts ask for the password or the code once more (是否再次验证身份).
    pub fn asks_again(self) -> bool {
        TABLE
            .iter()
            .any(|(permission, _, again)| *permission == self && *again == Again::Asked)
    }

    /// What the permission allows, for the page that says it is missing (权限说明).
    pub const fn name_zh(self) -> &'static str {
        match self {
            P::SeeCases => "查看办件",
            P::ExportCases => "导出办件",
            P::SearchPeople => "查找人员和家庭",
            P::SeePeople => "查看人员和家庭",
            P::RevealPeople => "显示未打码的资料",
            P::RegisterPeople => "登记人员和家庭",
            P::RecordFacts => "录入事实",
            P::Apply => "提交申请",
            P::ActOnCases => "办理办件",
            P::SeePapers => "查看材料和文书",
            P::AddPapers => "上传材料",
            P::ImportRoster => "导入名册",
            P::SeePayRuns => "查看发放",
            P::ProposePayRun => "拟定发放",
            P::ReleasePayRun => "复核放款",
            P::BankFiles => "银行文件和回盘",
            P::SeeRules => "查看规则",
            P::ReadJournal => "查看日志",
            P::ManageOfficers => "管理账号",
            P::HandleNotices => "处理公示",
            P::SeeFigures => "查看统计",
            P::SeeStatistics => "查看统计报表",
            P::SeeAdjustments => "查看标准调整",
            P::ProposeAdjustment => "拟定标准调整",
            P::ApproveAdjustment => "复核标准调整",
            P::RunSweep => "立即比对全部人口",
            P::WriteRules => "起草规则",
            P::PublishRules => "发布规则",
            P::Enquire => "发起核对",
            P::SeeEnquiries => "查看核对记录",
            P::MergePeople => "复核合并登记",
            P::ManageKeys => "管理程序接口密钥",
        }
    }

    /// The word for lists and logs (权限代码), e.g. `see_cases`.
    pub fn code(self) -> String {
        let mut code = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_ascii_uppercase() && !code.is_empty() {
                code.push('_');
            }
            code.push(letter.to_ascii_lowercase());
        }
        code
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::{Permission, Role, TABLE};
    use std::collections::BTreeSet;

    #[test]
    fn no_permission_stands_twice_and_each_is_carried_by_someone() {
        let once: BTreeSet<Permission> = TABLE.iter().map(|(permission, ..)| *permission).collect();
        assert_eq!(once.len(), TABLE.len());
        for (permission, roles, _) in TABLE {
            assert!(!roles.is_empty(), "{permission}");
            assert_eq!(serde_json::to_value(permission).unwrap(), permission.code());
        }
    }

    #[test]
    fn what_pays_many_or_lets_a_program_in_asks_who_is_there_once_more() {
        let asked: Vec<Permission> = TABLE
            .iter()
            .map(|(permission, ..)| *permission)
            .filter(|permission| permission.asks_again())
            .collect();
        assert_eq!(
            asked,
            [
                Permission::ReleasePayRun,
                Permission::ApproveAdjustment,
                Permission::PublishRules,
                Permission::ManageKeys
            ]
        );
    }

    #[test]
    fn the_administrator_sees_no_person_and_the_auditor_changes_nothing() {
        let held = |role: Role| -> Vec<Permission> {
            TABLE
                .iter()
                .filter(|(_, roles, _)| roles.contains(&role))
                .map(|(p, ..)| *p)
                .collect()
        };
        assert_eq!(
            held(Role::Administrator),
            [
                Permission::SeeRules,
                Permission::ManageOfficers,
                Permission::ManageKeys
            ]
        );
        for changing in [
            Permission::RegisterPeople,
            Permission::RecordFacts,
            Permission::Apply,
            Permission::ActOnCases,
            Permission::AddPapers,
            Permission::ImportRoster,
            Permission::ProposePayRun,
            Permission::ReleasePayRun,
            Permission::BankFiles,
            Permission::ManageOfficers,
            Permission::RevealPeople,
            Permission::WriteRules,
            Permission::PublishRules,
        ] {
            assert!(!held(Role::Auditor).contains(&changing), "{changing}");
        }
    }
}
