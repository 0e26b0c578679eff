//! Where a whole population is decided (在哪里算): `--cluster` of the commands that do.
//!
//! Guarantees: without the flag nothing leaves this process. Deliberately absent: starting a cluster; that is
//! `huimin scheduler` and `huimin executor`.

use crate::sweep::workers;
use batch::Place;
use clap::Args;

/// How many parts a cluster has in hand at once, if nothing else is said: some in waiting for every processor it has.
const IN_A_CLUSTER: usize = 32;

/// Where to decide (在哪里算).
#[derive(Debug, Args)]
pub(crate) struct DecidedAt {
    /// Let the executors of this scheduler decide: `http://HOST:PORT` (由集群计算).
    #[arg(long, env = "HUIMIN_CLUSTER")]
    cluster: Option<String>,
}

impl DecidedAt {
    /// How many parts are in hand at once.
    pub(crate) fn in_hand(&self, asked: Option<usize>) -> usize {
        match &self.cluster {
            Some(_) => asked.unwrap_or(IN_A_CLUSTER),
            None => workers(asked),
        }
    }

    /// Whether other machines do it.
    pub(crate) fn is_far(&self) -> bool {
        self.cluster.is_some()
    }

    /// The place, ready to be asked.
    ///
    /// # Errors
    /// When the address cannot be read, or this program was built without clusters.
    pub(crate) fn open(&self) -> anyhow::Result<Place> {
        match &self.cluster {
            None => Ok(Place::Here),
            Some(scheduler) => open_cluster(scheduler),
        }
    }
}

#[cfg(feature = "cluster")]
fn open_cluster(scheduler: &str) -> anyhow::Result<Place> {
    Ok(Place::Cluster(batch::cluster::Cluster::at(scheduler)?))
}

#[cfg(not(feature = "cluster"))]
fn open_cluster(scheduler: &str) -> anyhow::Result<Place> {
    anyhow::bail!(
        "本程序没有编入集群，连不上 {scheduler}；请用带 cluster 功能的程序，或去掉 --cluster (built without the feature cluster)"
    )
}
