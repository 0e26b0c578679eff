//! `huimin demo` (演示): a district of invented people with a past, served from one file.
//!
//! Guarantees: the same seed makes the same people; a second start goes on where the first stopped; every page is marked
//! 演示数据. Deliberately absent: any shortcut into the tables. What the demo shows was made by the same acts an officer
//! uses, so a demo that looks right has been through the rules.

pub(crate) mod accounts;
mod crowd;
mod day;
mod deceits;
mod deliveries;
mod past;
mod people;
mod tour;

use crate::serve::{self, DoorSettings};
use crate::settings::{Data, demonstration, load_desk};
use crate::telling::Telling;
use crate::terminal::say;
use access::{Door, PasswordCost, PasswordPolicy};
use accounts::Places;
use anyhow::{Context, bail};
use casework::Desk;
use casework::rulebook::Shelf;
use chrono::NaiveDate;
use clap::Args;
use day::DayClock;
use exchange::department::Pretend;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use store::clock::shanghai_day;
use store::{Clock, Db, OffsetClock};
use synth::departments::Resident;
use verify::Source;
use verify::remote::wire::Secret;
use verify::remote::{Department, Departments};
use vocab::Month;
use web::{App, DemoAccount, WebConfig};

/// What kind of demo (演示参数).
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Start over: what was there is deleted (重新生成).
    #[arg(long)]
    fresh: bool,
    /// How many people live there (人口数).
    #[arg(long, default_value_t = 20_000)]
    people: u32,
    /// The day it is when the demo begins; today if not given (演示起始日).
    #[arg(long)]
    today: Option<NaiveDate>,
    /// Where everything lies (数据文件夹).
    #[arg(long, default_value = "data/demo")]
    data: PathBuf,
    /// Another database than the file in that folder; it must be empty (另用数据库).
    #[arg(long)]
    database: Option<String>,
    /// The folder with all packs (规则包文件夹).
    #[arg(long, env = "HUIMIN_PACKS", default_value = "packs")]
    packs: PathBuf,
    /// The place; if not given, the demonstration pack with the most regions (地方).
    #[arg(long)]
    place: Option<String>,
    /// The seed of the invented people (随机种子).
    #[arg(long, default_value_t = 20_260_601)]
    seed: u64,
    #[command(flatten)]
    door: DoorSettings,
    /// Only make the data (只生成数据，不启动).
    #[arg(long)]
    no_serve: bool,
}

/// What the marker file says once a demo is whole (完成标记).
const WHOLE: &str = "whole";

impl Demo {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let place = self.place()?;
        let desk = Arc::new(load_desk(&self.packs, &place)?);
        if self.fresh {
            self.delete()?;
        }
        let began = std::time::Instant::now();
        if self.is_whole(&place)? {
            say(&format!(
                "沿用 {} 里的演示数据；--fresh 重新生成 (reusing the demo; --fresh starts over)",
                self.data.display()
            ));
        } else {
            if self.database.is_none() {
                // What an interrupted start left is not a district.
                self.delete()?;
            }
            self.make(&desk, &place).await?;
            say(&format!(
                "演示数据已生成，用时 {} 秒 (made)",
                began.elapsed().as_secs()
            ));
        }
        if self.no_serve {
            return Ok(());
        }
        let clock = self.clock()?;
        let db = self
            .settings()
            .open_with(Arc::clone(&clock) as Arc<dyn Clock>, None)
            .await?;
        let shelf = Shelf::open(&db, &self.packs, &place, &self.data.join("editions")).await?;
        let departments = self.departments(&desk, &db)?;
        let app = App::over(db, shelf, self.config(clock))?.asking(departments);
        let places = Places::of(desk.book.place())?;
        let tour = tour::text(&desk, &places);
        let carriers = Telling::into_folder(&self.outgoing());
        serve::listen(app, carriers, self.door.listen, || say(&tour)).await
    }

    fn place(&self) -> anyhow::Result<String> {
        if let Some(place) = &self.place {
            return Ok(place.clone());
        }
        demonstration(&self.packs)
    }

    fn settings(&self) -> Data {
        let file = || format!("sqlite:{}", self.data.join("huimin.sqlite").display());
        Data {
            database: self.database.clone().unwrap_or_else(file),
            keys: self.data.join("huimin.keys"),
            files: self.data.join("files"),
            editions: None,
            snapshots: None,
            landed: None,
            departments: None,
        }
    }

    /// What would leave the house lies here instead.
    fn outgoing(&self) -> PathBuf {
        self.data.join("outgoing")
    }

    fn config(&self, clock: Arc<OffsetClock>) -> WebConfig {
        let account = |account: &accounts::Account| DemoAccount {
            login: account.login.to_owned(),
            password: accounts::PASSWORD.to_owned(),
            what_zh: account.what_zh.to_owned(),
            what_en: account.what_en.to_owned(),
        };
        WebConfig {
            demo: Some(clock),
            demo_accounts: accounts::ACCOUNTS.iter().map(account).collect(),
            secure: false,
            snapshots: Some(self.settings().snapshots()),
            landed: Some(self.settings().landed()),
            channels: Telling::into_folder(&self.outgoing()).on(),
            password_cost: PasswordCost::MODEST,
            ..self.door.config()
        }
    }

    fn clock(&self) -> anyhow::Result<Arc<OffsetClock>> {
        let day = DayClock::open(&self.data.join("day"), self.today)?;
        Ok(Arc::new(OffsetClock::open(
            &self.data.join("clock"),
            Arc::new(day),
        )?))
    }

    /// The folder is ours to delete only if a demo made it.
    fn delete(&self) -> anyhow::Result<()> {
        let entries = match std::fs::read_dir(&self.data) {
            Ok(entries) => entries,
            Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(fault) => {
                return Err(fault).with_context(|| format!("reading {}", self.data.display()));
            }
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let ours = [
                "huimin.",
                "files",
                "day",
                "clock",
                "demo",
                "heads",
                "editions",
                "snapshots",
                "landed",
                "outgoing",
            ]
            .iter()
            .any(|start| name.to_string_lossy().starts_with(start));
            if !ours {
                bail!(
                    "{} 不是演示生成的，不敢删除文件夹 {} (not made by a demo)",
                    entry.path().display(),
                    self.data.display()
                );
            }
            if entry.file_type()?.is_dir() {
                std::fs::remove_dir_all(entry.path())?;
            } else {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    fn marker(&self) -> PathBuf {
        self.data.join("demo")
    }

    fn is_whole(&self, place: &str) -> anyhow::Result<bool> {
        let Ok(text) = std::fs::read_to_string(self.marker()) else {
            return Ok(false);
        };
        if text.trim() != format!("{WHOLE} {place}") {
            bail!(
                "{} 里是另一个地方的演示，请加 --fresh 或换 --data (another place's demo lies there)",
                self.data.display()
            );
        }
        Ok(true)
    }

    async fn make(&self, desk: &Desk, place: &str) -> anyhow::Result<()> {
        create(&self.data)?;
        let today = shanghai_day(self.clock()?.now());
        let days = past::PastDays::before(today)?;
        let clock = past::Clock::at(days.registered);
        let db = self
            .settings()
            .open_with(clock.shared(), Some(self.seed))
            .await?;
        empty(&db).await?;
        let door = Door::new(PasswordCost::MODEST, PasswordPolicy::default())?;
        let places = Places::of(desk.book.place())?;
        accounts::make(&db, &door, &places).await?;
        let known = people::settle(&db, desk, &places, self.people, self.seed, today).await?;
        let mut planted = past::live(&db, desk, &places, &clock, &days, &known).await?;
        let delivered = (known.as_slice(), today, days.paid);
        self.deliver(&db, desk, &places, delivered, &mut planted)
            .await?;
        let began = std::time::Instant::now();
        clock.move_to(today);
        crate::night::ask(&db).await?;
        crate::night::once(&db, desk, &self.settings().snapshots(), "huimin demo").await?;
        tracing::info!(seconds = began.elapsed().as_secs(), "everybody was swept");
        // What the register takes for one person is what alerts ask about.
        crate::duplicates::whole(&db).await?;
        let began = std::time::Instant::now();
        past::consents(&db, desk, &places, today).await?;
        let at_hand = verify::AtHand::new(&self.settings().landed(), db.keys().clone());
        crate::alerts::ask(&db, None).await?;
        if let Some(ran) = crate::alerts::once(&db, desk, &at_hand, "huimin demo").await? {
            say(&crate::alerts::told(&ran));
        }
        tracing::info!(
            ms = began.elapsed().as_millis(),
            "those in payment compared"
        );
        batch::statistics::keep_up(&db).await?;
        db.close().await?;
        std::fs::write(self.marker(), format!("{WHOLE} {place}\n"))
            .context("writing the demo's marker")
    }

    /// Departments whose sources say that they answer when asked do so, from what they delivered: pretended in this very program.
    fn departments(&self, desk: &Desk, db: &Db) -> anyhow::Result<Departments> {
        let sources = verify::at_hand::sources_of(&desk.book)?;
        let mut all = Vec::new();
        let by_api = |source: &&Source| source.arrival.by.iter().any(|way| way == "api");
        for source in sources.0.values().filter(by_api) {
            let id = &source.id;
            let file = deliveries::folder(&self.data).join(format!("{id}.csv"));
            if !file.is_file() {
                continue;
            }
            // Nobody but this program ever has it.
            let mut secret = [0; 32];
            let print = store::keys::sm3(db.keys().blind("demo.department", id).as_bytes());
            secret.copy_from_slice(&print);
            let clock = Arc::clone(db.clock());
            let pretend = Pretend::open(source.clone(), &file, Secret::new(secret), clock)?;
            let listener = TcpListener::bind("127.0.0.1:0").context("a pretend department")?;
            let at = listener.local_addr()?.to_string();
            std::thread::spawn(move || pretend.serve(&listener, &AtomicBool::new(false)));
            all.push(Department::new(id, &at, Secret::new(secret)));
        }
        let store = self.settings().landed();
        let clock = Arc::clone(db.clock());
        Departments::new(all, &store, db.keys().clone(), clock)
    }

    /// What departments say of these people is delivered and landed.
    async fn deliver(
        &self,
        db: &Db,
        desk: &Desk,
        places: &Places,
        (known, today, paid): (&[Resident], NaiveDate, [Month; 2]),
        planted: &mut deceits::Planted,
    ) -> anyhow::Result<()> {
        let began = std::time::Instant::now();
        let mut rows = synth::departments::rows(self.seed, known, today);
        let credited = deceits::credited(db, desk, places, paid[1]).await?;
        rows.insert("one_card", credited);
        let crowd = (known, people::WIDOW);
        let days = (paid[0], today);
        deceits::in_the_deliveries(db, desk, places, crowd, days, &mut rows, planted).await?;
        let husband = people::husbands_number(places.community, today)?;
        let widow = known.first().context("the family of the walkthrough")?;
        deliveries::of_the_widow(&mut rows, widow, &husband, today);
        let settings = self.settings();
        let (data, store) = (self.data.clone(), settings.landed());
        let (sources, keys) = (verify::at_hand::sources_of(&desk.book)?, db.keys().clone());
        let landing = move || deliveries::land(&data, &store, &sources, &keys, &rows, today);
        tokio::task::spawn_blocking(landing)
            .await
            .context("landing")??;
        planted.write(&self.data)?;
        tracing::info!(ms = began.elapsed().as_millis(), "departments' data landed");
        Ok(())
    }
}

fn create(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))
}

/// A demo is never poured into a house that has people.
async fn empty(db: &Db) -> anyhow::Result<()> {
    match accounts::scope_of(db, accounts::ACCOUNTS[0].login, access::Purpose::System).await {
        Ok(_) => {
            bail!("这个数据库已有数据，演示只能生成在空的数据库里 (the database is not empty)")
        }
        Err(_) => Ok(()),
    }
}
