//! Checking the chain (校验日志链).
//!
//! Guarantees: reads one moment, in batches, whatever the journal's length; names the first entry of every break.
//! Deliberately absent: repair. A broken chain is evidence.

use super::{entry, hash_at, hash_of, head_in, heads, nothing};
use crate::Db;
use crate::journal::Head;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::path::Path;

const BATCH: u64 = 1_000;
/// After so many faults the rest says nothing new.
const FAULTS_MAX: usize = 100;

/// What is wrong with the chain (日志链异常).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    /// The entry's contents do not give its hash.
    #[error("第 {seq} 条日志内容被改动 (entry altered)")]
    Altered {
        /// The entry.
        seq: i64,
    },
    /// Entries are gone.
    #[error("缺少第 {from} 至 {to} 条日志 (entries missing)")]
    Missing {
        /// The first missing one.
        from: i64,
        /// The last missing one.
        to: i64,
    },
    /// The entry is not chained to the one before it.
    #[error("第 {seq} 条日志与前一条不衔接 (chain broken)")]
    Broken {
        /// The entry.
        seq: i64,
    },
    /// An entry stands where none can.
    #[error("多出第 {seq} 条日志 (entry inserted)")]
    Inserted {
        /// The entry.
        seq: i64,
    },
    /// The last entry is not the one the head names.
    #[error(
        "日志末尾（第 {last} 条）与链头（第 {head} 条）不一致 (the end does not match the head)"
    )]
    End {
        /// The last entry found; zero when none.
        last: i64,
        /// What the head says; zero when it says none.
        head: i64,
    },
    /// A head was exported for an entry that no longer exists.
    #[error("链头存证中有第 {exported} 条，而日志只到第 {last} 条：末尾被截断 (tail cut)")]
    Cut {
        /// The exported entry.
        exported: i64,
        /// The last entry found.
        last: i64,
    },
    /// An exported head and the entry of that number differ.
    #[error("第 {seq} 条日志与链头存证不一致：日志被重写 (rewritten since the head was exported)")]
    Rewritten {
        /// The entry.
        seq: i64,
    },
    /// A line of the heads file is not ours.
    #[error("链头存证文件第 {line} 行被改动 (heads file altered)")]
    HeadsFile {
        /// The line, from 1.
        line: usize,
    },
}

/// The result of a check (校验结果).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// How many entries were read.
    pub entries: u64,
    /// The head, if the journal is not empty.
    pub head: Option<Head>,
    /// How many exported heads were compared.
    pub heads_compared: usize,
    /// What is wrong, in the order of the chain; at most a hundred.
    pub faults: Vec<ChainFault>,
}

impl Verdict {
    /// Whether nothing is wrong.
    pub fn is_intact(&self) -> bool {
        self.faults.is_empty()
    }

    fn add(&mut self, fault: ChainFault) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault);
        }
    }
}

/// Checks the whole chain (校验日志链). A cut tail shows only in [`verify_against`] exported heads.
pub async fn verify(db: &Db) -> anyhow::Result<Verdict> {
    check(db, None).await
}

/// Checks the whole chain and every head exported to that file (对照链头存证校验).
pub async fn verify_against(db: &Db, heads: &Path) -> anyhow::Result<Verdict> {
    check(db, Some(heads)).await
}

async fn check(db: &Db, path: Option<&Path>) -> anyhow::Result<Verdict> {
    // The file is read first: heads exported while we read the chain would otherwise look like a cut tail.
    let lines = path.map(|path| heads::read(db.keys(), path)).transpose()?;
    let moment = db.snapshot().await?;
    let verdict = check_at(&moment, lines).await;
    moment.rollback().await?;
    verdict
}

async fn check_at(
    conn: &impl ConnectionTrait,
    lines: Option<heads::Lines>,
) -> anyhow::Result<Verdict> {
    let head = head_in(conn).await?;
    let mut verdict = Verdict {
        entries: 0,
        head: head.clone(),
        heads_compared: 0,
        faults: Vec::new(),
    };
    let mut last = Head {
        seq: 0,
        hash: nothing(),
    };
    let mut after = i64::MIN;
    loop {
        let rows = entry::Entity::find()
            .filter(entry::Column::Seq.gt(after))
            .order_by_asc(entry::Column::Seq)
            .limit(BATCH)
            .all(conn)
            .await?;
        let Some(end) = rows.last() else {
            break;
        };
        after = end.seq;
        for row in rows {
            verdict.entries += 1;
            judge(&mut verdict, &mut last, &row);
        }
    }
    let (head_seq, head_hash) = head.map_or((0, nothing()), |head| (head.seq, head.hash));
    if (last.seq, &last.hash) != (head_seq, &head_hash) {
        verdict.add(ChainFault::End {
            last: last.seq,
            head: head_seq,
        });
    }
    if let Some(lines) = lines {
        for exported in lines.heads {
            verdict.heads_compared += 1;
            match hash_at(conn, exported.seq).await? {
                Some(hash) if hash == exported.hash => {}
                Some(_) => verdict.add(ChainFault::Rewritten { seq: exported.seq }),
                None => verdict.add(ChainFault::Cut {
                    exported: exported.seq,
                    last: last.seq,
                }),
            }
        }
        if let Some(line) = lines.altered {
            verdict.add(ChainFault::HeadsFile { line });
        }
    }
    Ok(verdict)
}

fn judge(verdict: &mut Verdict, last: &mut Head, row: &entry::Model) {
    if row.seq < 1 {
        verdict.add(ChainFault::Inserted { seq: row.seq });
        return;
    }
    if row.seq > last.seq + 1 {
        verdict.add(ChainFault::Missing {
            from: last.seq + 1,
            to: row.seq - 1,
        });
    }
    if hex::encode(hash_of(row)) != row.hash {
        verdict.add(ChainFault::Altered { seq: row.seq });
    }
    if row.previous != last.hash {
        verdict.add(ChainFault::Broken { seq: row.seq });
    }
    last.seq = row.seq;
    last.hash.clone_from(&row.hash);
}
