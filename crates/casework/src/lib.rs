//! Casework (办件): from a form to a decision with its reasons, and everything that happens to it afterwards.
//!
//! Guarantees: what may be done, by whom and until when is read from the packs' procedures; whoever decides is not who
//! prepared; a decision quotes a stored determination that replays to the same bytes; a submission twice is one; an act
//! on a case that changed meanwhile is refused; what lies outside the caller's scope does not exist; every act and every
//! look at one case stands in the journal. Deliberately absent: any benefit by name, money (the ledger's), eligibility
//! (the rule book's), pages.
//!
//! Reading order: [`procedure`], [`form`], [`letter`] (what packs say; `like`: one text built on another) · [`desk`] · [`case`], [`clock`] ·
//! [`draft`], [`submit`], [`take_over`] (how cases begin) · [`act`] (how they go on) · [`adjustment`] (many at once) · [`review`], [`life_event`] (when they are looked at again) · [`lead`] (who is to be found) · [`finding`],
//! [`evidence`] · [`view`], [`todo`], [`list`] (what officers see) · [`notices`], [`progress`], [`told`], [`rating`] (what the public sees, is told and says) ·
//! [`explain`] · [`rulebook`] (how the rules themselves are changed).

pub mod act;
pub mod adjustment;
pub mod case;
pub mod clock;
pub mod desk;
pub mod document;
pub mod draft;
pub mod evidence;
pub mod explain;
pub mod figure;
pub mod finding;
pub mod form;
pub mod law;
pub mod lead;
pub mod letter;
pub mod life_event;
mod like;
pub mod list;
pub mod notices;
pub mod number;
mod pack_texts;
pub mod procedure;
pub mod progress;
pub mod rating;
pub mod receipt;
pub mod review;
mod rows;
pub mod rulebook;
pub mod same_person;
pub mod sample;
mod sheet;
mod source_text;
pub mod submit;
mod tables;
pub mod take_over;
pub mod task;
pub mod todo;
pub mod told;
pub mod view;

pub use act::{ActInput, act};
pub use case::{Case, CaseRow, CaseState, TaskRow};
pub use desk::Desk;
pub use explain::{explain, explain_by};
pub use sheet::sheets as fact_sheets;
pub use submit::{SubmitApplication, Submitted, submit};
pub use tables::{MIGRATIONS, migrations};
pub use view::CaseView;
