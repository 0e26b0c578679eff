//! What every page stands on (应用): the database, the desk with its rule book, and the settings.
//!
//! Made once at start; cloning it is cheap. It holds no state of a request and nothing personal.

use crate::rate::Rates;
use access::{Door, PasswordCost, PasswordPolicy};
use anyhow::Context;
use batch::Held;
use casework::Desk;
use casework::rulebook::Shelf;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use store::{Db, OffsetClock};
use tokio::sync::Semaphore;
use verify::AtHand;
use verify::remote::Departments;

/// The settings of the web part (网页设置). Read once at start, by the executable.
#[derive(Clone)]
pub struct WebConfig {
    /// The movable clock of the demonstration; `Some` marks every page 演示数据 and offers to move time on.
    pub demo: Option<Arc<OffsetClock>>,
    /// Accounts shown on the sign-in page of the demonstration: account name and what it is for.
    pub demo_accounts: Vec<DemoAccount>,
    /// Whether the pages are served over TLS: cookies become `Secure` and `__Host-`, and browsers are told to stay.
    pub secure: bool,
    /// Whether a reverse proxy stands in front, whose `X-Forwarded-For` may be believed.
    pub behind_proxy: bool,
    /// The cost of passwords.
    pub password_cost: PasswordCost,
    /// The rule passwords follow.
    pub password_policy: PasswordPolicy,
    /// Where people reach this house, for links in letters and QR codes: `https://mz.example.gov.cn`.
    pub base_url: String,
    /// The help line shown on every page (服务热线).
    pub help_line: String,
    /// How often one address may ask the open rule book a minute.
    pub evaluations_a_minute: u32,
    /// How many requests one session, or one address without a session, may make a minute.
    pub requests_a_minute: u32,
    /// How many rows an export may have that is written while one waits.
    pub export_rows: u64,
    /// How many rows an export may have that is made in the background.
    pub export_rows_most: u64,
    /// The folder of the nightly snapshots; without it there is no sweep and no simulation here.
    pub snapshots: Option<PathBuf>,
    /// The folder of landed deliveries; without it nothing is verified here.
    pub landed: Option<PathBuf>,
    /// The ways by which people are told; what goes by another stays with its reason.
    pub channels: BTreeSet<notify::Channel>,
}

/// An account of the demonstration (演示账号), shown with its password on the sign-in page.
#[derive(Debug, Clone)]
pub struct DemoAccount {
    /// The account name.
    pub login: String,
    /// The password.
    pub password: String,
    /// What the account is for, in Chinese.
    pub what_zh: String,
    /// What the account is for, in English.
    pub what_en: String,
}

impl Default for WebConfig {
    fn default() -> Self {
        Self {
            demo: None,
            demo_accounts: Vec::new(),
            secure: true,
            behind_proxy: false,
            password_cost: PasswordCost::STRONG,
            password_policy: PasswordPolicy::default(),
            base_url: "http://127.0.0.1:8080".to_owned(),
            help_line: "12345".to_owned(),
            evaluations_a_minute: 120,
            requests_a_minute: 600,
            export_rows: 5_000,
            export_rows_most: 1_000_000,
            snapshots: None,
            landed: None,
            channels: BTreeSet::new(),
        }
    }
}

/// The application (应用), shared by all requests.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub db: Db,
    /// The rule book, procedures and forms; of one request, those in force when it came in.
    pub desk: Arc<Desk>,
    /// The shelf the desk comes from.
    pub shelf: Arc<Shelf>,
    /// The settings.
    pub config: Arc<WebConfig>,
    /// The door: password cost, limits, session times.
    pub door: Door,
    /// What other departments delivered.
    pub landed: Option<Arc<AtHand>>,
    /// Departments that answer when asked.
    pub departments: Option<Arc<Departments>>,
    pub(crate) rates: Arc<Rates>,
    pub(crate) numbers: PrometheusHandle,
    pub(crate) simulations: Arc<Simulations>,
    pub(crate) enquiring: Arc<crate::enquiring::Read>,
}

/// What simulations share (试算的公用部分): the rows held between two of them, and whose turn it is.
#[derive(Debug)]
pub(crate) struct Simulations {
    pub(crate) held: Arc<Held>,
    /// One at a time uses every processor; several would only take each other's.
    pub(crate) turn: Semaphore,
}

impl App {
    /// The application over a database and a desk that never changes (建立应用).
    ///
    /// # Errors
    /// A password cost that argon2 refuses, or a metrics recorder that cannot be installed.
    pub fn new(db: Db, desk: Arc<Desk>, config: WebConfig) -> anyhow::Result<Self> {
        Self::over(db, Shelf::still(desk), config)
    }

    /// The application over a database and a shelf of rules, which officers may write (建立应用).
    ///
    /// # Errors
    /// As [`App::new`].
    pub fn over(db: Db, shelf: Shelf, config: WebConfig) -> anyhow::Result<Self> {
        let door = Door::new(config.password_cost, config.password_policy)?;
        let landed = config.landed.as_deref();
        let landed = landed.map(|store| Arc::new(AtHand::new(store, db.keys().clone())));
        Ok(Self {
            db,
            landed,
            departments: None,
            desk: Arc::clone(&shelf.now().desk),
            shelf: Arc::new(shelf),
            config: Arc::new(config),
            door,
            rates: Arc::new(Rates::default()),
            numbers: numbers()?,
            enquiring: Arc::default(),
            simulations: Arc::new(Simulations {
                held: Arc::default(),
                turn: Semaphore::new(1),
            }),
        })
    }
}

impl App {
    /// The same with departments that answer when asked (带接口部门).
    #[must_use]
    pub fn asking(mut self, departments: Departments) -> Self {
        self.departments = Some(Arc::new(departments));
        self
    }

    /// The same with the rules in force at this moment (取现行规则): what one request sees to its end.
    #[must_use]
    pub fn at_this_moment(mut self) -> Self {
        self.desk = Arc::clone(&self.shelf.now().desk);
        self
    }
}

/// The one recorder of a process: the metrics crate allows no second one.
fn numbers() -> anyhow::Result<PrometheusHandle> {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = RECORDER.get() {
        return Ok(handle.clone());
    }
    let recorder = PrometheusBuilder::new()
        .set_buckets(&[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0])
        .context("setting the buckets of the request histogram")?
        .build_recorder();
    let handle = recorder.handle();
    // Two applications started at once (tests) may both get here; the first recorder stays, both handles work on it.
    if metrics::set_global_recorder(recorder).is_ok() {
        drop(RECORDER.set(handle.clone()));
    }
    Ok(RECORDER.get_or_init(|| handle).clone())
}
