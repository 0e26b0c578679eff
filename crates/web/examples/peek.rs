//! A desk to look at (看一眼): serves the pages over a throw-away database with a few officers and households.
//!
//! For whoever writes pages; the demonstration proper is made by the executable. `cargo run -p web --example peek [ADDRESS]`;
//! everything lies in the folder for temporary files.

use access::{Actor, NewOfficer, PasswordCost, Purpose, Role, Scope, officer};
use anyhow::{Context, anyhow};
use casework::Desk;
use ledger::{NewEntitlement, NewPayRun};
use registry::accounts::{Account, AccountKind};
use registry::households::NewHousehold;
use registry::people::NewPerson;
use registry::places::{PlaceRow, load_places};
use std::path::Path;
use std::sync::Arc;
use store::{Db, Keys, OffsetClock, Open, SystemClock};
use tokio::net::TcpListener;
use vocab::ids::{DecisionId, PersonId};
use vocab::{Document, DocumentKind, Kinship, Money, Month, Region, Sex};
use web::{App, DemoAccount, WebConfig, serve};

const PASSWORD: &str = "Huang-Deng-27";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let at = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:8099".to_owned());
    let folder = std::env::temp_dir().join(format!("huimin-peek-{}", at.replace(':', "-")));
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    let clock = Arc::new(OffsetClock::open(
        &folder.join("clock"),
        Arc::new(SystemClock),
    )?);
    let db = Db::open(Open {
        url: format!("sqlite://{}", folder.join("peek.db").display()),
        keys: Keys::for_tests(),
        clock: clock.clone(),
        seed: None,
        files: folder.join("files"),
    })
    .await?;
    let mut migrations = batch::migrations();
    migrations.extend(exchange::MIGRATIONS.iter().copied());
    migrations.extend(verify::MIGRATIONS.iter().copied());
    db.migrate(&migrations).await?;
    let packs = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../packs"));
    let desk = Desk::load(packs, "sample").map_err(|faults| anyhow!("{faults:#?}"))?;
    let config = WebConfig {
        demo: Some(clock),
        secure: false,
        password_cost: PasswordCost::MODEST,
        demo_accounts: accounts(),
        ..WebConfig::default()
    };
    let app = App::new(db.clone(), Arc::new(desk), config)?;
    fill(&app).await.context("filling the desk")?;
    let listener = TcpListener::bind(at).await?;
    serve(app, listener, async {
        drop(tokio::signal::ctrl_c().await);
    })
    .await
}

fn accounts() -> Vec<DemoAccount> {
    [
        ("chuangkou", "窗口人员", "Window officer"),
        ("shenhe", "街道审核", "Street reviewer"),
        ("shenpi", "区级审批", "District approver"),
        ("caiwu", "财务", "Finance"),
        ("shenji", "审计", "Auditor"),
        ("guanli", "系统管理员", "Administrator"),
        ("guize", "政策规则人员", "Rule officer"),
    ]
    .map(|(login, zh, en)| DemoAccount {
        login: login.into(),
        password: PASSWORD.into(),
        what_zh: zh.into(),
        what_en: en.into(),
    })
    .to_vec()
}

async fn fill(app: &App) -> anyhow::Result<()> {
    let scope = Scope::system(Region::NATION);
    let place = app.desk.book.place();
    let street = place
        .regions
        .iter()
        .map(|known| known.code)
        .find(|code| code.level() == vocab::region::Level::Street);
    let street = street.context("a street")?;
    let community = place
        .regions
        .iter()
        .map(|known| known.code)
        .find(|code| street.holds(*code) && *code != street)
        .context("a community")?;
    let mut tx = app.db.begin().await?;
    for (account, role) in app.config.demo_accounts.iter().zip(Role::ALL) {
        let new = NewOfficer {
            login: account.login.clone(),
            name: format!("王{}", account.what_zh),
            person_number: None,
            must_change: false,
        };
        let id = officer::create_officer(&mut tx, &scope, &app.door, new, PASSWORD).await??;
        let region = match role {
            Role::WindowOfficer | Role::StreetReviewer => street,
            _ => place.division,
        };
        officer::grant_role(&mut tx, &scope, id, role, region).await??;
    }
    for (at, (head, others)) in [
        (
            "张桂芳",
            vec![("张小明", "20120305", "41"), ("张小红", "20150811", "42")],
        ),
        ("李建国", vec![("王秀英", "19560712", "12")]),
        ("陈𬱖", vec![]),
    ]
    .into_iter()
    .enumerate()
    {
        let at = u32::try_from(at)?;
        let head = person(&mut tx, &scope, head, "19540101", at * 10 + 2, community).await?;
        let mut members = Vec::new();
        for (order, (name, born, kinship)) in others.into_iter().enumerate() {
            let order = at * 10 + 3 + u32::try_from(order)?;
            members.push((
                person(&mut tx, &scope, name, born, order, community).await?,
                Kinship::read(kinship)?,
            ));
        }
        let new = NewHousehold {
            region: community,
            address: format!("幸福路 {} 号 302 房", at + 1),
            head,
            members,
            since: None,
            roster_number: None,
        };
        registry::form_household(&mut tx, &scope, new).await??;
    }
    places(app, &mut tx).await?;
    tx.commit().await?;
    payments(app, community).await
}

/// The places of the pack, so that rosters can name communities.
async fn places(app: &App, tx: &mut store::Tx) -> anyhow::Result<()> {
    let rows: Vec<PlaceRow> = app
        .desk
        .book
        .place()
        .regions
        .iter()
        .map(|known| PlaceRow {
            code: known.code,
            name_zh: known.name_zh.clone(),
            name_en: Some(known.name_en.clone()),
            parent: known.parent,
            from: known.from,
            until: known.until,
        })
        .collect();
    load_places(tx, &rows).await
}

/// Some dozens entitled, last month released and sent, this month proposed.
async fn payments(app: &App, community: Region) -> anyhow::Result<()> {
    let scope = Scope::system(Region::NATION);
    let today = app.db.today();
    let before = Month::of(today).previous();
    let programmes = app.desk.book.programmes();
    let names = "陈桂兰 李秀珍 王建华 张美玲 刘志强 黄丽华 周国平 吴玉梅 徐文斌 孙晓燕 胡长根 朱凤英 高德明 林彩霞 何永福 郭春梅";
    let mut tx = app.db.begin().await?;
    for (at, name) in names.split(' ').enumerate() {
        let order = u32::try_from(at)?;
        let who = person(&mut tx, &scope, name, "19510101", order * 7 + 3, community).await?;
        if at % 5 != 4 {
            let account = Account {
                bank: "农村商业银行".to_owned(),
                number: format!("12345678{:04}", 1000 + order),
                holder: name.to_owned(),
                kind: AccountKind::Passbook,
                agreement: None,
            };
            registry::accounts::set_account(&mut tx, &scope, who, account).await??;
        }
        let programme = &programmes[at % programmes.len()];
        let new = NewEntitlement {
            decision: DecisionId(tx.new_id()),
            programme: programme.id.clone(),
            payee: who,
            household: None,
            region: community,
            amount: Money::from_fen(20_000 + i64::from(order) * 7_500),
            covered: vec![who],
            from: if at % 4 == 0 {
                Month::of(today)
            } else {
                before
            },
            until: (at % 7 == 6).then(|| Month::of(today)),
            excludes: Vec::new(),
            part: String::new(),
        };
        ledger::entitle(&mut tx, &scope, &new).await??;
    }
    tx.commit().await?;
    let officer = async |login: &str| -> anyhow::Result<Scope> {
        let found = officer::by_login(&app.db, login)
            .await?
            .context("an account")?;
        let actor = Actor::officer(found.id, found.name, found.roles);
        Ok(Scope {
            region: actor.region,
            actor,
            purpose: Purpose::Payment,
        })
    };
    let (finance, approver) = (officer("caiwu").await?, officer("shenpi").await?);
    for month in [before, Month::of(today)] {
        let new = NewPayRun {
            month,
            region: app.desk.book.place().division,
            programmes: None,
        };
        let concerned = ledger::concerned(&app.db, &finance, &new).await?;
        let blocked = exchange::blocked(&app.db, &finance, &concerned).await?;
        let mut tx = app.db.begin().await?;
        let run = ledger::propose(&mut tx, &finance, &new, &blocked).await??;
        tx.commit().await?;
        if month == before {
            ledger::release(&app.db, &approver, run.id, "peek", &blocked).await??;
        }
    }
    Ok(())
}

async fn person(
    tx: &mut store::Tx,
    scope: &Scope,
    name: &str,
    born: &str,
    order: u32,
    at: Region,
) -> anyhow::Result<PersonId> {
    let seventeen = format!("440306{born}{order:03}");
    let check = vocab::id_number::check_digit(&seventeen).context("seventeen digits")?;
    let document = Document::read(
        DocumentKind::ResidentId,
        &format!("{seventeen}{check}"),
        tx.today(),
    )?;
    let new = NewPerson {
        name: name.into(),
        sex: document.sex().unwrap_or(Sex::Unknown),
        birth_date: document.birth_date(),
        document,
        phone: Some(format!("1380013{order:04}")),
        hukou: Some("990101".parse()?),
        lives_in: at,
        address: "幸福路".into(),
    };
    Ok(registry::register_person(tx, scope, new).await??)
}
