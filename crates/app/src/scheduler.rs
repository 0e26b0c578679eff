//! `huimin scheduler` (集群调度节点): gives parts of a sweep, a simulation or a bulk enquiry to executors.
//!
//! Guarantees: holds neither rules nor data; ended, it loses nothing but the run in hand, which goes on where it was
//! when the same command is typed again. Deliberately absent: passwords; it listens inside a network of its own.

use crate::terminal::say;
use batch::cluster::{SchedulerAt, run_scheduler};
use clap::Args;
use std::net::SocketAddr;

/// A scheduler (调度节点).
#[derive(Debug, Args)]
pub(crate) struct Scheduler {
    /// Where to listen (监听地址).
    #[arg(long, default_value = "127.0.0.1:50050")]
    listen: SocketAddr,
    /// The name by which executors find this machine; the address if not given (供执行节点使用的主机名).
    #[arg(long)]
    known_as: Option<String>,
    /// After how many seconds without a word an executor counts as dead (多少秒无应答视为失联).
    #[arg(long, default_value_t = 30)]
    dead_after: u64,
}

impl Scheduler {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        say(&format!("调度节点 {} (scheduler)", self.listen));
        run_scheduler(SchedulerAt {
            known_as: self
                .known_as
                .unwrap_or_else(|| self.listen.ip().to_string()),
            listen: self.listen,
            dead_after: self.dead_after,
        })
        .await
    }
}
