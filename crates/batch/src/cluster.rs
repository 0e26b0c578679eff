//! Where parts are decided and bulk enquiries answered (在哪里算): in this process or, with the feature `cluster`, on the executors
//! of a cluster.
//!
//! A part, or a piece of an enquiry ([`verify::Piece`]), is one row of a query, deciding it one function of that row (`huimin_decide`), which every executor registers
//! with the rule book it loaded itself. Ballista places the rows, counts free processors and gives the rows of an executor
//! that died to another. Guarantees: what comes back is what this process would have written, byte for byte; an
//! executor with another rule book or another snapshot in view refuses in words and decides nothing. Deliberately
//! absent: code or rules that travel; who may connect (the network says that).

#[cfg(feature = "cluster")]
mod answer;
#[cfg(feature = "cluster")]
mod client;
#[cfg(feature = "cluster")]
mod function;
#[cfg(feature = "cluster")]
mod process;
mod question;
#[cfg(feature = "cluster")]
mod reach;
#[cfg(feature = "cluster")]
mod task;

#[cfg(feature = "cluster")]
pub use client::Cluster;
#[cfg(feature = "cluster")]
pub use process::{ExecutorAt, SchedulerAt, run_executor, run_scheduler};
pub(crate) use question::{Answer, Question};

use crate::folder::Folder;
use futures_util::StreamExt;
use policy::Book;
use std::path::Path;
use std::sync::Arc;
use verify::{Found, InPieces, Piece};

/// Where parts are decided (在哪里算).
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Place {
    /// In this process.
    #[default]
    Here,
    /// On the executors of a cluster.
    #[cfg(feature = "cluster")]
    Cluster(Cluster),
}

/// A question put to other machines (向他机提问); there is none in a program built without clusters.
#[derive(Debug)]
pub(crate) struct Far {
    #[cfg(feature = "cluster")]
    asked: client::Asked,
    #[cfg(not(feature = "cluster"))]
    never: std::convert::Infallible,
}

impl Place {
    /// Puts a question about a snapshot to whoever decides it elsewhere; `None` when that is this process.
    ///
    /// # Errors
    /// When nobody there can be reached, or the snapshot cannot be read.
    #[cfg_attr(
        not(feature = "cluster"),
        expect(unused_variables, reason = "there is nobody to be asked")
    )]
    pub(crate) async fn put(
        &self,
        book: &Book,
        folder: &Folder,
        question: Question,
    ) -> anyhow::Result<Option<Far>> {
        match self {
            Self::Here => Ok(None),
            #[cfg(feature = "cluster")]
            Self::Cluster(cluster) => {
                let asked = cluster.put(book, folder, question).await?;
                Ok(Some(Far { asked }))
            }
        }
    }
}

impl Place {
    /// Has the pieces of a bulk enquiry answered (批量核对), so many at once; `store` is where the landed deliveries lie.
    ///
    /// # Errors
    /// When what is landed cannot be read; when a cluster refuses or does not answer.
    pub async fn enquire(
        &self,
        book: &Book,
        store: &Path,
        pieces: &InPieces<'_>,
        in_hand: usize,
    ) -> anyhow::Result<Found> {
        match self {
            Self::Here => {
                let sources = Arc::new(verify::at_hand::sources_of(book)?);
                gathered(pieces, in_hand, |piece| {
                    let (sources, store) = (Arc::clone(&sources), store.to_owned());
                    let answer = move || verify::ask::answer(&sources, &store, &piece);
                    async move { tokio::task::spawn_blocking(answer).await? }
                })
                .await
            }
            #[cfg(feature = "cluster")]
            Self::Cluster(cluster) => cluster.enquire(book, store, pieces, in_hand).await,
        }
    }
}

/// All pieces, each asked of whoever answers it, so many at once.
async fn gathered<Answering: Future<Output = anyhow::Result<Vec<u8>>>>(
    pieces: &InPieces<'_>,
    in_hand: usize,
    ask: impl Fn(Piece) -> Answering,
) -> anyhow::Result<Found> {
    let asking = (0..pieces.count()).map(|number| {
        let asked = pieces.piece(number).map(&ask);
        async move { anyhow::Ok((number, asked?.await?)) }
    });
    let mut answers = futures_util::stream::iter(asking).buffer_unordered(in_hand.max(1));
    let mut found = Found::default();
    while let Some(answer) = answers.next().await {
        let (number, sealed) = answer?;
        pieces.add(&mut found, number, &sealed)?;
    }
    Ok(found)
}

impl Far {
    /// Has a part decided.
    ///
    /// # Errors
    /// What an executor refused; a cluster that does not answer.
    #[cfg(feature = "cluster")]
    pub(crate) async fn ask(&self, part: usize) -> anyhow::Result<Answer> {
        self.asked.ask(part).await
    }

    #[cfg(not(feature = "cluster"))]
    pub(crate) async fn ask(&self, _part: usize) -> anyhow::Result<Answer> {
        match self.never {}
    }
}
