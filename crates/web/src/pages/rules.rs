//! The rule book in the open (规则): which programmes there are, and which facts they ask for.
//!
//! Shown as the packs say it; nothing is decided or changed here; see `rule_edit` for changing.

use crate::locale::Lang;
use crate::parts::answer::Asked;
use crate::parts::form::{field, lesser};
use crate::parts::{format, piece, table};
use crate::problem::Answer;
use crate::visit::Visit;
use access::Permission;
use maud::{Markup, html};
use policy::card::{self, Approval};
use policy::{Every, FactDef, Kind, Programme, Sensitivity, Unit};

/// `GET /rules` (事项列表).
///
/// # Errors
/// None.
pub async fn show(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let book = &visit.app.desk.book;
    let columns = [
        table::text(visit.t("事项")),
        table::text(visit.t("给谁")),
        table::text(visit.t("给付方式")),
        table::number(visit.t("条件")),
        table::number(visit.t("办例")),
        table::text(visit.t("规则卡")),
    ];
    let rows = book
        .programmes()
        .iter()
        .map(|programme| {
            table::row(
                format!("/rules/{}", programme.id),
                vec![
                    html! { (title(lang, programme)) },
                    html! { (unit(lang, programme.to)) },
                    html! { (every(lang, programme.benefit.every)) },
                    html! { (programme.conditions.len()) },
                    html! { (book.cases(&programme.id).len()) },
                    html! { (approval(lang, card::approval(book, programme))) },
                ],
            )
        })
        .collect();
    let body = html! {
        (table::table(lang, visit.t("事项"), &columns, rows, "", &visit.query))
        (piece::section(visit.t("规则库"), &piece::facts(&[
            (visit.t("地方").to_owned(), html! {
                (lang.pick(&book.place().name_zh, &book.place().name_en))
                @if book.place().demo { " " (piece::tag(visit.t("演示"))) }
            }),
            (visit.t("规则版本").to_owned(), html! { (book.version()) }),
            (visit.t("规则指纹").to_owned(), html! { code { (book.hash().get(..16).unwrap_or(book.hash())) } }),
            (visit.t("事实目录").to_owned(), html! { a href="/rules/facts" {
                (lang.f("{count} 个事实", &[("count", &book.facts().count())]))
            } }),
        ])))
        @if visit.can(Permission::WriteRules) {
            (piece::section(visit.t("共用的计算"), &html! {
                ul.plain-list { @for (id, _) in book.libraries() {
                    li { a href=(format!("/rules/{id}/edit")) { (lang.f("修改规则：{title}", &[("title", id)])) } }
                } }
            }))
        }
    };
    let acts = html! {
        a.button href="/rules/facts" { (visit.t("事实目录")) }
        a.button href="/templates" { (visit.t("文书模板")) }
        a.button href="/rules/drafts" { (visit.t("规则草稿")) }
        a.button href="/rules/editions" { (visit.t("规则历史")) }
    };
    Ok(visit
        .page(visit.t("规则"))
        .nav("/rules")
        .acts(acts)
        .show(&body))
}

/// A programme's name in the visitor's language.
pub(crate) fn title(lang: Lang, programme: &Programme) -> &str {
    lang.pick(&programme.title_zh, &programme.title_en)
}

/// Whom something is given to or known of.
pub(crate) fn unit(lang: Lang, unit: Unit) -> &'static str {
    match unit {
        Unit::Household => lang.t("家庭"),
        Unit::Person => lang.t("个人"),
        Unit::Organisation => lang.t("机构"),
    }
}

/// How often a benefit is given.
pub(crate) fn every(lang: Lang, every: Every) -> &'static str {
    match every {
        Every::Month => lang.t("按月发放"),
        Every::Year => lang.t("按年发放"),
        Every::Once => lang.t("一次性发放"),
        Every::Order => lang.t("提供服务"),
        Every::Status => lang.t("认定身份"),
    }
}

/// How a kind of value is called.
pub(crate) fn kind(lang: Lang, kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => lang.t("是或否"),
        Kind::Count => lang.t("个数"),
        Kind::Ratio => lang.t("比例"),
        Kind::Money => lang.t("金额（元）"),
        Kind::MoneyPerMonth => lang.t("每月金额（元）"),
        Kind::MoneyPerYear => lang.t("每年金额（元）"),
        Kind::Date => lang.t("日期"),
        Kind::Code => lang.t("代码"),
        Kind::Text => lang.t("文字"),
    }
}

/// Whether a reader has signed the rules as they are.
pub(crate) fn approval(lang: Lang, approval: Approval) -> Markup {
    html! {
        @match approval {
            Approval::Same => (lang.t("已审签")),
            Approval::Different => (piece::tag(lang.t("审签后规则有变，待重新审签"))),
            Approval::Missing => (piece::tag(lang.t("待审签"))),
            Approval::OfParent => span.quiet { (lang.t("在上级规则中审签")) },
        }
    }
}

/// `GET /rules/facts` (事实目录).
///
/// # Errors
/// None.
pub async fn facts(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let book = &visit.app.desk.book;
    let wanted = visit.query.get("text").to_lowercase();
    let found: Vec<&FactDef> = book
        .facts()
        .filter(|def| {
            [&def.id, &def.label_zh, &def.label_en, &def.source]
                .iter()
                .any(|text| text.to_lowercase().contains(&wanted))
        })
        .collect();
    let columns = [
        table::text(visit.t("事实")),
        table::text(visit.t("谁的")),
        table::text(visit.t("类型")),
        table::text(visit.t("通常来源")),
        table::text(visit.t("敏感程度")),
        table::text(visit.t("用到它的事项")),
    ];
    let rows = found
        .iter()
        .map(|def| {
            let asked = Asked::of(lang, def);
            let users: Vec<&Programme> = book
                .programmes()
                .iter()
                .filter(|programme| programme.facts.contains(&def.id))
                .collect();
            table::still(vec![
                html! {
                    (asked.label) " " code.quiet { (def.id) }
                    @if let Some(hint) = &asked.hint { div.quiet { (hint) } }
                },
                html! { (unit(lang, def.of)) },
                html! {
                    (kind(lang, def.kind))
                    @if !asked.options.is_empty() {
                        details {
                            summary { (lang.f("{count} 个选项", &[("count", &asked.options.len())])) }
                            ul.plain-list { @for (code, label) in &asked.options { li { code { (code) } " " (label) } } }
                        }
                    }
                },
                html! { (def.source) },
                html! { (sensitivity(lang, def.sensitivity)) },
                html! {
                    @for (at, programme) in users.iter().enumerate() {
                        @if at > 0 { (visit.t("、")) }
                        a href=(format!("/rules/{}", programme.id)) { (title(lang, programme)) }
                    }
                },
            ])
        })
        .collect();
    let body = html! {
        form.filters method="get" action="/rules/facts" {
            (field(lang, "text", visit.t("名称、代号或来源")).value(visit.query.get("text")).text())
            (lesser(visit.t("筛选")))
            @if !wanted.is_empty() { a.button.plain href="/rules/facts" { (visit.t("清除")) } }
        }
        @if found.is_empty() {
            (piece::empty(visit.t("没有这样的事实。换一个词再找。"), &html! {}))
        } @else {
            (table::table(lang, visit.t("事实目录"), &columns, rows, "", &visit.query))
            p.quiet { (lang.f("共 {total} 条", &[("total", &format::number(found.len() as u64))])) }
        }
    };
    Ok(visit
        .page(visit.t("事实目录"))
        .nav("/rules")
        .back("/rules", visit.t("规则"))
        .wide()
        .show(&body))
}

fn sensitivity(lang: Lang, level: Sensitivity) -> &'static str {
    match level {
        Sensitivity::Ordinary => lang.t("一般"),
        Sensitivity::Personal => lang.t("个人信息"),
        Sensitivity::Sensitive => lang.t("敏感个人信息"),
    }
}
