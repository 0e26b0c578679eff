//! Help (帮助): what the marks mean, how to get on without a mouse, whom to call. Open to everybody.

use crate::parts::{mark, piece};
use crate::problem::Answer;
use crate::visit::Visit;
use casework::clock::Light;
use maud::html;
use policy::Outcome;

/// `GET /help` (帮助与快捷键).
///
/// # Errors
/// None.
pub async fn show(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let keys = [
        ("/", lang.t("到搜索框")),
        ("n", lang.t("新申请")),
        ("j  k", lang.t("列表中上一行、下一行")),
        ("Enter", lang.t("打开选中的行")),
        ("Ctrl + S", lang.t("保存草稿")),
        ("Ctrl + Enter", lang.t("提交")),
        ("?", lang.t("打开本页")),
    ];
    let body = html! {
        (piece::section(lang.t("结论"), &html! {
            ul.plain-list {
                li { (mark::outcome(lang, Outcome::Met)) " " (lang.t("每个条件都有依据，而且都达到。")) }
                li { (mark::outcome(lang, Outcome::NotMet)) " " (lang.t("至少一个条件有依据表明没有达到；页面写明哪一条、依据哪一条法。")) }
                li { (mark::outcome(lang, Outcome::ToVerify)) " " (lang.t("还缺事实，不能下结论；页面写明缺什么。缺的从不当作零或没有。")) }
            }
        }))
        (piece::section(lang.t("时限"), &html! {
            ul.plain-list {
                li { (mark::light(lang, Light::Green, Some(8))) }
                li { (mark::light(lang, Light::Yellow, Some(1))) " " (lang.t("剩余不到五分之一，或只剩 1 个工作日。")) }
                li { (mark::light(lang, Light::Red, Some(-1))) }
                li { (mark::light(lang, Light::Paused, None)) " " (lang.t("等申请人补正或公示期间不计时。")) }
            }
        }))
        (piece::section(lang.t("快捷键"), &html! {
            (piece::facts(&keys.map(|(key, what)| (what.to_owned(), html! { kbd { (key) } }))))
            p { label.switch { input #shortcuts-off type="checkbox"; " " (lang.t("关闭快捷键（只在这台电脑上）")) } }
        }))
        (piece::section(lang.t("找人帮忙"), &html! {
            p { (lang.t("系统用不了：找本单位系统管理员。政策拿不准：打服务热线。")) " " strong { (visit.app.config.help_line) } }
        }))
    };
    Ok(visit.page(lang.t("帮助与快捷键")).show(&body))
}
