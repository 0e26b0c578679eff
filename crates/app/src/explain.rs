//! `huimin explain` (重算决定): the decision of a case once more, from what was known when it was taken.
//!
//! Guarantees: says whether the replay equals the stored decision byte for byte; if not, says where it differs.
//! Deliberately absent: changing the decision. A difference is a matter for review.

use crate::settings::{Data, Rules};
use crate::terminal::say;
use access::Scope;
use anyhow::bail;
use clap::Args;

/// Which case (哪个办件).
#[derive(Debug, Args)]
pub(crate) struct Explain {
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    rules: Rules,
    /// The case's number as shown on its page, or its id (办件号).
    case: String,
}

impl Explain {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let db = self.data.open().await?;
        let shelf = self.rules.look(&self.data, &db).await?;
        let desk = shelf.now().desk.clone();
        let scope = Scope::system(desk.book.place().division);
        let case = match self.case.parse() {
            Ok(id) => Some(id),
            Err(_) => casework::view::by_number(&db, &scope, &self.case).await?,
        };
        let Some(case) = case else {
            bail!("没有办件 {} (no such case)", self.case)
        };
        let Some(explained) = casework::explain_by(&db, &scope, &shelf, case).await? else {
            bail!("办件 {} 还没有认定结果 (not determined yet)", self.case);
        };
        db.close().await?;
        say(&explained.stored.to_canonical_json());
        say(&format!("{}（{}）", explained.number, explained.origin));
        say(&format!("{} → {}", explained.pack_then, explained.pack_now));
        for difference in &explained.differences {
            say(&format!(
                "  {}: {} → {}",
                difference.at, difference.stored, difference.now
            ));
        }
        if explained.identical && explained.intact {
            say("重算结果逐字节相同 (the replay is equal, byte for byte)");
            return Ok(());
        }
        if !explained.intact {
            bail!(
                "保存的认定结果与旁边的指纹不符：数据被改动过 (the stored bytes do not have their hash)"
            );
        }
        bail!("重算结果与保存的不同，见上 (the replay differs, see above)")
    }
}
