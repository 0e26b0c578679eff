//! `huimin executor` (集群执行节点): decides the parts a scheduler gives it, by the rule book on this machine.
//!
//! Guarantees: a question that needs another rule book is refused in words. Deliberately absent: a database and its keys;
//! parts are read from the folder of a snapshot or of landed deliveries, which this machine must see under the same name.

use crate::settings::load_book;
use crate::sweep::workers;
use crate::terminal::say;
use batch::cluster::{ExecutorAt, run_executor};
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// An executor (执行节点).
#[derive(Debug, Args)]
pub(crate) struct Executor {
    /// The scheduler: `http://HOST:PORT` (调度节点).
    #[arg(long, env = "HUIMIN_CLUSTER")]
    scheduler: String,
    /// The place whose rules this machine decides by (地区规则包).
    #[arg(long)]
    place: String,
    /// The folder with all packs (规则包文件夹).
    #[arg(long, env = "HUIMIN_PACKS", default_value = "packs")]
    packs: PathBuf,
    /// Where to hand out answers; orders are taken on the next port (监听地址).
    #[arg(long, default_value = "127.0.0.1:50051")]
    listen: SocketAddr,
    /// The name by which the others find this machine; its address if not given (供他机使用的主机名).
    #[arg(long)]
    known_as: Option<String>,
    /// How many parts at once; as many as there are processors if not given (并行数).
    #[arg(long)]
    workers: Option<usize>,
    /// Where answers lie until they are fetched; a temporary folder if not given (工作文件夹).
    #[arg(long)]
    work: Option<PathBuf>,
}

impl Executor {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let book = Arc::new(load_book(&self.packs, &self.place)?);
        say(&format!(
            "执行节点 {}：规则包 {} {} {} (executor)",
            self.listen,
            book.place().id,
            book.version(),
            book.hash()
        ));
        let port = self.listen.port();
        let at = ExecutorAt {
            scheduler: self.scheduler,
            listen: self.listen,
            known_as: Some(
                self.known_as
                    .unwrap_or_else(|| self.listen.ip().to_string()),
            ),
            threads: workers(self.workers),
            work: self
                .work
                .unwrap_or_else(|| std::env::temp_dir().join(format!("huimin-executor-{port}"))),
        };
        run_executor(at, book).await
    }
}
