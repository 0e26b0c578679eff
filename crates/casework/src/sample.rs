//! Sampling (抽查): which cases a higher level looks at again.
//!
//! The draw follows from the case's id and the rate alone: nobody can steer it, and anybody can draw it again and get the
//! same answer. Deliberately absent: chance at the moment of the draw, which nobody could check later.

use store::keys::sm3;
use vocab::ids::CaseId;

/// Whether a case is drawn (是否抽中) at a rate in a hundred.
///
/// The first four bytes of SM3 over `casework.sample:<case id>` are a number below 2³²; the case is drawn if it lies in
/// the lowest `rate` hundredths of that span.
pub fn is_drawn(case: CaseId, rate_percent: u8) -> bool {
    let hash = sm3(format!("casework.sample:{case}").as_bytes());
    let number = u64::from(u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]));
    number * 100 < u64::from(rate_percent) << 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_draw_repeats_and_keeps_its_rate() {
        let drawn = |rate| {
            (0..10_000)
                .filter(|n| is_drawn(CaseId(Uuid::from_u128(*n)), rate))
                .count()
        };
        assert_eq!(drawn(100), 10_000);
        assert_eq!(drawn(0), 0);
        assert!((2_800..=3_200).contains(&drawn(30)), "{}", drawn(30));
        assert_eq!(drawn(30), drawn(30));
    }
}
