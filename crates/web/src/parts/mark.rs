//! Marks of outcome and of time (标记): always a shape *and* a word, never colour alone.
//!
//! Three outcomes, ● 符合 ○ 不符合 ◐ 待核实; a clock is green, yellow or red, or stands still. A condition line is always
//! mark, sentence, article, where the value comes from.

use crate::locale::Lang;
use crate::parts::format;
use casework::clock::Light;
use maud::{Markup, html};
use policy::{ConditionResult, Outcome, Tri};

/// The outcome of a determination (结论标记).
pub fn outcome(lang: Lang, outcome: Outcome) -> Markup {
    match outcome {
        Outcome::Met => {
            html! { span.mark.met { span aria-hidden="true" { "●" } " " (lang.t("符合")) } }
        }
        Outcome::NotMet => {
            html! { span.mark.notmet { span aria-hidden="true" { "○" } " " (lang.t("不符合")) } }
        }
        Outcome::ToVerify => {
            html! { span.mark.verify { span aria-hidden="true" { "◐" } " " (lang.t("待核实")) } }
        }
    }
}

/// The answer to one condition (条件标记).
pub fn tri(lang: Lang, answer: Tri) -> Markup {
    outcome(
        lang,
        match answer {
            Tri::Yes => Outcome::Met,
            Tri::No => Outcome::NotMet,
            Tri::Unknown => Outcome::ToVerify,
        },
    )
}

/// A line about one condition (条件行): mark, sentence, value, article, source.
pub fn condition(
    lang: Lang,
    condition: &ConditionResult,
    value: Option<&Markup>,
    source: &Markup,
) -> Markup {
    let refusal = condition
        .refusal
        .as_ref()
        .filter(|_| condition.result == Tri::No);
    html! {
        li.condition {
            (tri(lang, condition.result))
            div.says {
                p {
                    @match refusal {
                        Some(said) => (lang.pick(&said.zh, &said.en)),
                        None => (lang.pick(&condition.sentence_zh, &condition.sentence_en)),
                    }
                }
                @if let Some(value) = value { p.value { (value) } }
            }
            div.law { (condition.article_title) }
            div.source { (source) }
        }
    }
}

/// The light of a clock with its words (时限灯).
pub fn light(lang: Lang, light: Light, days_left: Option<i64>) -> Markup {
    let (class, shape, word) = match light {
        Light::Green => ("green", "●", lang.t("按时")),
        Light::Yellow => ("yellow", "▲", lang.t("将到期")),
        Light::Red => ("red", "■", lang.t("已超期")),
        Light::Paused => ("still", "❙❙", lang.t("不计时")),
        Light::None => ("still", "–", lang.t("无时限")),
    };
    html! {
        span class=(format!("light {class}")) {
            span.shape aria-hidden="true" { (shape) }
            " "
            @match (light, days_left) {
                (Light::Paused | Light::None, _) | (_, None) => (word),
                (_, Some(left)) => (left_words(lang, left)),
            }
        }
    }
}

/// How many working days are left, in words (剩余时限).
pub fn left_words(lang: Lang, left: i64) -> String {
    match left {
        ..0 => lang.f("超期 {days} 个工作日", &[("days", &-left)]),
        0 => lang.t("今天到期").to_owned(),
        _ => lang.f("还剩 {days} 个工作日", &[("days", &left)]),
    }
}

/// An amount with how often it is paid (待遇金额).
pub fn amount(lang: Lang, amount: vocab::Money, every: policy::Every) -> Markup {
    html! {
        span.amount {
            (format::money(lang, amount))
            @match every {
                policy::Every::Month => (lang.t("/月")),
                policy::Every::Year => (lang.t("/年")),
                policy::Every::Once => { " " (lang.t("一次性")) },
                policy::Every::Order | policy::Every::Status => "",
            }
        }
    }
}
