//! What one can apply for (办事事项): the list the public sees first, by need and by word.
//!
//! Open to everybody, signed in or not; nothing is asked and nothing is kept. The same field finds what else this door
//! offers: progress, notices, help, and elder mode under each of its usual names.

use super::rules::{every, title};
use crate::page;
use crate::parts::form::{field, lesser};
use crate::parts::piece;
use crate::problem::Answer;
use crate::visit::Visit;
use maud::{Markup, html};
use policy::Programme;

/// What elder mode is called elsewhere; each of these words finds it here.
const ELDER_WORDS: [&str; 8] = [
    "长辈版",
    "亲情版",
    "关爱版",
    "关怀版",
    "大字版",
    "适老",
    "large text",
    "elder",
];

/// Something the public door offers besides applying (便民服务).
struct Service {
    href: &'static str,
    title: &'static str,
    what: &'static str,
    /// Stands on the page also when nothing is searched for.
    always: bool,
}

fn services(visit: &Visit) -> [Service; 4] {
    [
        Service {
            href: "/progress",
            title: visit.t("查询办理进度"),
            what: visit.t("凭回执编号和手机尾号，不用登录。"),
            always: true,
        },
        Service {
            href: "/verify",
            title: visit.t("文书核验"),
            what: visit.t("手里的文书是真是假、是否仍然有效，输入核验码就知道。"),
            always: true,
        },
        Service {
            href: "/notices",
            title: visit.t("近期公示"),
            what: visit.t("正在公示的初审意见；有不同意见可以在这里提。"),
            always: true,
        },
        Service {
            href: "/help",
            title: visit.t("帮助"),
            what: visit.t("结论和时限标记的意思，不用鼠标怎么操作，找谁帮忙。"),
            always: false,
        },
    ]
}

/// Elder mode as something found (长辈版): what it does, and the switch itself.
fn elder(visit: &Visit) -> Markup {
    piece::section(
        visit.t("长辈版"),
        &html! {
            p { (visit.t("字大、按钮大，一列到底。设置记在这台设备上，随时可以换回来。")) }
            @if visit.look.elder { p { (visit.t("现在就是长辈版。")) } }
            @else { (page::switch(visit, "size", "elder", visit.t("打开长辈版"))) }
        },
    )
}

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
    let searched = !wanted.is_empty();
    let elder_wanted = searched
        && ELDER_WORDS
            .iter()
            .any(|word| word.contains(&wanted) || wanted.contains(word));
    let others: Vec<Service> = services(visit)
        .into_iter()
        .filter(|service| {
            let texts = [service.title, service.what];
            if searched {
                texts
                    .iter()
                    .any(|text| text.to_lowercase().contains(&wanted))
            } else {
                service.always
            }
        })
        .collect();
    let nothing = found.is_empty() && others.is_empty() && !elder_wanted;
    let place = visit.app.desk.book.place();
    let body = html! {
        p.lead { (lang.f("在{place}可以申请下面这些。申请不收费，可以请人代办。", &[
            ("place", &lang.pick(&place.name_zh, &place.name_en)),
        ])) }
        form.filters method="get" action="/programmes" {
            (field(lang, "text", visit.t("您想办什么？")).value(visit.query.get("text")).text())
            (lesser(visit.t("查找")))
            @if searched { a.button.plain href="/programmes" { (visit.t("看全部")) } }
        }
        @if elder_wanted { (elder(visit)) }
        @if nothing {
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
            @for service in &others {
                li { a href=(service.href) { strong { (service.title) } span { (service.what) } } }
            }
        }
    };
    Ok(visit.page(visit.t("办事事项")).show(&body))
}
