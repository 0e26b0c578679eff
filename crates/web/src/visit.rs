//! One request as a page sees it (一次访问): who asks, in which language, with which fields.
//!
//! Made by [`crate::guard`] after the session, the permission and the origin were checked; a page function gets nothing
//! else, so it cannot forget them.

use crate::app::App;
use crate::fields::Fields;
use crate::locale::Lang;
use crate::nav::Counts;
use crate::page::Sheet;
use crate::problem::{Answer, Problem};
use crate::routes::{Need, Route};
use access::api_key::Keyed;
use access::{Actor, Permission, Purpose, Scope, Session, Signed};
use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use std::str::FromStr;
use vocab::Region;

/// How pages look for this visitor (显示方式), kept in cookies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Look {
    /// 长辈版: large text, large targets.
    pub elder: bool,
    /// A forced theme; `None` follows the system.
    pub theme: Option<Theme>,
}

/// A forced theme (配色).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// 浅色
    Light,
    /// 深色
    Dark,
}

/// A file sent with a form (上传的文件).
#[derive(Debug, Clone)]
pub struct Upload {
    /// The name of the form field.
    pub field: String,
    /// The file's name as the browser gave it; never used as a path.
    pub name: String,
    /// The content type the browser claimed; never believed.
    pub claimed_type: String,
    /// The content.
    pub bytes: Bytes,
}

/// One request as a page sees it (一次访问).
pub struct Visit {
    /// The application.
    pub app: App,
    /// The line of the route table this request came through.
    pub route: &'static Route,
    /// Who is signed in, with every factor shown.
    pub signed: Option<Signed>,
    /// A session waiting for its second factor; only the sign-in pages look at it.
    pub half_signed: Option<Signed>,
    /// The program that calls, with a key that holds.
    pub keyed: Option<Keyed>,
    /// For what purpose a program says it calls.
    pub purpose: Option<Purpose>,
    /// The word under which a program asks for an act once.
    pub word: Option<String>,
    /// The language.
    pub lang: Lang,
    /// How pages look.
    pub look: Look,
    /// The number of the request, on error pages and in logs.
    pub request_id: String,
    /// The network address it came from.
    pub address: String,
    /// The browser as it calls itself.
    pub device: String,
    /// The path and query asked for, to come back to.
    pub here: String,
    /// The named parts of the path.
    pub parts: Vec<(String, String)>,
    /// The query.
    pub query: Fields,
    /// The form.
    pub form: Fields,
    /// The files sent with the form.
    pub files: Vec<Upload>,
    /// The JSON body of an API request.
    pub json: Option<serde_json::Value>,
    /// The numbers of the rail.
    pub counts: Counts,
    /// Whether only a piece of a page is asked for, by htmx.
    pub partial: bool,
    /// Whether the visitor prefers JSON.
    pub wants_json: bool,
}

impl Visit {
    /// The question of somebody who asked earlier or by a form (代问): what lists and their files need, and nothing of a browser.
    pub(crate) fn asking(
        app: App,
        signed: Signed,
        lang: Lang,
        query: Fields,
        request_id: String,
    ) -> Self {
        Self {
            app,
            route: &crate::routes::NOWHERE,
            signed: Some(signed),
            half_signed: None,
            keyed: None,
            purpose: None,
            word: None,
            lang,
            look: Look::default(),
            request_id,
            address: String::new(),
            device: String::new(),
            here: String::new(),
            parts: Vec::new(),
            query,
            form: Fields::new(),
            files: Vec::new(),
            json: None,
            counts: Counts::default(),
            partial: false,
            wants_json: false,
        }
    }

    /// The text in the visitor's language (译文).
    pub fn t(&self, zh: &'static str) -> &'static str {
        // The key is checked where `t` is called; here it is only passed on.
        self.lang.t(zh)
    }

    /// Who is acting (操作人); the public when nobody is signed in.
    pub fn actor(&self) -> Actor {
        self.known().cloned().unwrap_or_else(Actor::public)
    }

    /// Who is signed in or calls with a key (已知操作人).
    pub(crate) fn known(&self) -> Option<&Actor> {
        let signed = self.signed.as_ref().map(|signed| &signed.actor);
        signed.or(self.keyed.as_ref().map(|keyed| &keyed.actor))
    }

    /// The purpose a program must state before it is told anything of people (所述事由).
    ///
    /// # Errors
    /// [`Problem::Invalid`] when it stated none.
    pub(crate) fn stated(&self) -> Result<Purpose, Problem> {
        self.purpose.clone().ok_or_else(|| {
            let sentence = self.t("读取个人资料要在 Huimin-Purpose 头里写明事由");
            Problem::about("Huimin-Purpose", sentence)
        })
    }

    /// The signed-in officer (已登录者).
    ///
    /// # Errors
    /// [`Problem::SignIn`].
    pub fn signed(&self) -> Result<&Signed, Problem> {
        self.signed.as_ref().ok_or(Problem::SignIn)
    }

    /// The scope of this visit (本次范围): the widest region in which the route's permission is held.
    ///
    /// # Errors
    /// [`Problem::Denied`] when the route's permission is not held; for a route that needs no permission, the region is
    /// the actor's own.
    pub fn scope(&self, purpose: Purpose) -> Result<Scope, Problem> {
        match self.route.need {
            Need::Holds(permission) => self.scope_for(permission, purpose),
            Need::SignedIn | Need::Public => {
                let actor = self.actor();
                Ok(Scope {
                    region: actor.region,
                    actor,
                    purpose,
                })
            }
        }
    }

    /// The scope for another permission than the route's (按权限取范围).
    ///
    /// # Errors
    /// [`Problem::Denied`].
    pub fn scope_for(&self, permission: Permission, purpose: Purpose) -> Result<Scope, Problem> {
        Ok(Scope::of(&self.actor(), permission, purpose)?)
    }

    /// Whether the visitor holds a permission anywhere (有无权限): for showing or leaving out a link, never for letting in.
    pub fn can(&self, permission: Permission) -> bool {
        self.known()
            .is_some_and(|actor| actor.region_of(permission).is_some())
    }

    /// A named part of the path (路径参数).
    pub fn part(&self, name: &str) -> &str {
        self.parts
            .iter()
            .find(|(n, _)| n == name)
            .map_or("", |(_, value)| value)
    }

    /// An identifier in the path (路径中的标识). Whatever is not one does not exist.
    ///
    /// # Errors
    /// [`Problem::NotFound`].
    pub fn id<T: FromStr>(&self, name: &str) -> Result<T, Problem> {
        self.part(name).parse().map_err(|_| Problem::NotFound)
    }

    /// Today in China (今天).
    pub fn today(&self) -> NaiveDate {
        self.app.db.today()
    }

    /// A page with a title (页面), to be filled and shown.
    pub fn page(&self, title: impl Into<String>) -> Sheet<'_> {
        Sheet::new(self, title)
    }

    /// Sends the visitor on to another page (转到) after something was done.
    ///
    /// # Errors
    /// None; the type fits the end of a page function.
    pub fn go(&self, to: &str) -> Answer {
        Ok(redirect(to))
    }

    /// The token every form of this session carries (防伪令牌).
    pub fn token(&self) -> String {
        let session = self.signed.as_ref().or(self.half_signed.as_ref());
        session.map_or_else(String::new, |signed| self.token_of(&signed.session))
    }

    /// The token of a session, for the page that follows right after signing in.
    pub(crate) fn token_of(&self, session: &Session) -> String {
        self.app
            .db
            .keys()
            .blind("web.csrf", &session.id.to_string())
    }

    /// The number of rows to skip and to show, from `?page=` (分页). Pages are counted from one.
    pub fn paging(&self, rows_a_page: u64) -> (u64, u64) {
        let page: u64 = self.query.get("page").parse().unwrap_or(1);
        (
            page.clamp(1, 1_000_000).saturating_sub(1) * rows_a_page,
            rows_a_page,
        )
    }

    /// The name of a place in the visitor's language (地名); its code when the pack does not know it.
    pub fn place(&self, region: Region) -> String {
        crate::words::place(self.lang, &self.app.desk.book, region)
    }
}

/// An answer that sends the browser on with GET (重定向).
pub fn redirect(to: &str) -> Response {
    let to = HeaderValue::from_str(to).unwrap_or_else(|_| HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}

/// A file to download (下载). The name may be Chinese.
pub fn download(name: &str, content_type: &'static str, bytes: Vec<u8>) -> Response {
    attachment("attachment", name, content_type, bytes)
}

/// A file to look at in the browser, such as a letter (在浏览器中打开).
pub fn inline(name: &str, content_type: &'static str, bytes: Vec<u8>) -> Response {
    attachment("inline", name, content_type, bytes)
}

fn attachment(how: &str, name: &str, content_type: &'static str, bytes: Vec<u8>) -> Response {
    let plain: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "-._".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    let disposition = format!(
        "{how}; filename=\"{plain}\"; filename*=UTF-8''{}",
        crate::fields::encoded(name)
    );
    let disposition = HeaderValue::from_str(&disposition)
        .unwrap_or_else(|_| HeaderValue::from_static("attachment"));
    (
        [
            (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
            (header::CONTENT_DISPOSITION, disposition),
        ],
        bytes,
    )
        .into_response()
}

/// A path to come back to that stays on this site (站内路径); anything else becomes `/`.
pub fn local_path(path: &str) -> &str {
    let local = path.starts_with('/')
        && !path.starts_with("//")
        && !path.starts_with("/\\")
        && !path.contains(['\r', '\n', '\\'])
        && !path.starts_with("/sign-");
    if local { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::local_path;

    #[test]
    fn nobody_is_sent_to_another_site() {
        for (asked, gone) in [
            ("/cases?q=1", "/cases?q=1"),
            ("//evil.example", "/"),
            ("/\\evil", "/"),
            ("https://evil.example", "/"),
            ("", "/"),
            ("/a\r\nSet-Cookie: x", "/"),
            ("/sign-out", "/"),
        ] {
            assert_eq!(local_path(asked), gone);
        }
    }
}
