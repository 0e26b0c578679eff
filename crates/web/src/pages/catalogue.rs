//! What one can apply for (办事事项): the list the public sees first, by need and by word.
//!
//! Open to everybody, signed in or not; nothing is asked and nothing is kept.

use super::rules::{every, title};
use crate::parts::form::{field, lesser};
use crate::parts::piece;
use crate::problem::Answer;
use crate::visit::Visit;
use maud::html;
use policy::Programme;

/// `GET /programmes` (办事事项).
///
/// # Errors
/// None.
pub async fn show(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let wanted = visit.query.get("text").to_lowercase();
    let fits = |programme: &&Programme| {
        [
            &programme.title_zh,
            &programme.title_en,
            &programme.summary_zh,
            &programme.summary_en,
        ]
        .iter()
        .any(|text| text.to_lowercase().contains(&wanted))
    };
    let found: Vec<&Programme> = visit.app.desk.open_programmes().filter(fits).collect();
    let place = visit.app.desk.book.place();
    let body = html! {
        p.lead { (lang.f("在{place}可以申请下面这些。申请不收费，可以请人代办。", &[
            ("place", &lang.pick(&place.name_zh, &place.name_en)),
        ])) }
        form.filters method="get" action="/programmes" {
            (field(lang, "text", visit.t("您想办什么？")).value(visit.query.get("text")).text())
            (lesser(visit.t("查找")))
            @if !wanted.is_empty() { a.button.plain href="/programmes" { (visit.t("看全部")) } }
        }
        @if found.is_empty() {
            (piece::empty(visit.t("没有找到。换一个词，或者打服务热线问一问。"), &html! {}))
        }
        ul.doors {
            @for programme in found {
                li { a href=(format!("/programmes/{}", programme.id)) {
                    strong { (title(lang, programme)) }
                    span.tag { (every(lang, programme.benefit.every)) }
                    span { (lang.pick(&programme.summary_zh, &programme.summary_en)) }
                } }
            }
        }
        ul.doors {
            li { a href="/progress" { strong { (visit.t("查询办理进度")) } span { (visit.t("凭回执编号和手机尾号，不用登录。")) } } }
            li { a href="/notices" { strong { (visit.t("近期公示")) } span { (visit.t("正在公示的初审意见；有不同意见可以在这里提。")) } } }
        }
    };
    Ok(visit.page(visit.t("办事事项")).show(&body))
}
