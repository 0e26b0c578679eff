//! What happened, in order (时间线): step, who, when, with which opinion.

use crate::locale::Lang;
use crate::parts::format;
use chrono::{DateTime, Utc};
use maud::{Markup, html};

/// One thing that happened (一条记录).
#[derive(Debug, Clone)]
pub struct Moment {
    /// When.
    pub at: DateTime<Utc>,
    /// What was done.
    pub what: String,
    /// Who did it.
    pub who: String,
    /// The opinion given, or whatever else belongs to it.
    pub more: Markup,
}

/// The timeline (时间线), newest first.
pub fn timeline(lang: Lang, moments: &[Moment]) -> Markup {
    html! {
        ol.timeline aria-label=(lang.t("时间线")) {
            @for moment in moments {
                li {
                    time datetime=(moment.at.to_rfc3339()) { (format::instant(moment.at)) }
                    div.what { strong { (moment.what) } " " span.who { (moment.who) } (moment.more) }
                }
            }
        }
    }
}
