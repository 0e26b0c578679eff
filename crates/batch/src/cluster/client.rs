//! Asking a cluster (向集群提问): one query a part or piece, as many at once as the run allows.
//!
//! Guarantees: a part whose executor died after deciding it, before its answer was fetched, is asked again; a refusal is
//! told as it was said and not asked again; where no executor is left for a minute the run ends in words. Deliberately
//! absent: a connection kept open; the engine makes one a query.

use super::answer::print_of;
use super::function::{self, named};
use super::gathered;
use super::question::{Answer, Question};
use super::reach::Address;
use super::task::{PROGRAM, PartAsked, Rules, Task, Work};
use crate::folder::Folder;
use crate::layout::MANIFEST;
use anyhow::{Context, bail};
use ballista_core::extension::SessionStateExt;
use datafusion::arrow::array::Array;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::lit;
use datafusion::prelude::SessionContext;
use policy::Book;
use std::fmt;
use std::path::Path;
use std::time::Duration;
use verify::{Found, InPieces};

/// How often a part is asked for when its query fails.
const TRIES: u32 = 4;
/// How often one looks whether anybody is left who could answer.
const LOOK: Duration = Duration::from_secs(10);
/// After so many looks in a row at which nobody was there, nobody comes.
const LOOKS: u32 = 6;

/// A cluster (集群), by its scheduler. Cheap to clone.
#[derive(Clone)]
pub struct Cluster {
    context: SessionContext,
    scheduler: Address,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Cluster")
            .field("scheduler", &self.scheduler)
            .finish_non_exhaustive()
    }
}

/// A question put to a cluster about all parts of a snapshot (提问).
#[derive(Debug, Clone)]
pub(super) struct Asked {
    cluster: Cluster,
    rules: Rules,
    folder: String,
    asked: PartAsked,
}

impl Cluster {
    /// The cluster of a scheduler (连接集群): `http://HOST:PORT` or `HOST:PORT`.
    ///
    /// # Errors
    /// When the address cannot be read. Whether somebody answers there shows with the first question.
    pub fn at(scheduler: &str) -> anyhow::Result<Self> {
        let scheduler = Address::read(scheduler)?;
        let state = function::session(function::config())?;
        let mut state = state.upgrade_for_ballista(scheduler.url())?;
        state.register_udf(named())?;
        Ok(Self {
            context: SessionContext::new_with_state(state),
            scheduler,
        })
    }

    /// Puts a question, to be asked of each part (提问).
    ///
    /// # Errors
    /// When nobody there decides anything, or the snapshot cannot be read.
    pub(super) async fn put(
        &self,
        book: &Book,
        folder: &Folder,
        question: Question,
    ) -> anyhow::Result<Asked> {
        self.scheduler.is_ready().await?;
        let manifest = folder.need(MANIFEST).await?;
        Ok(Asked {
            cluster: self.clone(),
            rules: Rules::of(book),
            folder: folder.for_others()?,
            asked: PartAsked {
                manifest: print_of(&manifest),
                question,
                part: 0,
            },
        })
    }

    /// Has the pieces of a bulk enquiry answered (请集群核对), so many at once; `store` is where the landed deliveries lie.
    ///
    /// # Errors
    /// When nobody there answers, or an executor refuses.
    pub(super) async fn enquire(
        &self,
        book: &Book,
        store: &Path,
        pieces: &InPieces<'_>,
        in_hand: usize,
    ) -> anyhow::Result<Found> {
        self.scheduler.is_ready().await?;
        let whole = std::fs::canonicalize(store)
            .with_context(|| format!("没有落地文件夹 {} (the store)", store.display()))?;
        let (rules, folder) = (Rules::of(book), whole.display().to_string());
        let (rules, folder) = (&rules, folder.as_str());
        gathered(pieces, in_hand, |piece| async move {
            let task = Task {
                program: PROGRAM.to_owned(),
                rules: rules.clone(),
                folder: folder.to_owned(),
                work: Work::Enquire(piece),
            };
            match self.answer(&task).await? {
                Answer::Enquired { sealed } => Ok(sealed),
                _ => bail!("集群答的不是所问 (an answer to another question)"),
            }
        })
        .await
    }

    /// Has a task done, asking again where a query fails.
    async fn answer(&self, task: &Task) -> anyhow::Result<Answer> {
        let what = serde_json::to_string(task)?;
        let mut tries = 0;
        let batches = loop {
            tries += 1;
            let asked = tokio::select! {
                asked = self.query(&what) => asked,
                fault = self.nobody_left() => return Err(fault),
            };
            match asked {
                Ok(batches) => break batches,
                Err(fault) if tries < TRIES => {
                    tracing::warn!(tries, "asking again: {}", brief(&fault));
                    tokio::time::sleep(Duration::from_secs(u64::from(tries))).await;
                }
                Err(fault) => {
                    bail!(
                        "集群 {} 没有答复；请核对调度节点和执行节点是否在运行 (the cluster does not answer): {}",
                        self.scheduler.url(),
                        brief(&fault)
                    );
                }
            }
        };
        for batch in &batches {
            let column = batch.column(0);
            if !column.is_empty() {
                return function::read(column, 0);
            }
        }
        bail!("集群的答复是空的 (an empty answer)")
    }

    async fn query(&self, task: &str) -> anyhow::Result<Vec<RecordBatch>> {
        let row = self.context.read_empty()?;
        let answer = row.select(vec![named().call(vec![lit(task)]).alias("answer")])?;
        Ok(answer.collect().await?)
    }

    /// Ends when nobody was left to answer for a minute, and says so.
    async fn nobody_left(&self) -> anyhow::Error {
        let mut alone = 0;
        loop {
            tokio::time::sleep(LOOK).await;
            match self.scheduler.is_ready().await {
                Ok(()) => alone = 0,
                Err(fault) => {
                    alone += 1;
                    tracing::warn!(alone, "{fault:#}");
                    if alone >= LOOKS {
                        return fault;
                    }
                }
            }
        }
    }
}

impl Asked {
    /// Has a part decided (请集群认定一个分块).
    ///
    /// # Errors
    /// What an executor refused; a cluster that does not answer.
    pub(super) async fn ask(&self, part: usize) -> anyhow::Result<Answer> {
        let task = Task {
            program: PROGRAM.to_owned(),
            rules: self.rules.clone(),
            folder: self.folder.clone(),
            work: Work::Decide(PartAsked {
                part,
                ..self.asked.clone()
            }),
        };
        self.cluster.answer(&task).await
    }
}

/// The beginning of what the engine says: it may repeat the whole query, and with it the task.
fn brief(fault: &anyhow::Error) -> String {
    format!("{fault:#}").chars().take(300).collect()
}
