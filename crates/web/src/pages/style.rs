//! The look (界面规范): every component of the pages in every state, live, in every mode.
//!
//! What stands here is made by the same functions and the same style sheet as the desk; a component that looks wrong here looks
//! wrong everywhere. Guarantees: shows nobody's data and changes nothing. Deliberately absent: whole pages; the journeys open those.

use crate::fields::Fields;
use crate::lists::bulk;
use crate::locale::key;
use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::piece::Kept;
use crate::parts::timeline::{Moment, timeline};
use crate::parts::{bars, diff, mark, pager, piece, side_by_side, table};
use crate::problem::Answer;
use crate::visit::{Look, Theme, Visit};
use casework::clock::Light;
use maud::{Markup, html};
use policy::{Every, Outcome};
use store::page::Page;
use uuid::Uuid;
use vocab::Money;

/// Colours by their token and what they are for.
const COLOURS: [(&str, &str); 14] = [
    ("ground", key("页面底色")),
    ("sheet", key("卡片底色")),
    ("sunk", key("表头、悬停")),
    ("line", key("分隔线")),
    ("line-strong", key("控件边框")),
    ("ink", key("正文")),
    ("ink-2", key("次要文字")),
    ("act", key("能办的事")),
    ("act-soft", key("选中")),
    ("green", key("符合、按时")),
    ("amber", key("待核实、将到期")),
    ("red", key("不符合、已超期")),
    ("red-soft", key("填写错误")),
    ("focus", key("键盘焦点")),
];

/// Modes by their word in the address.
const MODES: [(&str, &str); 4] = [
    ("light", key("浅色")),
    ("dark", key("深色")),
    ("elder", key("长辈版")),
    ("elder-dark", key("长辈版深色")),
];

/// A part of the page: its heading and what makes it.
type Part = (&'static str, fn(&Visit) -> Markup);

fn look(mode: &str) -> Option<Look> {
    let theme = match mode {
        "light" | "elder" => Theme::Light,
        "dark" | "elder-dark" => Theme::Dark,
        _ => return None,
    };
    Some(Look {
        elder: mode.starts_with("elder"),
        theme: Some(theme),
    })
}

/// `GET /style` (界面规范).
///
/// # Errors
/// None.
pub async fn show(visit: &Visit) -> Answer {
    let mode = visit.query.get("mode");
    let modes = html! {
        @for (word, name) in MODES {
            a.button href=(format!("/style?mode={word}")) aria-current=[(word == mode).then_some("true")] { (visit.t(name)) }
        }
    };
    let sections: [Part; 9] = [
        (key("颜色和字号"), tokens),
        (key("按钮和链接"), buttons),
        (key("表单"), fields),
        (key("提示和空状态"), notes),
        (key("数字和进度"), figures),
        (key("标记"), marks),
        (key("表格"), tables),
        (key("详情和时间线"), details),
        (key("对照"), comparisons),
    ];
    let body = html! {
        p.lead { (visit.t("页面只用这里的部件，不另写样式。颜色从不单独表意，旁边总有形状和文字。")) }
        nav.trail aria-label=(visit.t("本页目录")) {
            @for (at, (name, _)) in sections.iter().enumerate() {
                a href=(format!("#part-{at}")) { (visit.t(name)) }
            }
        }
        @for (at, (name, part)) in sections.iter().enumerate() {
            div id=(format!("part-{at}")) { (piece::section(visit.t(name), &part(visit))) }
        }
    };
    let sheet = visit.page(visit.t("界面规范")).acts(modes);
    Ok(sheet.look(look(mode)).show(&body))
}

fn tokens(visit: &Visit) -> Markup {
    let swatches = COLOURS.map(|(token, what)| {
        let name = format!("--{token}");
        let shown = html! {
            svg width="48" height="20" viewBox="0 0 48 20" aria-hidden="true" focusable="false" {
                rect x="0.5" y="0.5" width="47" height="19" rx="4" fill=(format!("var({name})")) stroke="var(--line-strong)" {}
            }
            " " code { (name) }
        };
        (visit.t(what).to_owned(), shown)
    });
    html! {
        (piece::facts(&swatches))
        h3 { (visit.t("字号")) }
        p.lead { (visit.t("大字：一页的要点")) }
        p { (visit.t("正文：最低生活保障金按月发放。")) " 1,234,567.89" }
        p.quiet { (visit.t("小字：来源、时间、说明")) }
        p { code { "440305-DB-2026-000017" } " " kbd { "Ctrl + S" } }
    }
}

fn buttons(visit: &Visit) -> Markup {
    html! {
        div.buttons {
            (form::act(visit.t("提交申请")))
            (form::lesser(visit.t("保存草稿")))
            button.plain type="button" { (visit.t("显示更多")) }
            button.danger type="button" { (visit.t("撤回申请")) }
            button type="button" disabled { (visit.t("不能点")) }
            a.button href="/style" { (visit.t("去另一页")) }
        }
        p { (visit.t("按钮写明做什么事，不写“确定”。一页只有一个主要按钮。")) " " a href="/help" { (visit.t("文字中的链接")) } }
    }
}

fn fields(visit: &Visit) -> Markup {
    let lang = visit.lang;
    let wrong: Vec<FieldError> = vec![fault(
        "style-wrong",
        visit.t("请写 18 位身份证号码，最后一位可以是 X。"),
    )];
    let choices = [
        ("yes".to_owned(), visit.t("是").to_owned()),
        ("no".to_owned(), visit.t("否").to_owned()),
    ];
    let plain = |name, label| field(lang, name, label);
    html! {
        div data-shown { (form::summary(lang, &wrong)) }
        form method="get" action="/style" {
            div.row-fields {
                (plain("style-name", visit.t("姓名")).value("示例").text())
                (plain("style-phone", visit.t("手机")).optional().phone())
                (plain("style-day", visit.t("出生日期")).value("1950-06-01").date())
                (plain("style-month", visit.t("月份")).value("2026-06").month())
                (plain("style-count", visit.t("人数")).value("3").count())
                (plain("style-money", visit.t("月收入")).value("800").money(visit.t("元/月")))
            }
            (plain("style-wrong", visit.t("身份证号")).value("44030519500601").errors(&wrong).text())
            (plain("style-choice", visit.t("与户主关系")).hint(html! { (visit.t("没有默认：不选就是没有回答。")) }).select(&choices))
            (plain("style-open", visit.t("是否同意核对")).radios(&choices))
            (plain("style-several", visit.t("办理方式")).optional().ticks(&choices, &["yes"]))
            (plain("style-area", visit.t("意见")).optional().area(3))
            (plain("style-file", visit.t("材料")).optional().file("image/*"))
        }
    }
}

fn notes(visit: &Visit) -> Markup {
    html! {
        div.note { (visit.t("已保存，可以换一台电脑接着填。")) }
        div.note.warn { (visit.t("还有 2 天到期，请今天处理。")) }
        (piece::empty(visit.t("没有符合条件的办件。"), &html! { a.button href="/style" { (visit.t("清除筛选")) } }))
    }
}

fn figures(visit: &Visit) -> Markup {
    let figure = |label: &str, count, tone, chosen| piece::Figure {
        label: label.to_owned(),
        count,
        href: "/style".to_owned(),
        tone,
        chosen,
    };
    let steps = [key("家庭成员"), key("收入"), key("财产"), key("核对授权")];
    let steps = steps.map(|step| (visit.t(step).to_owned(), "/style".to_owned()));
    html! {
        (piece::figures(&[
            figure(visit.t("已超期"), 2, "red", false),
            figure(visit.t("将到期"), 5, "yellow", false),
            figure(visit.t("按时"), 12_480, "green", true),
            figure(visit.t("全部"), 12_487, "", false),
        ]))
        (piece::great(&[piece::Great {
            label: visit.t("发放金额（元）").to_owned(),
            said: html! { a href="/style" { (Money::from_fen(291_345_000)) } },
            beside: vec![visit.lang.f("上月 {number}", &[("number", &Money::from_fen(287_120_000))])],
        }]))
        (piece::steps(visit.lang, &steps, 1))
        (piece::progress(visit.lang, 3_210, 12_487))
    }
}

fn marks(visit: &Visit) -> Markup {
    let lang = visit.lang;
    let lights = [
        (Light::Green, Some(8)),
        (Light::Yellow, Some(1)),
        (Light::Red, Some(-3)),
        (Light::Paused, None),
        (Light::None, None),
    ];
    let amounts = [Every::Month, Every::Year, Every::Once];
    html! {
        ul.plain-list {
            @for outcome in [Outcome::Met, Outcome::NotMet, Outcome::ToVerify] { li { (mark::outcome(lang, outcome)) } }
            @for (light, left) in lights { li { (mark::light(lang, light, left)) } }
            @for every in amounts { li { (mark::amount(lang, Money::from_fen(123_456), every)) } }
            li { (piece::tag(visit.t("有差异"))) " " span.masked { "440305********0017" } }
        }
    }
}

fn tables(visit: &Visit) -> Markup {
    let lang = visit.lang;
    let columns = [
        table::text(visit.t("户主")).by("name"),
        table::text(visit.t("时限")),
        table::text(visit.t("申请日期")).by("day"),
        table::number(visit.t("金额")),
        table::text(""),
    ];
    let rows = [
        (key("示例甲"), Light::Red, Some(-1), 80_000),
        (key("示例乙"), Light::Green, Some(9), 130_000),
    ];
    let rows = rows
        .into_iter()
        .map(|(name, light, left, fen)| {
            let cells = vec![
                html! { (visit.t(name)) },
                mark::light(lang, light, left),
                html! { "2026-06-01" },
                mark::amount(lang, Money::from_fen(fen), Every::Month),
                bars::bar(Some(fen / 2), fen, 150_000),
            ];
            let tick = bulk::tick(visit, Uuid::nil(), usize::from(left == Some(9)));
            table::Row {
                tick: Some(tick),
                ..table::row("/style", cells)
            }
        })
        .collect();
    let kept = |name, tags, chosen| Kept {
        href: "/style".to_owned(),
        name: visit.t(name),
        tags,
        chosen,
    };
    let query = Fields::new().with("sort", "name");
    let page: Page<()> = Page {
        rows: Vec::new(),
        total: 487,
        offset: 60,
        limit: 20,
    };
    html! {
        (piece::kept(visit.t("保存的筛选"), &[kept("示例甲", vec![visit.t("默认")], true), kept("示例乙", vec![visit.t("共享")], false)]))
        (table::table(lang, visit.t("示例表格"), &columns, rows, "/style", &query))
        (pager::pager(lang, &page, "/style", &query))
    }
}

fn details(visit: &Visit) -> Markup {
    let pair = |label: &'static str, value: &str| (visit.t(label).to_owned(), html! { (value) });
    let moment =
        |minutes: i64, what: &'static str, who: &'static str, said: Option<&'static str>| Moment {
            at: visit.app.db.now() - chrono::TimeDelta::minutes(minutes),
            what: visit.t(what).to_owned(),
            who: visit.t(who).to_owned(),
            more: html! { @if let Some(said) = said { blockquote { (visit.t(said)) } } },
        };
    html! {
        (piece::facts(&[
            pair(key("办件号"), "440305-DB-2026-000017"),
            pair(key("申请日期"), "2026-06-01"),
            pair(key("地址"), "幸福路 1 号 2 栋 303"),
        ]))
        (timeline(visit.lang, &[
            moment(5, key("审核"), key("街道审核员"), Some(key("材料齐全，收入与核对结果一致。"))),
            moment(65, key("受理"), key("社区窗口"), None),
        ]))
        details.act-form {
            summary { (visit.t("退回补正")) }
            form method="get" action="/style" {
                (field(visit.lang, "style-back", visit.t("要补什么")).area(2))
                (form::act(visit.t("退回补正")))
            }
        }
    }
}

fn comparisons(visit: &Visit) -> Markup {
    let heads = [
        visit.t("左边的记录").to_owned(),
        visit.t("右边的记录").to_owned(),
    ];
    let lines = vec![
        side_by_side::line(visit.t("姓名"), visit.t("示例甲"), visit.t("示例甲")),
        side_by_side::line(visit.t("出生日期"), "1950-06-01", "1950-01-06"),
    ];
    let old = "[dibao_standard]\nvalue = 120000\n";
    let new = "[dibao_standard]\nvalue = 130000\n";
    html! {
        (side_by_side::side_by_side(visit, heads, lines))
        h3 { (visit.t("逐行对照")) }
        (diff::lines(visit.lang, visit.t("逐行对照"), old, new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_colours_shown_are_tokens_of_the_style_sheet() {
        let sheet = include_str!("../../assets/desk.css");
        for (token, _) in COLOURS {
            assert!(sheet.contains(&format!("    --{token}: #")), "--{token}");
        }
    }
}
