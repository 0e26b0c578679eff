//! `huimin duplicates` (重复登记比对): who may stand in the register twice, everybody with everybody or only who is new.
//!
//! The day's work compares who is new or changed; the whole register is for the first time and for learning its weights anew, say
//! once a month. Guarantees: names and numbers are decrypted in memory only, and nothing of a person is printed or logged.
//! Deliberately absent: merging anybody.

use crate::settings::Data;
use crate::sweep::workers;
use crate::terminal::say;
use access::Scope;
use clap::Args;
use registry::duplicates::{self, Learned, Night};
use store::Db;
use vocab::Region;

/// What to compare (比对什么).
#[derive(Debug, Args)]
pub(crate) struct Duplicates {
    #[command(flatten)]
    data: Data,
    /// Everybody with everybody, and learn the weights (全量比对并学习).
    #[arg(long)]
    whole: bool,
}

impl Duplicates {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let db = self.data.open().await?;
        if self.whole {
            let learned = whole(&db).await?;
            say(&format!(
                "比对了 {} 人，新增 {} 对待核对 (everybody compared, new pairs)",
                learned.people, learned.found
            ));
        } else {
            let night = new_and_changed(&db).await?;
            say(&format!(
                "比对了新登记和有变更的 {} 人，新增 {} 对待核对 (compared who is new, new pairs)",
                night.compared, night.found
            ));
        }
        db.close().await
    }
}

/// From so many new people on, everybody with everybody is quicker than one by one: at ten milliseconds each this is three minutes.
const MANY: u64 = 20_000;

/// Every community of this register.
fn everywhere() -> Scope {
    Scope::system(Region::NATION)
}

/// Everybody with everybody; the weights are learned.
pub(crate) async fn whole(db: &Db) -> anyhow::Result<Learned> {
    let began = std::time::Instant::now();
    let learned = duplicates::learn(db, &everywhere(), workers(None), &|_, _| {}).await?;
    tracing::info!(
        people = learned.people,
        found = learned.found,
        seconds = began.elapsed().as_secs(),
        "the register was compared with itself"
    );
    Ok(learned)
}

/// Who is new or changed with the register.
pub(crate) async fn new_and_changed(db: &Db) -> anyhow::Result<Night> {
    let behind = duplicates::behind(db, &everywhere()).await?;
    if behind > MANY {
        let learned = whole(db).await?;
        return Ok(Night {
            compared: learned.people,
            found: learned.found,
            ..Night::default()
        });
    }
    let night = duplicates::nightly(db, &everywhere(), &|_, _| {}).await?;
    tracing::info!(
        compared = night.compared,
        found = night.found,
        "who is new was compared with the register"
    );
    Ok(night)
}
