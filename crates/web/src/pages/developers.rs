//! The interface for programs, explained to those who write them (给开发者的说明).
//!
//! The examples are the ones a test carries out; the lists, acts and codes are those of the route table. Open to everybody.

use crate::api::examples::EXAMPLES;
use crate::api::openapi::{CODES, PATH};
use crate::parts::{piece, table};
use crate::problem::Answer;
use crate::routes::{Need, Told, routes};
use crate::visit::Visit;
use maud::{Markup, html};

/// `GET /api` (给开发者的说明).
///
/// # Errors
/// None.
pub async fn show(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let body = html! {
        p.lead { (visit.t("工作台上的清单和动作，程序也能用。每个接口都和网页走同一段程序，权限、地区和留痕也相同。")) }
        p { a.button href=(PATH) { (visit.t("接口说明（OpenAPI 3.1）")) } }
        (piece::section(visit.t("密钥"), &html! {
            p { (visit.t("密钥由本单位管理员在“程序接口密钥”页签发，只显示一次。它有自己的账号、岗位、地区、权限、有效期和每分钟次数。")) }
            p { (visit.t("每次调用带上这个头：")) }
            pre tabindex="0" { code { "Authorization: Bearer hm_…" } }
            p { (visit.t("登录网页的 cookie 对接口无效。需要本人再次验证身份的事，例如放款、发布规则，只能在网页上由工作人员办理。")) }
        }))
        (piece::section(visit.t("事由"), &html! {
            p { (visit.t("读取个人资料要写明事由，事由记入操作日志：")) }
            pre tabindex="0" { code { "Huimin-Purpose: review" } }
            p { (visit.t("可写 application（办理申请）、review（审核）、payment（发放）、audit（审计），或者 enquiry: 加说明，中文用百分号编码。")) }
            p { (visit.t("姓名、证件号、手机号都打码；金额以分为单位；未知写作 null，不写作 0。")) }
        }))
        (piece::section(visit.t("翻页"), &html! {
            p { (visit.t("limit 是每页条数，1 到 200，不写是 50。回应里的 next 是下一页的 cursor，Link 头里也有；没有下一页时是 null。cursor 只对同样的筛选有效。")) }
        }))
        (piece::section(visit.t("只办一次"), &html! {
            p { (visit.t("办理时带上自己起的 Idempotency-Key。没听到回应就原样再发：24 小时内不会办第二次，回应相同，并带 Idempotency-Replayed 头。同一个键换了内容会被拒绝。")) }
        }))
        (piece::section(visit.t("出错时"), &codes(visit)))
        (piece::section(visit.t("示例"), &html! {
            @for example in EXAMPLES {
                h3 { (lang.look(example.what)) }
                pre tabindex="0" { code { (example.typed(&visit.app.config.base_url)) } }
                p.quiet { (lang.f("回应 {status}", &[("status", &example.status)])) }
            }
        }))
        (piece::section(visit.t("全部接口"), &all(visit)))
    };
    Ok(visit.page(visit.t("程序接口")).show(&body))
}

fn codes(visit: &Visit) -> Markup {
    html! {
        p { (visit.t("错误按 RFC 9457 写成 application/problem+json：type、title、status、detail，另有 code、field、errors 和请求编号 request。")) }
        dl.facts {
            @for (code, status, what) in CODES {
                div id=(code) { dt { code { (code) } " " (status) } dd { (visit.lang.look(what)) } }
            }
        }
    }
}

/// Every route of the interface, from the table.
fn all(visit: &Visit) -> Markup {
    let columns = [
        table::text(visit.t("方法")),
        table::text(visit.t("地址")),
        table::text(visit.t("是什么")),
        table::text(visit.t("权限")),
    ];
    let rows = routes()
        .filter(|route| route.is_api())
        .map(|route| {
            let what = match route.told() {
                Told::Read(one) => one.what(),
                Told::Act(one) => one.what,
                Told::Own(one) => one.what,
                Told::Page => "",
            };
            let need = match route.need {
                Need::Public => visit.t("公开").to_owned(),
                Need::SignedIn => visit.t("任何密钥").to_owned(),
                Need::Holds(permission) => crate::words::permission(visit.lang, permission),
            };
            table::still(vec![
                html! { code { (route.verb.text()) } },
                html! { code { (route.path) } },
                html! { (visit.lang.pick(route.what, what)) },
                html! { (need) },
            ])
        })
        .collect();
    table::table(
        visit.lang,
        visit.t("全部接口"),
        &columns,
        rows,
        "/api",
        &visit.query,
    )
}
