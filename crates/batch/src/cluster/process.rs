//! The two kinds of machines (调度节点与执行节点): one scheduler, and executors that decide.
//!
//! Guarantees: an executor loads its rule book before it offers itself; a scheduler has neither rules nor data.
//! Deliberately absent: encryption and passwords between the machines. They belong in a network of their own, as the
//! database does.

use super::answer::Answering;
use super::function::{self, MESSAGE};
use super::reach::Address;
use anyhow::Context;
use ballista_core::config::TaskSchedulingPolicy;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::start_server;
use policy::Book;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// A scheduler (调度节点).
#[derive(Debug, Clone)]
pub struct SchedulerAt {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The name executors find it by.
    pub known_as: String,
    /// After how many seconds of silence an executor counts as dead.
    pub dead_after: u64,
}

/// An executor (执行节点).
#[derive(Debug, Clone)]
pub struct ExecutorAt {
    /// The scheduler it offers itself to: `HOST:PORT`.
    pub scheduler: String,
    /// Where it hands out answers; it takes orders on the next port.
    pub listen: SocketAddr,
    /// The name the others find it by, if not its address.
    pub known_as: Option<String>,
    /// How many parts at once.
    pub threads: usize,
    /// Where answers lie until they are fetched.
    pub work: PathBuf,
}

/// Runs a scheduler until it is ended (运行调度节点).
///
/// # Errors
/// When it cannot listen there.
pub async fn run_scheduler(at: SchedulerAt) -> anyhow::Result<()> {
    let config = SchedulerConfig {
        bind_host: at.listen.ip().to_string(),
        bind_port: at.listen.port(),
        external_host: at.known_as,
        scheduling_policy: TaskSchedulingPolicy::PushStaged,
        executor_timeout_seconds: at.dead_after,
        no_executors_grace_period_seconds: at.dead_after.max(60),
        expire_dead_executor_interval_seconds: (at.dead_after / 4).max(1),
        finished_job_state_clean_up_interval_seconds: 600,
        grpc_server_max_decoding_message_size: MESSAGE,
        grpc_server_max_encoding_message_size: MESSAGE,
        grpc_client_max_message_size: MESSAGE,
        override_session_builder: Some(Arc::new(function::session)),
        override_config_producer: Some(Arc::new(function::config)),
        ..SchedulerConfig::default()
    };
    let cluster = BallistaCluster::new_from_config(&config).await?;
    start_server(cluster, at.listen, Arc::new(config))
        .await
        .with_context(|| format!("调度节点不能在 {} 上运行 (the scheduler)", at.listen))
}

/// Runs an executor until it is ended (运行执行节点).
///
/// # Errors
/// When it finds no scheduler or cannot listen there.
pub async fn run_executor(at: ExecutorAt, book: Arc<Book>) -> anyhow::Result<()> {
    let scheduler = Address::read(&at.scheduler)?;
    std::fs::create_dir_all(&at.work)
        .with_context(|| format!("无法创建文件夹 {}", at.work.display()))?;
    let known_as = at.known_as.clone();
    let host = format!("{}:{}", known_as.as_deref().unwrap_or("-"), at.listen);
    let config = ExecutorProcessConfig {
        bind_host: at.listen.ip().to_string(),
        port: at.listen.port(),
        grpc_port: at
            .listen
            .port()
            .checked_add(1)
            .context("端口号太大 (the port)")?,
        external_host: known_as,
        scheduler_host: scheduler.host,
        scheduler_port: scheduler.port,
        scheduler_connect_timeout_seconds: 60,
        vcores: at.threads,
        task_scheduling_policy: TaskSchedulingPolicy::PushStaged,
        work_dir: Some(at.work.display().to_string()),
        job_data_ttl_seconds: 3_600,
        job_data_clean_up_interval_seconds: 600,
        executor_heartbeat_interval_seconds: 2,
        memory_pool_size: Some(0),
        grpc_max_decoding_message_size: MESSAGE,
        grpc_max_encoding_message_size: MESSAGE,
        override_function_registry: Some(function::registry(Answering::new(book, host))),
        override_config_producer: Some(Arc::new(function::config)),
        ..ExecutorProcessConfig::default()
    };
    start_executor_process(Arc::new(config))
        .await
        .context("执行节点停止了；请核对调度节点的地址 (the executor)")
}
