//! The rail on the left (左侧栏目): what this officer's roles open, nothing else.
//!
//! To add an entry, add a line to [`ENTRIES`]. An entry the visitor may not open is not shown; the route decides anew.

use crate::locale::key;
use crate::visit::Visit;
use access::{Permission as P, Purpose};
use casework::todo::{TodoFilter, count};
use maud::{Markup, html};

/// The numbers shown beside entries (栏目数字); each equals the length of the list behind it.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// 待办
    pub todo: Option<u64>,
    /// 未读提醒, on the bell
    pub bell: Option<u64>,
}

/// The numbers of the rail for whoever is signed in (栏目数字).
pub(crate) async fn counts(visit: &Visit) -> anyhow::Result<Counts> {
    let mut counts = Counts::default();
    if let Ok(scope) = visit.scope_for(P::SeeCases, Purpose::Review) {
        counts.todo = Some(count(&visit.app.db, &scope, &TodoFilter::default()).await?);
    }
    if let Some(signed) = &visit.signed {
        counts.bell = Some(notify::note::unread_count(&visit.app.db, &signed.actor).await?);
    }
    Ok(counts)
}

/// An entry of the rail (栏目).
pub struct Entry {
    /// Where it leads.
    pub path: &'static str,
    /// Its name, a key of the catalogue.
    pub label: &'static str,
    /// Who sees it.
    pub needs: P,
    /// The number beside it.
    pub count: fn(&Counts) -> Option<u64>,
}

const fn entry(path: &'static str, label: &'static str, needs: P) -> Entry {
    Entry {
        path,
        label,
        needs,
        count: |_| None,
    }
}

/// Where the mark leads for somebody who is not signed in (公众首页).
pub const PUBLIC_HOME: &str = "/";

/// The entries in order (全部栏目).
pub const ENTRIES: &[Entry] = &[
    Entry {
        path: "/",
        label: key("待办"),
        needs: P::SeeCases,
        count: |counts| counts.todo,
    },
    entry("/cases", key("办件"), P::SeeCases),
    entry("/letters", key("文书打印"), P::SeePapers),
    entry("/reviews", key("定期核查"), P::SeeCases),
    entry("/life-events", key("生活事件"), P::SeeCases),
    entry("/leads", key("政策找人"), P::SeeCases),
    entry("/alerts", key("预警"), P::SeeCases),
    entry("/messages", key("告知消息"), P::SeeCases),
    entry("/ratings", key("好差评"), P::SeeCases),
    entry("/households", key("家庭"), P::SearchPeople),
    entry("/duplicates", key("重复登记"), P::RegisterPeople),
    entry("/drafts", key("申请草稿"), P::Apply),
    entry("/roster", key("导入花名册"), P::ImportRoster),
    entry("/pay-runs", key("发放"), P::SeePayRuns),
    entry("/adjustments", key("标准调整"), P::SeeAdjustments),
    entry("/rules", key("规则"), P::SeeRules),
    entry("/simulate", key("试算"), P::SeeFigures),
    entry("/statistics", key("统计"), P::SeeStatistics),
    entry("/cockpit", key("驾驶舱"), P::SeeStatistics),
    entry("/enquiries", key("核对记录"), P::SeeEnquiries),
    entry("/journal", key("操作日志"), P::ReadJournal),
    entry("/officers", key("账号管理"), P::ManageOfficers),
    entry("/keys", key("程序接口密钥"), P::ManageKeys),
];

/// The rail (左侧栏目).
pub(crate) fn rail(visit: &Visit, lit: &str, counts: &Counts) -> Markup {
    html! {
        nav.rail aria-label=(visit.t("栏目")) {
            ul {
                @for entry in ENTRIES.iter().filter(|entry| visit.can(entry.needs)) {
                    li {
                        a href=(entry.path) aria-current=[(entry.path == lit).then_some("page")] {
                            span { (visit.lang.look(entry.label)) }
                            @if let Some(count) = (entry.count)(counts) { span.count { (count) } }
                        }
                    }
                }
            }
        }
    }
}
