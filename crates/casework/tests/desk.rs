//! The desk from end to end (办件全程), on both databases and on the real packs: the widow's story, separation of duties,
//! scope, double submission, objection, supplement, refusal, stopping, taking over, replay.

#![expect(clippy::unwrap_used, reason = "integration tests fail by panicking")]

#[path = "desk/town.rs"]
mod town;

#[path = "desk/adjustment.rs"]
mod adjustment;
#[path = "desk/after_grant.rs"]
mod after_grant;
#[path = "desk/appeal.rs"]
mod appeal;
#[path = "desk/finding.rs"]
mod finding;
#[path = "desk/leads.rs"]
mod leads;
#[path = "desk/letters.rs"]
mod letters;
#[path = "desk/life_events.rs"]
mod life_events;
#[path = "desk/like.rs"]
mod like;
#[path = "desk/many.rs"]
mod many;
#[path = "desk/objection.rs"]
mod objection;
#[path = "desk/packs.rs"]
mod packs;
#[path = "desk/rating.rs"]
mod rating;
#[path = "desk/refusal.rs"]
mod refusal;
#[path = "desk/reviews.rs"]
mod reviews;
#[path = "desk/rulebook.rs"]
mod rulebook;
#[path = "desk/same_person.rs"]
mod same_person;
#[path = "desk/scope.rs"]
mod scope;
#[path = "desk/supplement.rs"]
mod supplement;
#[path = "desk/widow.rs"]
mod widow;
