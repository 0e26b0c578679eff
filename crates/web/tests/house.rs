//! A whole house for tests of pages (页面测试): a database with officers, people and a case, and a browser without script.
//!
//! Used by the other files of this folder through `mod house;`. Pages are asked through the router itself; nothing is
//! pretended but the network.

#![allow(dead_code, reason = "each test file uses a part of the house")]
#![expect(clippy::unwrap_used, reason = "integration tests fail by panicking")]

use access::{Door, NewOfficer, PasswordCost, Role, Scope, officer};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use casework::Desk;
use casework::rulebook::Shelf;
use registry::households::NewHousehold;
use registry::people::NewPerson;
use std::path::Path;
use std::sync::Arc;
use store::Db;
use tower::ServiceExt;
use vocab::ids::{HouseholdId, PersonId};
use vocab::{Document, DocumentKind, Kinship, Region, Sex};
use web::{App, WebConfig, router};

/// The password of every officer of the house.
pub const PASSWORD: &str = "Street-Lamp-27";

/// The community most things happen in, its sister, and a community of another street.
pub const HERE: &str = "990101001001";
/// The sister community in the same street.
pub const BESIDE: &str = "990101001002";
/// A community of another street.
pub const THERE: &str = "990101002001";

/// Reads a division code.
pub fn region(code: &str) -> Region {
    code.parse().unwrap()
}

/// All migrations the pages need.
pub fn migrations() -> Vec<store::Migration> {
    let mut all = batch::migrations();
    all.extend(exchange::MIGRATIONS.iter().copied());
    all.extend(verify::MIGRATIONS.iter().copied());
    all.extend(notify::MIGRATIONS.iter().copied());
    all
}

/// The house: its router and the database behind it.
pub struct House {
    /// The pages.
    pub router: Router,
    /// The application.
    pub app: App,
}

/// The packs of the repository.
fn packs() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../packs"))
}

/// The desk of the invented county.
fn desk() -> Arc<Desk> {
    static DESK: std::sync::OnceLock<Arc<Desk>> = std::sync::OnceLock::new();
    Arc::clone(DESK.get_or_init(|| {
        Arc::new(Desk::load(packs(), "sample").unwrap_or_else(|faults| {
            let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
            panic!("the packs have faults:\n{}", told.join("\n"))
        }))
    }))
}

impl House {
    /// A house over a fresh database.
    pub async fn over(db: Db) -> Self {
        Self::with(db, WebConfig::default()).await
    }

    /// A house with other settings.
    pub async fn with(db: Db, config: WebConfig) -> Self {
        Self::ruled_by(db, desk(), config).await
    }

    /// A house with the rules of another place.
    pub async fn ruled_by(db: Db, desk: Arc<Desk>, config: WebConfig) -> Self {
        Self::written_by(db, Shelf::still(desk), config).await
    }

    /// A house whose rules officers write.
    pub async fn written_by(db: Db, shelf: Shelf, config: WebConfig) -> Self {
        let config = WebConfig {
            secure: false,
            password_cost: PasswordCost::FOR_TESTS,
            requests_a_minute: 1_000_000,
            ..config
        };
        let app = App::over(db, shelf, config).unwrap();
        Self {
            router: router(app.clone()),
            app,
        }
    }

    /// An officer with roles.
    pub async fn officer(&self, login: &str, roles: &[(Role, &str)]) -> vocab::ids::OfficerId {
        let scope = Scope::system(Region::NATION);
        let door: &Door = &self.app.door;
        let mut tx = self.app.db.begin().await.unwrap();
        let new = NewOfficer {
            login: login.into(),
            name: format!("官员{login}"),
            person_number: None,
            must_change: false,
        };
        let id = officer::create_officer(&mut tx, &scope, door, new, PASSWORD)
            .await
            .unwrap()
            .unwrap();
        for (role, code) in roles {
            officer::grant_role(&mut tx, &scope, id, *role, region(code))
                .await
                .unwrap()
                .unwrap();
        }
        tx.commit().await.unwrap();
        id
    }

    /// A person living in a community.
    pub async fn person(&self, name: &str, number: &str, at: &str) -> PersonId {
        let scope = Scope::system(Region::NATION);
        let today = self.app.db.today();
        let document = Document::read(DocumentKind::ResidentId, number, today).unwrap();
        let mut tx = self.app.db.begin().await.unwrap();
        let new = NewPerson {
            name: name.into(),
            sex: document.sex().unwrap_or(Sex::Unknown),
            birth_date: document.birth_date(),
            document,
            phone: Some("13800138000".into()),
            hukou: Some(region("990101")),
            lives_in: region(at),
            address: "幸福路 1 号".into(),
        };
        let id = registry::register_person(&mut tx, &scope, new)
            .await
            .unwrap()
            .unwrap();
        tx.commit().await.unwrap();
        id
    }

    /// A household of a head and others.
    pub async fn household(
        &self,
        head: PersonId,
        others: &[(PersonId, &str)],
        at: &str,
    ) -> HouseholdId {
        let scope = Scope::system(Region::NATION);
        let mut tx = self.app.db.begin().await.unwrap();
        let new = NewHousehold {
            region: region(at),
            address: "幸福路 1 号".into(),
            head,
            members: others
                .iter()
                .map(|(id, kin)| (*id, Kinship::read(kin).unwrap()))
                .collect(),
            since: None,
            roster_number: None,
        };
        let id = registry::form_household(&mut tx, &scope, new)
            .await
            .unwrap()
            .unwrap();
        tx.commit().await.unwrap();
        id
    }

    /// A browser at the door.
    pub fn browser(&self) -> Browser {
        Browser {
            router: self.router.clone(),
            cookies: Vec::new(),
            last: String::new(),
        }
    }

    /// A browser of an officer who has signed in.
    pub async fn signed_in(&self, login: &str) -> Browser {
        let mut browser = self.browser();
        let answer = browser
            .post("/sign-in", &[("login", login), ("password", PASSWORD)])
            .await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        browser
    }
}

/// An identity number with the right check digit, born on a day.
pub fn id_number(born: &str, order: u32) -> String {
    let seventeen = format!("440306{born}{order:03}");
    format!(
        "{seventeen}{}",
        vocab::id_number::check_digit(&seventeen).unwrap()
    )
}

/// A browser without script: keeps cookies, sends forms with the token of the page it has seen last.
pub struct Browser {
    router: Router,
    cookies: Vec<(String, String)>,
    last: String,
}

/// An answer.
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: axum::http::HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Where the answer leads.
    pub fn location(&self) -> String {
        self.headers
            .get(header::LOCATION)
            .map_or_else(String::new, |to| to.to_str().unwrap().to_owned())
    }

    /// Whether the body holds a text.
    pub fn holds(&self, text: &str) -> bool {
        self.text().contains(text)
    }
}

impl Browser {
    async fn send(&mut self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        for line in parts.headers.get_all(header::SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !line.contains("Max-Age=0") {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        let body = to_bytes(body, 64 << 20).await.unwrap().to_vec();
        let answer = Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        };
        if answer
            .headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
        {
            self.last = answer.text();
        }
        answer
    }

    fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "huimin.test")
            .header(header::COOKIE, cookies.join("; "))
    }

    /// The token in the page seen last.
    pub fn token(&self) -> String {
        let mark = "name=\"csrf\" value=\"";
        self.last
            .find(mark)
            .and_then(|at| self.last[at + mark.len()..].split('"').next())
            .unwrap_or("")
            .to_owned()
    }

    /// Opens a page.
    pub async fn get(&mut self, path: &str) -> Answer {
        let request = self.request("GET", path).body(Body::empty()).unwrap();
        self.send(request).await
    }

    /// Opens a page and follows where it leads, at most five times.
    pub async fn follow(&mut self, path: &str) -> Answer {
        let mut to = path.to_owned();
        for _ in 0..5 {
            let answer = self.get(&to).await;
            if !answer.status.is_redirection() {
                return answer;
            }
            to = answer.location();
        }
        panic!("{path} leads in a circle");
    }

    /// Sends a form with the token of the page seen last; a browser without a page opens the sign-in page first.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        if self.last.is_empty() {
            self.get("/sign-in").await;
        }
        if self.token().is_empty() {
            self.get("/help").await;
        }
        let token = self.token();
        let mut form = web::fields::Fields::new();
        form.push("csrf", token);
        for (name, value) in fields {
            form.push(*name, *value);
        }
        self.post_raw(path, &form).await
    }

    /// Sends a form exactly as given.
    pub async fn post_raw(&mut self, path: &str, form: &web::fields::Fields) -> Answer {
        let body = form
            .iter()
            .map(|(name, value)| {
                format!(
                    "{}={}",
                    web::fields::encoded(name),
                    web::fields::encoded(value)
                )
            })
            .collect::<Vec<_>>()
            .join("&");
        let request = self
            .request("POST", path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, "http://huimin.test")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(body))
            .unwrap();
        self.send(request).await
    }

    /// Sends a form with one file.
    pub async fn upload(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        file: (&str, &str, &[u8]),
    ) -> Answer {
        let mut body = Vec::new();
        let token = self.token();
        for (name, value) in fields.iter().copied().chain([("csrf", token.as_str())]) {
            body.extend_from_slice(
                format!(
                    "--LINE\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
                )
                .as_bytes(),
            );
        }
        let (field, name, bytes) = file;
        body.extend_from_slice(
            format!(
                "--LINE\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\n"
            )
            .as_bytes(),
        );
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n--LINE--\r\n");
        let request = self
            .request("POST", path)
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=LINE")
            .header(header::ORIGIN, "http://huimin.test")
            .body(Body::from(body))
            .unwrap();
        self.send(request).await
    }

    /// Sends JSON without any cookie.
    pub async fn json(&mut self, path: &str, json: &serde_json::Value) -> Answer {
        let request = Request::builder()
            .method("POST")
            .uri(path)
            .header(header::HOST, "huimin.test")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(json.to_string()))
            .unwrap();
        self.send(request).await
    }

    /// Sends any request.
    pub async fn raw(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = self.request(method, path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        self.send(request).await
    }

    /// The first value of an attribute in the page seen last, after a marker text.
    pub fn find(&self, after: &str, until: char) -> Option<String> {
        let at = self.last.find(after)?;
        self.last[at + after.len()..]
            .split(until)
            .next()
            .map(str::to_owned)
    }

    /// The page seen last.
    pub fn page(&self) -> &str {
        &self.last
    }
}
