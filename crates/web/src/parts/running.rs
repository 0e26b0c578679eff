//! Work under way (进行中的任务): how far it is, how fast it goes, and how long the rest takes.
//!
//! Guarantees: nothing is said before it is known; a rate below one a second is told by the minute. Deliberately absent: asking
//! again; the page that shows it does so.

use crate::locale::Lang;
use crate::parts::{format, piece};
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use store::queue::Job;

/// The bar of a job with its numbers, its rate and the time left (进度、速度、剩余时间).
pub fn bar(lang: Lang, job: &Job, total: u64, now: DateTime<Utc>) -> Markup {
    let said: Vec<String> = [rate(lang, job, now), rest(lang, job, now)]
        .into_iter()
        .flatten()
        .collect();
    html! {
        (piece::progress(lang, job.done, total))
        @if !said.is_empty() { p { (said.join(lang.t("，"))) } }
    }
}

fn rate(lang: Lang, job: &Job, now: DateTime<Utc>) -> Option<String> {
    let a_minute = job.a_minute(now).filter(|rate| *rate > 0)?;
    Some(match a_minute / 60 {
        0 => lang.f("每分钟 {n} 条", &[("n", &format::number(a_minute))]),
        a_second => lang.f("每秒 {n} 条", &[("n", &format::number(a_second))]),
    })
}

fn rest(lang: Lang, job: &Job, now: DateTime<Utc>) -> Option<String> {
    let seconds = job.remaining(now)?.num_seconds().max(1);
    Some(if seconds < 120 {
        lang.f("大约还要 {seconds} 秒", &[("seconds", &seconds)])
    } else {
        let minutes = (seconds + 30) / 60;
        lang.f("大约还要 {minutes} 分钟", &[("minutes", &minutes)])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::queue::State;
    use uuid::Uuid;
    use vocab::ids::JobId;

    fn job(done: u64, total: u64) -> Job {
        let at = DateTime::UNIX_EPOCH;
        Job {
            id: JobId(Uuid::nil()),
            kind: String::new(),
            payload: serde_json::Value::Null,
            unique_key: None,
            state: State::Running,
            run_after: at,
            attempts: 1,
            attempts_max: 5,
            done,
            total: Some(total),
            note: None,
            created_at: at,
            started_at: Some(at),
            finished_at: None,
        }
    }

    #[test]
    fn rate_and_rest_are_told_once_they_are_known() {
        let after = |seconds: i64| DateTime::UNIX_EPOCH + chrono::Duration::seconds(seconds);
        let said = |job: &Job, seconds| {
            let now = after(seconds);
            (rate(Lang::Zh, job, now), rest(Lang::Zh, job, now))
        };
        let both = |rate: &str, rest: &str| (Some(rate.to_owned()), Some(rest.to_owned()));
        // Nothing done yet, or no time gone by: nothing to say.
        assert_eq!(said(&job(0, 100), 10), (None, None));
        assert_eq!(said(&job(5, 100), 0).0, None);
        // 20 000 of 50 000 in 10 s: 2 000 a second, the other 30 000 take 15 s.
        assert_eq!(
            said(&job(20_000, 50_000), 10),
            both("每秒 2,000 条", "大约还要 15 秒")
        );
        // 10 of 100 in 20 s: 30 a minute, the other 90 take 180 s.
        assert_eq!(
            said(&job(10, 100), 20),
            both("每分钟 30 条", "大约还要 3 分钟")
        );
        // What has ended says neither.
        let ended = Job {
            state: State::Done,
            ..job(100, 100)
        };
        assert_eq!(said(&ended, 10), (None, None));
    }
}
