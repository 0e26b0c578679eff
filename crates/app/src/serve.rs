//! `huimin serve` (启动服务): a district's desk and public door, until told to stop.
//!
//! Guarantees: refuses the demo's accounts and the keys of the tests; brings the tables up to date before it listens; on
//! SIGTERM or ctrl-c finishes the requests in flight. Deliberately absent: TLS; a reverse proxy in front has it.

use crate::demo::accounts;
use crate::settings::{Data, Rules};
use crate::telling::{self, Telling};
use crate::terminal::say;
use access::PasswordPolicy;
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use notify::Carriers;
use std::net::SocketAddr;
use std::sync::Arc;
use store::{Db, Keys};
use verify::remote::Departments;
use web::{App, WebConfig};

/// How to serve (启动参数).
#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    rules: Rules,
    #[command(flatten)]
    door: DoorSettings,
    #[command(flatten)]
    telling: Telling,
    /// Pages are served over plain HTTP, without a proxy that has TLS: only for a closed network (不经 TLS).
    #[arg(long, env = "HUIMIN_PLAIN_HTTP")]
    plain_http: bool,
    /// A reverse proxy stands in front and its `X-Forwarded-For` may be believed (前有反向代理).
    #[arg(long, env = "HUIMIN_BEHIND_PROXY")]
    behind_proxy: bool,
    /// Which standard passwords follow (密码规则).
    #[arg(
        long,
        env = "HUIMIN_PASSWORD_POLICY",
        value_enum,
        default_value = "djbh3"
    )]
    password_policy: Policy,
}

/// Where to listen and what the door says (监听与限制); the demo has the same.
#[derive(Debug, Clone, Args)]
pub(crate) struct DoorSettings {
    /// Where to listen (监听地址).
    #[arg(long, env = "HUIMIN_LISTEN", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// The help line shown on every page (服务热线).
    #[arg(long, env = "HUIMIN_HELP_LINE", default_value = "12345")]
    pub(crate) help_line: String,
    /// Where people reach this house, for links in letters and QR codes (对外网址).
    #[arg(long, env = "HUIMIN_BASE_URL", default_value = "http://127.0.0.1:8080")]
    pub(crate) base_url: String,
    /// How often one address may ask for anything a minute (访问次数上限).
    #[arg(long, env = "HUIMIN_REQUESTS_A_MINUTE", default_value_t = 600)]
    pub(crate) requests_a_minute: u32,
    /// How often one address may ask the open rule book a minute (试算次数上限).
    #[arg(long, env = "HUIMIN_EVALUATIONS_A_MINUTE", default_value_t = 120)]
    pub(crate) evaluations_a_minute: u32,
    /// How many rows an export made in the background may have (导出行数上限).
    #[arg(long, env = "HUIMIN_EXPORT_ROWS_MOST", default_value_t = 1_000_000)]
    pub(crate) export_rows_most: u64,
}

impl DoorSettings {
    /// The settings of the web part that serving and the demo share.
    pub(crate) fn config(&self) -> WebConfig {
        WebConfig {
            base_url: self.base_url.clone(),
            help_line: self.help_line.clone(),
            requests_a_minute: self.requests_a_minute,
            evaluations_a_minute: self.evaluations_a_minute,
            export_rows_most: self.export_rows_most,
            ..WebConfig::default()
        }
    }
}

/// The two standards on passwords (密码规则); they contradict each other.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Policy {
    /// 等保三级.
    Djbh3,
    /// ASVS 5.
    Asvs5,
}

impl Serve {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let db = self.data.open().await?;
        refuse_demo(&db).await?;
        let shelf = self.rules.shelf(&self.data, &db).await?;
        if shelf.now().desk.book.place().demo {
            tracing::warn!(place = %self.rules.place, "this place's pack holds demonstration values");
        }
        let carriers = self.telling.carriers(&db)?;
        let config = WebConfig {
            secure: !self.plain_http,
            behind_proxy: self.behind_proxy,
            password_policy: match self.password_policy {
                Policy::Djbh3 => PasswordPolicy::Djbh3,
                Policy::Asvs5 => PasswordPolicy::Asvs5,
            },
            snapshots: Some(self.data.snapshots()),
            landed: Some(self.data.landed()),
            channels: carriers.on(),
            ..self.door.config()
        };
        let departments = match &self.data.departments {
            Some(file) => Some(Departments::read(
                file,
                &self.data.landed(),
                db.keys().clone(),
                Arc::clone(db.clock()),
            )?),
            None => None,
        };
        let mut app = App::over(db, shelf, config)?;
        if let Some(departments) = departments {
            app = app.asking(departments);
        }
        listen(app, carriers, self.door.listen, || {}).await
    }
}

/// A database with accounts whose password everybody knows must never face real people.
async fn refuse_demo(db: &Db) -> anyhow::Result<()> {
    if db.keys().fingerprint() == Keys::for_tests().fingerprint() {
        bail!("密钥是测试密钥，人人都知道：请换一个密钥文件 (these are the keys of the tests)");
    }
    for account in accounts::ACCOUNTS {
        if access::officer::by_login(db, account.login)
            .await?
            .is_some_and(|found| found.enabled && found.name == account.name)
        {
            bail!(
                "数据库里有演示账号 {}，密码人人都知道：正式服务请用新的数据库 (this database was made by the demo)",
                account.login
            );
        }
    }
    Ok(())
}

/// Listen, say so, serve, and close the database when told to stop.
pub(crate) async fn listen(
    app: App,
    carriers: Carriers,
    at: SocketAddr,
    ready: impl FnOnce(),
) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind(at)
        .await
        .with_context(|| format!("无法监听 {at}，端口可能已被占用 (listening)"))?;
    say(&format!("http://{}", listener.local_addr()?));
    ready();
    let db = app.db.clone();
    let daily = tokio::spawn(crate::tick::daily(db.clone(), app.shelf.clone()));
    let numbers = tokio::spawn(crate::statistics::follow(db.clone()));
    let line = app.config.help_line.clone();
    let telling = telling::watch(db.clone(), app.shelf.clone(), carriers, line);
    let telling = tokio::spawn(telling);
    let base = app.config.snapshots.clone();
    let nightly =
        base.map(|base| tokio::spawn(crate::night::watch(db.clone(), app.shelf.clone(), base)));
    let landed = app.landed.clone();
    let compared = landed
        .map(|landed| tokio::spawn(crate::alerts::watch(db.clone(), app.shelf.clone(), landed)));
    let files = tokio::spawn(crate::exports::watch(app.clone()));
    web::serve(app, listener, told_to_stop()).await?;
    files.abort();
    if let Some(compared) = compared {
        compared.abort();
    }
    // Whatever day's work is under way goes on with the next start.
    daily.abort();
    numbers.abort();
    telling.abort();
    if let Some(nightly) = nightly {
        nightly.abort();
    }
    db.close()
        .await
        .context("关闭数据库 (closing the database)")
}

/// Ctrl-c, or SIGTERM from whoever started us.
async fn told_to_stop() {
    let interrupted = async {
        // Without a handler there is no way to be told; then only a kill ends the program, which loses nothing either.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending::<()>().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = interrupted => {},
        () = terminated => {},
    }
    tracing::info!("told to stop; finishing the requests in flight");
}
