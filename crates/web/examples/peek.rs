//! A desk to look at (看一眼): serves the pages over a throw-away database with a few officers and households.
//!
//! For whoever writes pages; the demonstration proper is made by the executable. `cargo run -p web --example peek`.

use access::{NewOfficer, PasswordCost, Role, Scope, officer};
use anyhow::{Context, anyhow};
use casework::Desk;
use registry::households::NewHousehold;
use registry::people::NewPerson;
use std::path::Path;
use std::sync::Arc;
use store::{Db, Keys, OffsetClock, Open, SystemClock};
use tokio::net::TcpListener;
use vocab::ids::PersonId;
use vocab::{Document, DocumentKind, Kinship, Region, Sex};
use web::{App, DemoAccount, WebConfig, serve};

const PASSWORD: &str = "Huang-Deng-27";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = std::env::temp_dir().join("huimin-peek");
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
    db.migrate(&casework::migrations()).await?;
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
    let listener = TcpListener::bind("127.0.0.1:8099").await?;
    serve(app, listener, async {
        let _ = tokio::signal::ctrl_c().await;
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
    tx.commit().await
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
        phone: Some(format!("138001380{order:02}")),
        hukou: Some("990101".parse()?),
        lives_in: at,
        address: "幸福路".into(),
    };
    Ok(registry::register_person(tx, scope, new).await??)
}
