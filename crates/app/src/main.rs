//! `huimin` (惠民): the one program. It serves the desk and the public door, and is the tool of whoever runs the house.
//!
//! Guarantees: configuration is read here and nowhere else; a command that refuses says why in one sentence and ends
//! with 1, a command that was typed wrongly ends with 2. Deliberately absent: any rule of law and any page; this crate
//! only puts the rooms together.

mod alerts;
mod approved;
mod audit;
mod backup;
mod card_pdf;
mod demo;
mod department;
mod duplicates;
mod evaluate;
#[cfg(feature = "cluster")]
mod executor;
mod explain;
mod exports;
mod gateway;
mod job;
mod journal;
mod link;
mod night;
mod officer;
mod pack;
mod place;
mod profile;
#[cfg(feature = "cluster")]
mod scheduler;
mod serve;
mod settings;
mod simulate;
mod snapshot;
mod statistics;
mod sweep;
mod synth;
mod telling;
mod terminal;
mod tick;
mod verify;

use clap::{Parser, Subcommand};
use std::io::IsTerminal;
use std::process::ExitCode;

/// Determinations are many small texts: a fifth of their time is making room for them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// 惠民：开放的民政平台。Open platform for Chinese civil affairs.
#[derive(Debug, Parser)]
#[command(name = "huimin", version, about, long_about = None)]
struct Cli {
    /// Log lines as JSON instead of text (日志用 JSON 格式).
    #[arg(long, global = true, env = "HUIMIN_LOG_JSON")]
    log_json: bool,
    /// What to log, e.g. `info` or `web=debug` (日志级别).
    #[arg(
        long,
        global = true,
        env = "HUIMIN_LOG",
        default_value = "info,sea_orm_migration=warn,ballista_core=warn,ballista_scheduler=warn,ballista_executor=warn,datafusion=warn"
    )]
    log: String,
    #[command(subcommand)]
    command: Command,
}

/// The commands, in the order in which one meets them.
#[derive(Debug, Subcommand)]
enum Command {
    /// Make or reuse a demo district and serve it (生成演示数据并启动).
    Demo(demo::Demo),
    /// Serve a district (启动服务).
    Serve(serve::Serve),
    /// Check, test and print rule packs (规则包).
    #[command(subcommand)]
    Pack(pack::Pack),
    /// What the rule book says about one household in a JSON file (按规则计算一户).
    Evaluate(evaluate::Evaluate),
    /// Replay the stored decision of a case, byte for byte (重算一个办件的决定).
    Explain(explain::Explain),
    /// Do the day's work: birthdays, ends of facts, reviews (每日任务).
    Tick(tick::Tick),
    /// Invent a district of any size as a snapshot folder (虚构任意规模的人口).
    Synth(synth::Synth),
    /// The register on a day, without names, as a folder (生成快照).
    Snapshot(snapshot::TakeSnapshot),
    /// Every programme for every household of a snapshot, against what is paid (全人口比对).
    Sweep(sweep::SweepAll),
    /// What other values of parameters would mean for the people of a snapshot (试算).
    Simulate(simulate::Simulate),
    /// What each variable of the rule book costs over a whole population (耗时剖析).
    Profile(profile::ProfileRules),
    /// Give parts of a sweep, a simulation or a bulk enquiry to executors (集群调度节点).
    #[cfg(feature = "cluster")]
    Scheduler(scheduler::Scheduler),
    /// Decide parts that a scheduler gives (集群执行节点).
    #[cfg(feature = "cluster")]
    Executor(executor::Executor),
    /// Follow the journal, count anew or compare (统计).
    Statistics(statistics::Statistics),
    /// Which records of a file are of one person (同一人识别).
    Link(link::LinkFile),
    /// Who may stand in the register twice (重复登记比对).
    Duplicates(duplicates::Duplicates),
    /// Land what departments deliver and ask it about households (核对).
    #[command(subcommand)]
    Verify(verify::Verify),
    /// A pretend department that answers enquiries from a file (演示部门).
    Department(department::Department),
    /// A pretend gateway for text messages (演示短信网关).
    Gateway(gateway::Gateway),
    /// Verify the money of a whole year (核对一年的账).
    Audit(audit::Audit),
    /// Verify the journal's chain (核对日志链).
    JournalVerify(journal::JournalVerify),
    /// Make an officer's account (新建账号).
    CreateOfficer(officer::CreateOfficer),
    /// Copy everything to a folder (备份).
    Backup(backup::Backup),
    /// Bring a copy back into an empty database (恢复).
    Restore(backup::Restore),
    /// Print a list for docs/approved (输出核准清单).
    #[command(subcommand, hide = true)]
    Approved(approved::Approved),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    log(&cli);
    let done = match cli.command {
        Command::Demo(command) => waiting(command.run()),
        Command::Serve(command) => waiting(command.run()),
        Command::Pack(command) => waiting(command.run()),
        Command::Evaluate(command) => command.run(),
        Command::Explain(command) => waiting(command.run()),
        Command::Tick(command) => waiting(command.run()),
        Command::Synth(command) => waiting(command.run()),
        Command::Snapshot(command) => waiting(command.run()),
        Command::Sweep(command) => waiting(command.run()),
        Command::Simulate(command) => waiting(command.run()),
        Command::Profile(command) => waiting(command.run()),
        #[cfg(feature = "cluster")]
        Command::Scheduler(command) => waiting(command.run()),
        #[cfg(feature = "cluster")]
        Command::Executor(command) => waiting(command.run()),
        Command::Statistics(command) => waiting(command.run()),
        Command::Link(command) => command.run(),
        Command::Duplicates(command) => waiting(command.run()),
        Command::Verify(command) => command.run(),
        Command::Department(command) => command.run(),
        Command::Gateway(command) => command.run(),
        Command::Audit(command) => waiting(command.run()),
        Command::JournalVerify(command) => waiting(command.run()),
        Command::CreateOfficer(command) => waiting(command.run()),
        Command::Backup(command) => waiting(command.run()),
        Command::Restore(command) => waiting(command.run()),
        Command::Approved(command) => command.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            terminal::complain(&format!("{fault:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs a command that waits for a database or for browsers.
fn waiting<T>(command: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(command)
}

fn log(cli: &Cli) {
    let filter = tracing_subscriber::EnvFilter::try_new(&cli.log).unwrap_or_else(|_| "info".into());
    // Answers of commands go to standard output; the log must not mix with them.
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    if cli.log_json {
        log.json().init();
    } else {
        log.with_target(false).init();
    }
}
