//! Where parts are decided (在哪里算): in this process or, with the feature `cluster`, on the executors of a cluster.
//!
//! A part is one row of a query, deciding it one function of that row (`huimin_decide`), which every executor registers
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
use policy::Book;

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
