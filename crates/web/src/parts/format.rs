//! How money, days and durations are written (格式): with their unit, the same on every page.

use crate::locale::Lang;
use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, Utc, Weekday};
use vocab::Money;

/// Money with its unit (金额): `1,250.00 元`.
pub fn money(lang: Lang, amount: Money) -> String {
    match lang {
        Lang::Zh => format!("{amount} 元"),
        Lang::En => format!("¥{amount}"),
    }
}

/// A day (日期): `2026-06-01`.
pub fn date(day: NaiveDate) -> String {
    day.format("%Y-%m-%d").to_string()
}

/// A day with its weekday (日期与星期): `2026-06-01（周一）`.
pub fn date_long(lang: Lang, day: NaiveDate) -> String {
    let weekday = match day.weekday() {
        Weekday::Mon => lang.t("周一"),
        Weekday::Tue => lang.t("周二"),
        Weekday::Wed => lang.t("周三"),
        Weekday::Thu => lang.t("周四"),
        Weekday::Fri => lang.t("周五"),
        Weekday::Sat => lang.t("周六"),
        Weekday::Sun => lang.t("周日"),
    };
    match lang {
        Lang::Zh => format!("{}（{weekday}）", date(day)),
        Lang::En => format!("{} ({weekday})", date(day)),
    }
}

/// An instant as it was in China (时刻): `2026-06-01 10:32`.
pub fn instant(at: DateTime<Utc>) -> String {
    in_china(at).format("%Y-%m-%d %H:%M").to_string()
}

/// The hour and minute in China (时分): `10:32`.
pub fn clock_time(at: DateTime<Utc>) -> String {
    in_china(at).format("%H:%M").to_string()
}

fn in_china(at: DateTime<Utc>) -> DateTime<FixedOffset> {
    let china = FixedOffset::east_opt(8 * 3600).expect("eight hours is inside a day");
    at.with_timezone(&china)
}

/// A file's size (文件大小).
pub fn size(bytes: i64) -> String {
    match bytes {
        ..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KB", bytes / 1024),
        _ => format!(
            "{}.{} MB",
            bytes / 1_048_576,
            bytes % 1_048_576 * 10 / 1_048_576
        ),
    }
}

/// A number with separators (数字): `20,000`.
pub fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::{Lang, date_long, instant, money, number, size};
    use chrono::{DateTime, NaiveDate};
    use vocab::Money;

    #[test]
    fn things_are_written_the_same_everywhere() {
        let day = NaiveDate::from_ymd_opt(2026, 6, 1).unwrap();
        assert_eq!(date_long(Lang::Zh, day), "2026-06-01（周一）");
        assert_eq!(date_long(Lang::En, day), "2026-06-01 (Mon)");
        assert_eq!(money(Lang::Zh, Money::from_fen(125_000)), "1,250.00 元");
        assert_eq!(
            instant(DateTime::from_timestamp(1_780_272_000, 0).unwrap()),
            "2026-06-01 08:00"
        );
        assert_eq!(
            (number(7), number(20_000), number(1_234_567)),
            ("7".into(), "20,000".into(), "1,234,567".into())
        );
        assert_eq!(
            (size(12), size(20_480), size(2_621_440)),
            ("12 B".into(), "20 KB".into(), "2.5 MB".into())
        );
    }
}
