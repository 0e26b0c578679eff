//! The one table of all pages (路由表): verb, path, who may, what it is for, which function.
//!
//! The router is made by walking this table, so there is no page without a stated need, and the list of endpoints for
//! review is the same table printed ([`approved_endpoints`]). To add a page see docs/guides/add-a-page.md.

use crate::api::act::Act;
use crate::api::acts;
use crate::api::list::Readable;
use crate::api::openapi::Own;
use crate::app::App;
use crate::problem::Answer;
use crate::visit::Visit;
use crate::{api, guard, lists, pages, server};
use access::Permission as P;
use axum::Router;
use axum::extract::Request;
use axum::routing::{MethodFilter, on};
use std::fmt::Write as _;
use std::pin::Pin;
use std::time::Duration;

use Need::{Holds, Public, SignedIn};

/// Who may come in (准入).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Anybody, signed in or not.
    Public,
    /// Any officer who is signed in.
    SignedIn,
    /// An officer who holds this permission somewhere; the page narrows every query to that region.
    Holds(P),
}

/// What is done (动词). GET changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// 读
    Get,
    /// 办
    Post,
}

impl Verb {
    /// As HTTP writes it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// What a posting route takes (请求体).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// A form.
    Form,
    /// A form with files.
    Upload,
    /// JSON.
    Json,
}

impl Body {
    pub(crate) const fn limit(self) -> usize {
        match self {
            Self::Form => 512 * 1024,
            Self::Upload => 20 * 1024 * 1024,
            Self::Json => 1024 * 1024,
        }
    }

    pub(crate) const fn patience(self) -> Duration {
        match self {
            Self::Form | Self::Json => Duration::from_secs(30),
            Self::Upload => Duration::from_secs(300),
        }
    }
}

/// The future a page function gives.
pub type Coming<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// A line of the table (一条路由).
#[derive(Debug)]
pub struct Route {
    /// What is done.
    pub verb: Verb,
    /// The path, with `{names}` for its parts.
    pub path: &'static str,
    /// Who may.
    pub need: Need,
    /// What is sent along.
    pub body: Body,
    /// What it is for, in Chinese, for the list of endpoints.
    pub what: &'static str,
    /// The page function.
    pub page: for<'a> fn(&'a Visit) -> Coming<'a>,
    slow: bool,
    told: Told,
}

/// What a line of the table is to programs (程序接口说明).
#[derive(Clone, Copy)]
pub(crate) enum Told {
    /// A page; nothing to programs.
    Page,
    /// Something read.
    Read(&'static dyn Readable),
    /// An act.
    Act(&'static Act),
    /// Something that describes itself.
    Own(&'static Own),
}

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Page => "page",
            Self::Read(one) => one.name(),
            Self::Act(one) => one.name,
            Self::Own(one) => one.name,
        })
    }
}

impl Route {
    /// A page that only reads (读取页面).
    pub const fn get(
        path: &'static str,
        need: Need,
        what: &'static str,
        page: for<'a> fn(&'a Visit) -> Coming<'a>,
    ) -> Self {
        Self {
            verb: Verb::Get,
            path,
            need,
            body: Body::Form,
            what,
            page,
            slow: false,
            told: Told::Page,
        }
    }

    /// An act, sent by a form (提交表单).
    pub const fn post(
        path: &'static str,
        need: Need,
        what: &'static str,
        page: for<'a> fn(&'a Visit) -> Coming<'a>,
    ) -> Self {
        Self {
            verb: Verb::Post,
            path,
            need,
            body: Body::Form,
            what,
            page,
            slow: false,
            told: Told::Page,
        }
    }

    /// The same, taking files along (可上传文件).
    pub const fn with_files(self) -> Self {
        Self {
            body: Body::Upload,
            ..self
        }
    }

    /// The same, taking JSON.
    pub const fn with_json(self) -> Self {
        Self {
            body: Body::Json,
            ..self
        }
    }

    /// Something programs read (程序读取).
    const fn read(
        path: &'static str,
        need: Need,
        what: &'static str,
        one: &'static dyn Readable,
    ) -> Self {
        let told = Told::Read(one);
        Self {
            told,
            ..Self::get(path, need, what, |visit| match visit.route.told {
                Told::Read(one) => one.answer(visit),
                _ => Box::pin(async { Err(crate::problem::Problem::NotFound) }),
            })
        }
    }

    /// An act of a page, done by programs (程序办理): the same function, the fields as JSON.
    const fn act_of(
        path: &'static str,
        need: Need,
        what: &'static str,
        act: &'static Act,
        page: for<'a> fn(&'a Visit) -> Coming<'a>,
    ) -> Self {
        Self {
            told: Told::Act(act),
            body: Body::Json,
            ..Self::post(path, need, what, page)
        }
    }

    /// The same, with a description of its own.
    const fn described(self, own: &'static Own) -> Self {
        Self {
            told: Told::Own(own),
            ..self
        }
    }

    pub(crate) const fn told(&self) -> Told {
        self.told
    }

    /// The act programs do here, if it is one.
    pub(crate) const fn act(&self) -> Option<&'static Act> {
        match self.told {
            Told::Act(act) => Some(act),
            _ => None,
        }
    }

    /// The same, allowed to take two minutes instead of thirty seconds (耗时操作).
    pub const fn slow(self) -> Self {
        Self { slow: true, ..self }
    }

    pub(crate) const fn patience(&self) -> Duration {
        Duration::from_secs(if self.slow { 120 } else { 30 })
    }

    /// Whether programs and not people come here.
    pub fn is_api(&self) -> bool {
        self.path.starts_with("/api/")
    }
}

/// Wraps an `async fn page(visit: &Visit) -> Answer` for the table.
macro_rules! page {
    ($($function:tt)+) => {
        |visit| Box::pin($($function)+(visit))
    };
}

/// The route of all paths of the interface nobody knows.
pub(crate) static NOWHERE_API: Route =
    Route::get("/api/", Public, "无此接口", page!(pages::nowhere::show));

/// The path of the open rule book, which has an allowance of its own.
pub(crate) const EVALUATE: &str = "/api/v1/evaluate";

/// The route of all paths nobody knows.
pub(crate) static NOWHERE: Route = Route::get("", Public, "无此页面", page!(pages::nowhere::show));

/// The one table of all pages (路由表).
pub static ROUTES: &[Route] = &[
    Route::get(
        "/",
        Public,
        "首页：待办；未登录时为事项目录",
        page!(pages::home::show),
    ),
    // Signing in and one's own account
    Route::get("/sign-in", Public, "登录页", page!(pages::sign_in::show)),
    Route::post("/sign-in", Public, "登录", page!(pages::sign_in::post)),
    Route::get(
        "/sign-in/code",
        Public,
        "动态口令页",
        page!(pages::sign_in::code),
    ),
    Route::post(
        "/sign-in/code",
        Public,
        "验证动态口令",
        page!(pages::sign_in::post_code),
    ),
    Route::post("/sign-out", Public, "退出", page!(pages::sign_in::sign_out)),
    Route::post(
        "/preferences",
        Public,
        "语言、长辈版、配色",
        page!(pages::preferences::post),
    ),
    Route::get(
        "/account",
        SignedIn,
        "我的账号：密码、动态口令、在用会话",
        page!(pages::account::show),
    ),
    Route::post(
        "/account/password",
        SignedIn,
        "修改密码",
        page!(pages::account::password),
    ),
    Route::post(
        "/account/second-factor",
        SignedIn,
        "绑定或停用动态口令",
        page!(pages::account::second_factor),
    ),
    Route::post(
        "/account/sessions/end",
        SignedIn,
        "下线其他设备",
        page!(pages::account::end_session),
    ),
    // People and households
    Route::get(
        "/search",
        Holds(P::SearchPeople),
        "搜索人员和办件",
        page!(pages::search::show),
    ),
    Route::get(
        "/people/new",
        Holds(P::RegisterPeople),
        "登记人员页",
        page!(pages::register::show),
    ),
    Route::post(
        "/people/new",
        Holds(P::RegisterPeople),
        "登记人员",
        page!(pages::register::post),
    ),
    Route::get(
        "/people/{id}",
        Holds(P::SeePeople),
        "人员页",
        page!(pages::person::show),
    ),
    Route::get(
        "/people/{id}/change",
        Holds(P::RegisterPeople),
        "变更人员信息页",
        page!(pages::change_person::show),
    ),
    Route::post(
        "/people/{id}/change",
        Holds(P::RegisterPeople),
        "变更人员信息",
        page!(pages::change_person::post),
    ),
    Route::post(
        "/people/{id}/reveal",
        Holds(P::RevealPeople),
        "显示证件号和手机",
        page!(pages::person::reveal),
    ),
    Route::get(
        "/people/{id}/account",
        Holds(P::RegisterPeople),
        "登记银行账户页",
        page!(pages::bank_account::show),
    ),
    Route::post(
        "/people/{id}/account",
        Holds(P::RegisterPeople),
        "登记银行账户",
        page!(pages::bank_account::post),
    ),
    Route::get(
        "/households",
        Holds(P::SearchPeople),
        "家庭列表",
        page!(lists::show::<pages::households::Households>),
    ),
    Route::get(
        "/households/export",
        Holds(P::ExportCases),
        "导出家庭列表",
        page!(lists::export::file::<pages::households::Households>),
    ),
    Route::get(
        "/households/new",
        Holds(P::RegisterPeople),
        "建立家庭页",
        page!(pages::register::household),
    ),
    Route::post(
        "/households/new",
        Holds(P::RegisterPeople),
        "建立家庭",
        page!(pages::register::post_household),
    ),
    Route::get(
        "/households/{id}",
        Holds(P::SeePeople),
        "家庭页",
        page!(pages::household::show),
    ),
    Route::post(
        "/households/{id}/join",
        Holds(P::RegisterPeople),
        "添加成员",
        page!(pages::household::join),
    ),
    Route::get(
        "/duplicates",
        Holds(P::RegisterPeople),
        "重复登记：可能是同一人的记录",
        page!(lists::show::<pages::duplicates::Pairs>),
    ),
    Route::get(
        "/duplicates/export",
        Holds(P::MergePeople),
        "导出可能重复的登记",
        page!(lists::export::file::<pages::duplicates::Pairs>),
    ),
    Route::get(
        "/duplicates/homes",
        Holds(P::RegisterPeople),
        "可能是同一户的家庭",
        page!(pages::duplicate_homes::show),
    ),
    Route::post(
        "/duplicates/homes/different",
        Holds(P::RegisterPeople),
        "认定不是同一户",
        page!(pages::duplicate_homes::decide_different),
    ),
    Route::get(
        "/duplicates/{id}",
        Holds(P::RegisterPeople),
        "一对记录并排核对",
        page!(pages::duplicate::show),
    ),
    Route::post(
        "/duplicates/{id}/different",
        Holds(P::RegisterPeople),
        "认定不是同一人",
        page!(pages::duplicate::different),
    ),
    Route::post(
        "/duplicates/{id}/later",
        Holds(P::RegisterPeople),
        "以后再核对这一对",
        page!(pages::duplicate::later),
    ),
    Route::post(
        "/duplicates/{id}/merge",
        Holds(P::RegisterPeople),
        "拟定合并",
        page!(pages::duplicate::prepare),
    ),
    Route::post(
        "/duplicates/{id}/decide",
        Holds(P::MergePeople),
        "复核合并",
        page!(pages::duplicate::decide),
    ),
    Route::post(
        "/duplicates/{id}/reject",
        Holds(P::MergePeople),
        "退回合并",
        page!(pages::duplicate::reject),
    ),
    Route::post(
        "/duplicates/{id}/undo",
        Holds(P::MergePeople),
        "撤销合并",
        page!(pages::duplicate::undo),
    ),
    Route::get(
        "/facts/new",
        Holds(P::RecordFacts),
        "录入事实页",
        page!(pages::facts::new),
    ),
    Route::post(
        "/facts/new",
        Holds(P::RecordFacts),
        "录入事实",
        page!(pages::facts::post),
    )
    .with_files(),
    Route::post(
        "/people/start",
        Holds(P::RegisterPeople),
        "带着证件号登记人员",
        page!(pages::register::start),
    ),
    Route::get(
        "/files/{id}",
        Holds(P::SeePapers),
        "查看事实的证明材料",
        page!(pages::facts::file),
    ),
    // Applying
    Route::get(
        "/apply",
        Holds(P::Apply),
        "新申请：查找申请人页",
        page!(pages::apply::show),
    ),
    Route::post(
        "/apply",
        Holds(P::Apply),
        "新申请：查找申请人",
        page!(pages::apply::find),
    ),
    Route::get(
        "/drafts",
        Holds(P::Apply),
        "申请草稿",
        page!(pages::apply::drafts),
    ),
    Route::post(
        "/drafts",
        Holds(P::Apply),
        "为一家开始申请",
        page!(pages::apply::start),
    ),
    Route::get(
        "/drafts/{id}",
        Holds(P::Apply),
        "申请表",
        page!(pages::application::show),
    ),
    Route::post(
        "/drafts/{id}",
        Holds(P::Apply),
        "保存申请表",
        page!(pages::save_application::post),
    ),
    Route::post(
        "/drafts/{id}/save",
        Holds(P::Apply),
        "自动保存申请表",
        page!(pages::save_application::autosave),
    ),
    Route::get(
        "/drafts/{id}/check",
        Holds(P::Apply),
        "核对申请",
        page!(pages::check::show),
    ),
    Route::post(
        "/drafts/{id}/submit",
        Holds(P::Apply),
        "提交申请",
        page!(pages::check::submit),
    ),
    // Cases
    Route::get(
        "/cases",
        Holds(P::SeeCases),
        "办件列表",
        page!(lists::show::<pages::cases::Cases>),
    ),
    Route::post(
        "/lists/{list}/columns",
        SignedIn,
        "选择清单的列",
        page!(lists::choice::keep),
    ),
    Route::get(
        "/cases/export",
        Holds(P::ExportCases),
        "导出办件",
        page!(lists::export::file::<pages::cases::Cases>),
    )
    .slow(),
    Route::get(
        "/cases/{id}",
        Holds(P::SeeCases),
        "办件页",
        page!(pages::case::show),
    ),
    Route::get(
        "/cases/{id}/why",
        Holds(P::SeeCases),
        "为什么：认定依据",
        page!(pages::case::why),
    ),
    Route::post(
        "/cases/{id}/acts/{act}",
        Holds(P::ActOnCases),
        "办理",
        page!(pages::acts::post),
    ),
    Route::post(
        "/cases/{id}/evidence",
        Holds(P::AddPapers),
        "上传材料",
        page!(pages::case::attach),
    )
    .with_files(),
    Route::post(
        "/cases/{id}/authorise",
        Holds(P::Apply),
        "登记核对授权",
        page!(pages::consents::authorise),
    )
    .with_files(),
    Route::post(
        "/cases/{id}/consents",
        Holds(P::Apply),
        "登记家庭以外的人的核对授权",
        page!(pages::consents::outside),
    )
    .with_files(),
    Route::post(
        "/cases/{id}/consents/{consent}/withdraw",
        Holds(P::Apply),
        "撤回核对授权",
        page!(pages::consents::withdraw),
    ),
    Route::get(
        "/cases/{id}/findings",
        Holds(P::RecordFacts),
        "核对发现：申报与核对对照、录入页",
        page!(pages::findings::show),
    ),
    Route::post(
        "/cases/{id}/findings",
        Holds(P::RecordFacts),
        "试算或记入核对发现",
        page!(pages::findings::post),
    )
    .with_files(),
    Route::post(
        "/cases/{id}/findings/withdraw",
        Holds(P::RecordFacts),
        "撤回核对发现",
        page!(pages::findings::withdraw),
    ),
    Route::get(
        "/cases/{id}/enquiry",
        Holds(P::SeeCases),
        "核对：授权、报告、与申报对照",
        page!(pages::enquiry::show),
    ),
    Route::post(
        "/cases/{id}/enquiry",
        Holds(P::Enquire),
        "发起核对",
        page!(pages::enquiry::post),
    )
    .slow(),
    Route::get(
        "/cases/{id}/enquiry/{report}/pdf",
        Holds(P::SeeCases),
        "核对报告 PDF",
        page!(pages::enquiry_paper::pdf),
    )
    .slow(),
    Route::get(
        "/cases/{id}/consents/{person}/form",
        Holds(P::Apply),
        "打印核对授权书",
        page!(pages::enquiry_paper::form),
    )
    .slow(),
    Route::get(
        "/enquiries",
        Holds(P::SeeEnquiries),
        "核对记录：谁为哪个办件核对了谁，异常提示",
        page!(lists::show::<pages::enquiries::Enquiries>),
    ),
    Route::get(
        "/enquiries/export",
        Holds(P::SeeEnquiries),
        "导出核对记录",
        page!(lists::export::file::<pages::enquiries::Enquiries>),
    )
    .slow(),
    Route::post(
        "/cases/{id}/enquiry/{report}/take",
        Holds(P::Enquire),
        "采信核对发现",
        page!(pages::enquiry::take),
    ),
    Route::post(
        "/cases/{id}/enquiry/{report}/reproduce",
        Holds(P::Enquire),
        "用当时的数据重做报告",
        page!(pages::enquiry::reproduce),
    )
    .slow(),
    Route::post(
        "/cases/{id}/enquiry/{report}/object",
        Holds(P::Enquire),
        "登记对核对结果的异议",
        page!(pages::finding_objections::object),
    )
    .with_files(),
    Route::post(
        "/cases/{id}/objections/{objection}",
        Holds(P::Enquire),
        "答复对核对结果的异议",
        page!(pages::finding_objections::answer),
    )
    .with_files(),
    Route::get(
        "/evidence/{id}",
        Holds(P::SeePapers),
        "查看材料",
        page!(pages::case::evidence),
    ),
    Route::get(
        "/letters/{id}",
        Holds(P::SeePapers),
        "文书 PDF",
        page!(pages::case::letter),
    ),
    Route::get(
        "/cases/{id}/receipt",
        Holds(P::SeeCases),
        "申请回执",
        page!(pages::case::receipt),
    ),
    // Reviews and life events
    Route::get(
        "/reviews",
        Holds(P::SeeCases),
        "定期核查列表",
        page!(lists::show::<pages::reviews::Reviews>),
    ),
    Route::get(
        "/reviews/export",
        Holds(P::ExportCases),
        "导出定期核查",
        page!(lists::export::file::<pages::reviews::Reviews>),
    )
    .slow(),
    Route::get(
        "/life-events",
        Holds(P::SeeCases),
        "生活事件列表",
        page!(lists::show::<pages::life_events::Events>),
    ),
    Route::get(
        "/life-events/export",
        Holds(P::ExportCases),
        "导出生活事件",
        page!(lists::export::file::<pages::life_events::Events>),
    ),
    Route::get(
        "/life-events/{id}",
        Holds(P::SeeCases),
        "生活事件详情",
        page!(pages::life_events::one),
    ),
    // Policy finds people
    Route::get(
        "/leads",
        Holds(P::SeeCases),
        "政策找人：线索列表",
        page!(lists::show::<pages::leads::Leads>),
    ),
    Route::get(
        "/leads/export",
        Holds(P::ExportCases),
        "导出线索",
        page!(lists::export::file::<pages::leads::Leads>),
    )
    .slow(),
    Route::get(
        "/leads/sweep",
        Holds(P::RunSweep),
        "全人口比对：进度",
        page!(pages::sweep::show),
    ),
    Route::post(
        "/leads/sweep",
        Holds(P::RunSweep),
        "现在比对全部人口",
        page!(pages::sweep::start),
    ),
    Route::post(
        "/leads/sweep/cancel",
        Holds(P::RunSweep),
        "停止比对",
        page!(pages::sweep::cancel),
    ),
    Route::get(
        "/leads/{id}",
        Holds(P::SeeCases),
        "线索详情：发现了什么、为什么、下一步",
        page!(pages::lead::show),
    ),
    Route::post(
        "/leads/{id}/visit",
        Holds(P::ActOnCases),
        "登记走访",
        page!(pages::lead::visited),
    ),
    Route::post(
        "/leads/{id}/dismiss",
        Holds(P::ActOnCases),
        "排除线索",
        page!(pages::lead::dismiss),
    ),
    Route::post(
        "/leads/{id}/review",
        Holds(P::ActOnCases),
        "转办件复核",
        page!(pages::lead::review),
    ),
    // Alerts
    Route::get(
        "/alerts",
        Holds(P::SeeCases),
        "预警列表：在发对象与部门数据不符",
        page!(lists::show::<pages::alerts::Alerts>),
    ),
    Route::get(
        "/alerts/export",
        Holds(P::ExportCases),
        "导出预警",
        page!(lists::export::file::<pages::alerts::Alerts>),
    )
    .slow(),
    Route::get(
        "/alerts/{id}",
        Holds(P::SeeCases),
        "预警详情：两边怎么说、依据、下一步",
        page!(pages::alert::show),
    ),
    Route::post(
        "/alerts/{id}/evidence",
        Holds(P::RevealPeople),
        "调阅部门送来的记录",
        page!(pages::alert::reveal),
    ),
    Route::post(
        "/alerts/{id}/dismiss",
        Holds(P::ActOnCases),
        "核实无误，不再预警",
        page!(pages::alert::dismiss),
    ),
    Route::post(
        "/alerts/{id}/hand-over",
        Holds(P::ActOnCases),
        "预警转办件复核",
        page!(pages::alert::hand_over),
    ),
    // What if
    Route::get(
        "/simulate",
        Holds(P::SeeFigures),
        "试算：参数改成别的数会怎样",
        page!(pages::simulate::show),
    )
    .slow(),
    Route::get(
        "/simulate/export",
        Holds(P::SeeFigures),
        "导出试算",
        page!(pages::simulate::export),
    )
    .slow(),
    Route::post(
        "/simulate/draft",
        Holds(P::WriteRules),
        "把试算的数写进规则草稿",
        page!(pages::simulate_draft::post),
    )
    .slow(),
    // Life events are reported from the household
    Route::get(
        "/households/{id}/event",
        Holds(P::RecordFacts),
        "登记生活事件页",
        page!(pages::life_event_new::show),
    ),
    Route::post(
        "/households/{id}/event",
        Holds(P::RecordFacts),
        "登记生活事件：先看涉及什么，再确认",
        page!(pages::life_event_new::post),
    )
    .with_files(),
    // New standards
    Route::get(
        "/adjustments",
        Holds(P::SeeAdjustments),
        "标准调整",
        page!(pages::adjustments::show),
    ),
    Route::post(
        "/adjustments",
        Holds(P::ProposeAdjustment),
        "拟定标准调整",
        page!(pages::adjustments::post),
    )
    .slow(),
    Route::get(
        "/adjustments/{id}",
        Holds(P::SeeAdjustments),
        "标准调整详情",
        page!(pages::adjustment::show),
    ),
    Route::get(
        "/adjustments/{id}/export",
        Holds(P::SeeAdjustments),
        "导出标准调整明细",
        page!(pages::adjustment::export),
    )
    .slow(),
    Route::post(
        "/adjustments/{id}/approve",
        Holds(P::ApproveAdjustment),
        "复核并办理标准调整",
        page!(pages::adjustment::approve),
    )
    .slow(),
    Route::post(
        "/adjustments/{id}/withdraw",
        Holds(P::ProposeAdjustment),
        "撤回标准调整",
        page!(pages::adjustment::withdraw),
    ),
    Route::post(
        "/adjustments/{id}/roll-back",
        Holds(P::ProposeAdjustment),
        "拟定回退标准调整",
        page!(pages::adjustment::roll_back),
    ),
    // Payments
    Route::get(
        "/pay-runs",
        Holds(P::SeePayRuns),
        "发放批次",
        page!(pages::pay_runs::show),
    ),
    Route::post(
        "/pay-runs",
        Holds(P::ProposePayRun),
        "拟定发放",
        page!(pages::pay_runs::post),
    )
    .slow(),
    Route::get(
        "/pay-runs/{id}",
        Holds(P::SeePayRuns),
        "发放批次详情",
        page!(pages::pay_run::show),
    ),
    Route::post(
        "/pay-runs/{id}/release",
        Holds(P::ReleasePayRun),
        "复核放款",
        page!(pages::pay_run::release),
    )
    .slow(),
    Route::post(
        "/pay-runs/{id}/cancel",
        Holds(P::ProposePayRun),
        "作废批次",
        page!(pages::pay_run::cancel),
    ),
    Route::post(
        "/pay-runs/{id}/file",
        Holds(P::BankFiles),
        "下载银行文件",
        page!(pages::pay_file::file),
    )
    .slow(),
    Route::post(
        "/pay-runs/{id}/sent",
        Holds(P::BankFiles),
        "标记已送银行",
        page!(pages::pay_file::sent),
    )
    .slow(),
    Route::post(
        "/pay-runs/{id}/return",
        Holds(P::BankFiles),
        "导入银行回盘",
        page!(pages::pay_file::answer),
    )
    .with_files()
    .slow(),
    Route::get(
        "/pay-lines",
        Holds(P::SeePayRuns),
        "发放明细列表",
        page!(lists::show::<pages::pay_lines::Lines>),
    ),
    Route::get(
        "/pay-lines/export",
        Holds(P::SeePayRuns),
        "导出发放明细",
        page!(lists::export::file::<pages::pay_lines::Lines>),
    ),
    Route::get(
        "/statistics",
        Holds(P::SeeStatistics),
        "统计",
        page!(pages::statistics::show),
    ),
    Route::get(
        "/statistics/export",
        Holds(P::SeeStatistics),
        "导出统计",
        page!(pages::statistics::export),
    ),
    Route::get(
        "/pay-lines/{id}",
        Holds(P::SeePayRuns),
        "发放明细",
        page!(pages::pay_line::show),
    ),
    Route::post(
        "/pay-lines/{id}/reissue",
        Holds(P::ProposePayRun),
        "重发退回款",
        page!(pages::pay_line::reissue),
    ),
    // Household rosters
    Route::get(
        "/roster",
        Holds(P::ImportRoster),
        "导入花名册页",
        page!(pages::roster::show),
    ),
    Route::get(
        "/roster/template",
        Holds(P::ImportRoster),
        "下载花名册模板",
        page!(pages::roster::template),
    ),
    Route::post(
        "/roster",
        Holds(P::ImportRoster),
        "上传花名册并检查，不写入",
        page!(pages::roster::check),
    )
    .with_files()
    .slow(),
    Route::post(
        "/roster/commit",
        Holds(P::ImportRoster),
        "导入花名册",
        page!(pages::roster::commit),
    )
    .slow(),
    Route::post(
        "/roster/rejected",
        Holds(P::ImportRoster),
        "下载花名册错误行",
        page!(pages::roster::rejected),
    )
    .slow(),
    // The rule book
    Route::get(
        "/rules",
        Holds(P::SeeRules),
        "规则：事项列表",
        page!(pages::rules::show),
    ),
    Route::get(
        "/rules/facts",
        Holds(P::SeeRules),
        "规则：事实目录",
        page!(pages::rules::facts),
    ),
    Route::get(
        "/rules/{id}",
        Holds(P::SeeRules),
        "规则详情：条文、参数、条件",
        page!(pages::rule::show),
    ),
    Route::get(
        "/rules/{id}/cases",
        Holds(P::SeeRules),
        "办例",
        page!(pages::rule::worked_cases),
    ),
    Route::get(
        "/rules/{id}/card",
        Holds(P::SeeRules),
        "下载规则卡",
        page!(pages::rule::card),
    ),
    // Writing rules
    Route::get(
        "/rules/{id}/edit",
        Holds(P::WriteRules),
        "修改规则页",
        page!(pages::rule_edit::show),
    ),
    Route::post(
        "/rules/{id}/edit",
        Holds(P::WriteRules),
        "保存规则草稿并检查",
        page!(pages::rule_edit::post),
    )
    .with_files()
    .slow(),
    Route::post(
        "/rules/{id}/value",
        Holds(P::WriteRules),
        "草稿中新增带日期的值",
        page!(pages::rule_edit::value),
    )
    .slow(),
    Route::get(
        "/rules/drafts",
        Holds(P::SeeRules),
        "规则草稿列表",
        page!(pages::rule_drafts::show),
    ),
    Route::get(
        "/rules/drafts/{id}",
        Holds(P::SeeRules),
        "规则草稿：差别、检查结果、提请和发布",
        page!(pages::rule_draft::show),
    ),
    Route::get(
        "/rules/drafts/{id}/what-if",
        Holds(P::SeeFigures),
        "规则草稿影响测算",
        page!(pages::rule_draft::effect),
    )
    .slow(),
    Route::post(
        "/rules/drafts/{id}/propose",
        Holds(P::WriteRules),
        "提请发布规则",
        page!(pages::rule_draft::propose),
    )
    .slow(),
    Route::post(
        "/rules/drafts/{id}/publish",
        Holds(P::PublishRules),
        "复核并发布规则",
        page!(pages::rule_draft::publish),
    )
    .slow(),
    Route::post(
        "/rules/drafts/{id}/send-back",
        Holds(P::PublishRules),
        "退回修改规则草稿",
        page!(pages::rule_draft::send_back),
    ),
    Route::post(
        "/rules/drafts/{id}/discard",
        Holds(P::WriteRules),
        "作废规则草稿",
        page!(pages::rule_draft::discard),
    ),
    Route::get(
        "/rules/editions",
        Holds(P::SeeRules),
        "规则历史",
        page!(pages::rule_editions::show),
    ),
    Route::get(
        "/rules/editions/{id}",
        Holds(P::SeeRules),
        "某一版规则：依据、改动",
        page!(pages::rule_editions::one),
    )
    .slow(),
    Route::get(
        "/rules/editions/{id}/export",
        Holds(P::SeeRules),
        "导出某一版规则的全部文件",
        page!(pages::rule_editions::export),
    )
    .slow(),
    // The auditor
    Route::get(
        "/journal",
        Holds(P::ReadJournal),
        "操作日志",
        page!(lists::show::<pages::journal::Entries>),
    ),
    Route::get(
        "/journal/export",
        Holds(P::ReadJournal),
        "导出操作日志",
        page!(lists::export::file::<pages::journal::Entries>),
    )
    .slow(),
    Route::post(
        "/journal/verify",
        Holds(P::ReadJournal),
        "校验日志链",
        page!(pages::journal::verify),
    )
    .slow(),
    Route::get(
        "/audit",
        Holds(P::ReadJournal),
        "年度审计",
        page!(pages::audit::show),
    )
    .slow(),
    // Accounts of colleagues
    Route::get(
        "/officers",
        Holds(P::ManageOfficers),
        "账号列表",
        page!(pages::officers::show),
    ),
    Route::post(
        "/officers",
        Holds(P::ManageOfficers),
        "新建账号",
        page!(pages::officers::post),
    ),
    Route::get(
        "/officers/{id}",
        Holds(P::ManageOfficers),
        "账号详情",
        page!(pages::officer::show),
    ),
    Route::post(
        "/officers/{id}/grant",
        Holds(P::ManageOfficers),
        "授岗",
        page!(pages::officer::grant),
    ),
    Route::post(
        "/officers/{id}/revoke",
        Holds(P::ManageOfficers),
        "撤岗",
        page!(pages::officer::revoke),
    ),
    Route::post(
        "/officers/{id}/switch",
        Holds(P::ManageOfficers),
        "启用、停用账号",
        page!(pages::officer::switch),
    ),
    Route::post(
        "/officers/{id}/password",
        Holds(P::ManageOfficers),
        "重置密码",
        page!(pages::officer::password),
    ),
    Route::post(
        "/officers/{id}/sessions/end",
        Holds(P::ManageOfficers),
        "让其在所有设备上退出",
        page!(pages::officer::end_sessions),
    ),
    // The public door
    Route::get(
        "/programmes",
        Public,
        "办事事项",
        page!(pages::catalogue::show),
    ),
    Route::get(
        "/programmes/{id}",
        Public,
        "一次性告知单",
        page!(pages::guide::show),
    ),
    Route::get("/notices", Public, "近期公示", page!(pages::notices::show)),
    Route::get(
        "/notices/{id}",
        Public,
        "一条公示与异议表",
        page!(pages::notices::one),
    ),
    Route::post(
        "/notices/{id}",
        Public,
        "提出异议",
        page!(pages::notices::object),
    ),
    Route::get(
        "/progress",
        Public,
        "进度查询页",
        page!(pages::progress::show),
    ),
    Route::get(
        "/progress/{code}",
        Public,
        "进度查询页（回执二维码）",
        page!(pages::progress::show),
    ),
    Route::post(
        "/progress",
        Public,
        "查询办理进度",
        page!(pages::progress::post),
    ),
    Route::get(
        "/verify",
        Public,
        "文书核验",
        page!(pages::document_check::show),
    ),
    Route::get(
        "/verify/{code}",
        Public,
        "文书核验（文书二维码）",
        page!(pages::document_check::show),
    ),
    // The machine
    Route::get("/health", Public, "运行状况", page!(pages::health::show)),
    Route::get(
        "/metrics",
        Public,
        "运行指标（只答本机）",
        page!(pages::health::numbers),
    ),
    Route::get(
        "/assets/{*file}",
        Public,
        "样式、脚本、图标",
        page!(crate::assets::show),
    ),
    Route::get("/help", Public, "帮助与快捷键", page!(pages::help::show)),
    Route::get("/style", Public, "界面规范", page!(pages::style::show)),
    Route::post(
        "/demo/clock",
        SignedIn,
        "演示时钟前进（仅演示环境）",
        page!(pages::demo::advance),
    ),
    // For programs
    Route::post(
        EVALUATE,
        Public,
        "按规则试算，不留存任何内容",
        page!(api::evaluate::post),
    )
    .with_json()
    .described(&api::evaluate::OWN),
    Route::get(
        api::openapi::PATH,
        Public,
        "程序接口说明（OpenAPI）",
        page!(api::openapi::show),
    )
    .described(&api::openapi::OWN),
    Route::get(
        "/api",
        Public,
        "程序接口：给开发者的说明",
        page!(pages::developers::show),
    ),
    Route::get(
        "/keys",
        Holds(P::ManageKeys),
        "程序接口密钥",
        page!(pages::keys::show),
    ),
    Route::post(
        "/keys",
        Holds(P::ManageKeys),
        "签发密钥",
        page!(pages::keys::post),
    ),
    Route::get(
        "/keys/{id}",
        Holds(P::ManageKeys),
        "一个密钥",
        page!(pages::keys::one),
    ),
    Route::post(
        "/keys/{id}/renew",
        Holds(P::ManageKeys),
        "换发密钥",
        page!(pages::keys::renew),
    ),
    Route::post(
        "/keys/{id}/revoke",
        Holds(P::ManageKeys),
        "吊销密钥",
        page!(pages::keys::revoke),
    ),
    Route::read(
        "/api/v1/cases",
        Holds(P::SeeCases),
        "办件",
        &api::lists::affairs::CASES,
    ),
    Route::read(
        "/api/v1/cases/{id}",
        Holds(P::SeeCases),
        "一个办件",
        &api::lists::affairs::CASE,
    ),
    Route::read(
        "/api/v1/reviews",
        Holds(P::SeeCases),
        "定期核查",
        &api::lists::affairs::REVIEWS,
    ),
    Route::read(
        "/api/v1/life-events",
        Holds(P::SeeCases),
        "生活事件",
        &api::lists::affairs::LIFE_EVENTS,
    ),
    Route::read(
        "/api/v1/leads",
        Holds(P::SeeCases),
        "政策找人线索",
        &api::lists::watch::LEADS,
    ),
    Route::read(
        "/api/v1/alerts",
        Holds(P::SeeCases),
        "预警",
        &api::lists::watch::ALERTS,
    ),
    Route::read(
        "/api/v1/duplicates",
        Holds(P::RegisterPeople),
        "重复登记",
        &api::lists::watch::DUPLICATES,
    ),
    Route::read(
        "/api/v1/enquiries",
        Holds(P::SeeEnquiries),
        "核对记录",
        &api::lists::watch::ENQUIRIES,
    ),
    Route::read(
        "/api/v1/people",
        Holds(P::SearchPeople),
        "人员",
        &api::lists::people::PEOPLE,
    ),
    Route::read(
        "/api/v1/households",
        Holds(P::SearchPeople),
        "家庭",
        &api::lists::people::HOUSEHOLDS,
    ),
    Route::read(
        "/api/v1/pay-runs",
        Holds(P::SeePayRuns),
        "发放批次",
        &api::lists::money::PAY_RUNS,
    ),
    Route::read(
        "/api/v1/pay-lines",
        Holds(P::SeePayRuns),
        "发放明细",
        &api::lists::money::PAY_LINES,
    ),
    Route::read(
        "/api/v1/journal",
        Holds(P::ReadJournal),
        "操作日志",
        &api::lists::law::JOURNAL,
    ),
    Route::read(
        "/api/v1/programmes",
        Public,
        "事项",
        &api::lists::law::PROGRAMMES,
    ),
    Route::read(
        "/api/v1/rules/editions",
        Holds(P::SeeRules),
        "规则版本",
        &api::lists::law::EDITIONS,
    ),
    Route::act_of(
        "/api/v1/cases/{id}/acts/{act}",
        Holds(P::ActOnCases),
        "办理",
        &acts::ON_CASE,
        page!(pages::acts::post),
    ),
    Route::act_of(
        "/api/v1/drafts",
        Holds(P::Apply),
        "为一家开始申请",
        &acts::START,
        page!(pages::apply::start),
    ),
    Route::act_of(
        "/api/v1/drafts/{id}/submit",
        Holds(P::Apply),
        "提交申请",
        &acts::SUBMIT,
        page!(pages::check::submit),
    ),
    Route::act_of(
        "/api/v1/facts",
        Holds(P::RecordFacts),
        "录入事实",
        &acts::FACT,
        page!(pages::facts::post),
    ),
    Route::act_of(
        "/api/v1/households/{id}/join",
        Holds(P::RegisterPeople),
        "添加成员",
        &acts::JOIN,
        page!(pages::household::join),
    ),
    Route::act_of(
        "/api/v1/leads/{id}/visit",
        Holds(P::ActOnCases),
        "登记走访",
        &acts::VISIT,
        page!(pages::lead::visited),
    ),
    Route::act_of(
        "/api/v1/leads/{id}/dismiss",
        Holds(P::ActOnCases),
        "排除线索",
        &acts::DISMISS_LEAD,
        page!(pages::lead::dismiss),
    ),
    Route::act_of(
        "/api/v1/leads/{id}/review",
        Holds(P::ActOnCases),
        "线索转办件复核",
        &acts::REVIEW_LEAD,
        page!(pages::lead::review),
    ),
    Route::act_of(
        "/api/v1/alerts/{id}/dismiss",
        Holds(P::ActOnCases),
        "排除预警",
        &acts::DISMISS_ALERT,
        page!(pages::alert::dismiss),
    ),
    Route::act_of(
        "/api/v1/alerts/{id}/hand-over",
        Holds(P::ActOnCases),
        "预警转办件",
        &acts::HAND_OVER,
        page!(pages::alert::hand_over),
    ),
    Route::act_of(
        "/api/v1/duplicates/{id}/different",
        Holds(P::RegisterPeople),
        "认定不是同一人",
        &acts::DIFFERENT,
        page!(pages::duplicate::different),
    ),
    Route::act_of(
        "/api/v1/duplicates/{id}/later",
        Holds(P::RegisterPeople),
        "以后再核对",
        &acts::LATER,
        page!(pages::duplicate::later),
    ),
    Route::act_of(
        "/api/v1/pay-runs",
        Holds(P::ProposePayRun),
        "拟定发放批次",
        &acts::PROPOSE,
        page!(pages::pay_runs::post),
    ),
    Route::act_of(
        "/api/v1/pay-runs/{id}/cancel",
        Holds(P::ProposePayRun),
        "作废发放批次",
        &acts::CANCEL,
        page!(pages::pay_run::cancel),
    ),
];

/// The router over the table (路由器).
pub fn router(app: App) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let filter = match route.verb {
            Verb::Get => MethodFilter::GET,
            Verb::Post => MethodFilter::POST,
        };
        let app = app.clone();
        let answer = move |request: Request| guard::answer(app.clone(), route, request);
        router = router.route(route.path, on(filter, answer));
    }
    let wrong = app.clone();
    let router = router.method_not_allowed_fallback(move |request: Request| {
        guard::wrong_verb(wrong.clone(), request)
    });
    let lost = app.clone();
    let router = router.fallback(move |request: Request| guard::nowhere(lost.clone(), request));
    server::layers(router, &app)
}

/// The list of endpoints and permissions for review, as Markdown (接口与权限清单).
pub fn approved_endpoints() -> String {
    let mut list = String::from(
        "# Endpoints and permissions\n\nGenerated from `web::ROUTES` and `access::TABLE`; reviewed, never edited by hand.\n\n\
         | verb | path | need | roles | what |\n|---|---|---|---|---|\n",
    );
    let mut routes: Vec<&Route> = ROUTES.iter().collect();
    routes.sort_by_key(|route| (route.path, route.verb));
    for route in routes {
        let (need, roles) = match route.need {
            Public => ("public".to_owned(), "anybody".to_owned()),
            SignedIn => ("signed in".to_owned(), "all".to_owned()),
            Holds(permission) => {
                let roles: Vec<&str> = permission.roles().iter().map(|role| role.code()).collect();
                (permission.code(), roles.join(", "))
            }
        };
        // Writing into a String cannot fail.
        let _ = writeln!(
            list,
            "| {} | `{}` | {need} | {roles} | {} |",
            route.verb.text(),
            route.path,
            route.what
        );
    }
    list
}

#[cfg(test)]
mod tests {
    use super::{ROUTES, Verb, approved_endpoints};
    use std::collections::BTreeSet;

    #[test]
    fn what_asks_again_takes_no_files() {
        for route in ROUTES {
            if let super::Holds(permission) = route.need {
                let asks = permission.asks_again() && route.verb == Verb::Post;
                assert!(!asks || route.body == super::Body::Form, "{}", route.path);
            }
        }
    }

    #[test]
    fn what_only_a_person_may_do_is_not_given_to_programs() {
        for route in ROUTES.iter().filter(|route| route.is_api()) {
            if let super::Holds(permission) = route.need {
                assert!(access::api_key::may_be_given(permission), "{}", route.path);
            }
            assert!(!matches!(route.told, super::Told::Page), "{}", route.path);
        }
    }

    #[test]
    fn every_route_stands_once_and_says_what_it_is_for() {
        let once: BTreeSet<(&str, Verb)> = ROUTES
            .iter()
            .map(|route| (route.path, route.verb))
            .collect();
        assert_eq!(once.len(), ROUTES.len());
        for route in ROUTES {
            assert!(
                route.path.starts_with('/') && !route.what.is_empty(),
                "{}",
                route.path
            );
        }
        assert_eq!(approved_endpoints().lines().count(), ROUTES.len() + 6);
    }
}
