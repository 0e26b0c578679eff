//! The one table of all pages (路由表): verb, path, who may, what it is for, which function.
//!
//! The router is made by walking this table, so there is no page without a stated need, and the list of endpoints for
//! review is the same table printed ([`approved_endpoints`]). To add a page see docs/guides/add-a-page.md.

use crate::api::act::Act;
use crate::api::list::Readable;
use crate::api::openapi::Own;
use crate::app::App;
use crate::problem::Answer;
use crate::visit::Visit;
use crate::{guard, pages, server};
use access::Permission as P;
use axum::Router;
use axum::extract::Request;
use axum::routing::{MethodFilter, on};
use std::fmt::Write as _;
use std::pin::Pin;
use std::time::Duration;

use Need::{Holds, Public, SignedIn};

/// Who may come in (准入).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Anybody, signed in or not.
    Public,
    /// Any officer who is signed in.
    SignedIn,
    /// An officer who holds this permission somewhere; the page narrows every query to that region.
    Holds(P),
}

/// What is done (动词). GET changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// 读
    Get,
    /// 办
    Post,
}

impl Verb {
    /// As HTTP writes it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// What a posting route takes (请求体).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// A form.
    Form,
    /// A form with files.
    Upload,
    /// JSON.
    Json,
}

impl Body {
    pub(crate) const fn limit(self) -> usize {
        match self {
            Self::Form => 512 * 1024,
            Self::Upload => 20 * 1024 * 1024,
            Self::Json => 1024 * 1024,
        }
    }

    pub(crate) const fn patience(self) -> Duration {
        match self {
            Self::Form | Self::Json => Duration::from_secs(30),
            Self::Upload => Duration::from_secs(300),
        }
    }
}

/// The future a page function gives.
pub type Coming<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// A line of the table (一条路由).
#[derive(Debug)]
pub struct Route {
    /// What is done.
    pub verb: Verb,
    /// The path, with `{names}` for its parts.
    pub path: &'static str,
    /// Who may.
    pub need: Need,
    /// What is sent along.
    pub body: Body,
    /// What it is for, in Chinese, for the list of endpoints.
    pub what: &'static str,
    /// The page function.
    pub page: for<'a> fn(&'a Visit) -> Coming<'a>,
    slow: bool,
    told: Told,
}

/// What a line of the table is to programs (程序接口说明).
#[derive(Clone, Copy)]
pub(crate) enum Told {
    /// A page; nothing to programs.
    Page,
    /// Something read.
    Read(&'static dyn Readable),
    /// An act.
    Act(&'static Act),
    /// Something that describes itself.
    Own(&'static Own),
}

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Page => "page",
            Self::Read(one) => one.name(),
            Self::Act(one) => one.name,
            Self::Own(one) => one.name,
        })
    }
}

impl Route {
    /// A page that only reads (读取页面).
    pub const fn get(
        path: &'static str,
        need: Need,
        what: &'static str,
        page: for<'a> fn(&'a Visit) -> Coming<'a>,
    ) -> Self {
        Self {
            verb: Verb::Get,
            path,
            need,
            body: Body::Form,
            what,
            page,
            slow: false,
            told: Told::Page,
        }
    }

    /// An act, sent by a form (提交表单).
    pub const fn post(
        path: &'static str,
        need: Need,
        what: &'static str,
        page: for<'a> fn(&'a Visit) -> Coming<'a>,
    ) -> Self {
        Self {
            verb: Verb::Post,
            path,
            need,
            body: Body::Form,
            what,
            page,
            slow: false,
            told: Told::Page,
        }
    }

    /// The same, taking files along (可上传文件).
    pub const fn with_files(self) -> Self {
        Self {
            body: Body::Upload,
            ..self
        }
    }

    /// The same, taking JSON.
    pub const fn with_json(self) -> Self {
        Self {
            body: Body::Json,
            ..self
        }
    }

    /// Something programs read (程序读取).
    const fn read(
        path: &'static str,
        need: Need,
        what: &'static str,
        one: &'static dyn Readable,
    ) -> Self {
        let told = Told::Read(one);
        Self {
            told,
            ..Self::get(path, need, what, |visit| match visit.route.told {
                Told::Read(one) => one.answer(visit),
                _ => Box::pin(async { Err(crate::problem::Problem::NotFound) }),
            })
        }
    }

    /// An act of a page, done by programs (程序办理): the same function, the fields as JSON.
    const fn act_of(
        path: &'static str,
        need: Need,
        what: &'static str,
        act: &'static Act,
        page: for<'a> fn(&'a Visit) -> Coming<'a>,
    ) -> Self {
        Self {
            told: Told::Act(act),
            body: Body::Json,
            ..Self::post(path, need, what, page)
        }
    }

    /// The same, with a description of its own.
    const fn described(self, own: &'static Own) -> Self {
        Self {
            told: Told::Own(own),
            ..self
        }
    }

    pub(crate) const fn told(&self) -> Told {
        self.told
    }

    /// The act programs do here, if it is one.
    pub(crate) const fn act(&self) -> Option<&'static Act> {
        match self.told {
            Told::Act(act) => Some(act),
            _ => None,
        }
    }

    /// The same, allowed to take two minutes instead of thirty seconds (耗时操作).
    pub const fn slow(self) -> Self {
        Self { slow: true, ..self }
    }

    pub(crate) const fn patience(&self) -> Duration {
        Duration::from_secs(if self.slow { 120 } else { 30 })
    }

    /// Whether programs and not people come here.
    pub fn is_api(&self) -> bool {
        self.path.starts_with("/api/")
    }
}

/// Wraps an `async fn page(visit: &Visit) -> Answer` for the table.
macro_rules! page {
    ($($function:tt)+) => {
        |visit| Box::pin($($function)+(visit))
    };
}

mod account;
mod cases;
mod law;
mod lists;
mod money;
mod oversight;
mod people;
mod population;
mod programs;
mod public;

/// The route of all paths of the interface nobody knows.
pub(crate) static NOWHERE_API: Route =
    Route::get("/api/", Public, "无此接口", page!(pages::nowhere::show));

/// The path of the open rule book, which has an allowance of its own.
pub(crate) const EVALUATE: &str = "/api/v1/evaluate";

/// The route of all paths nobody knows.
pub(crate) static NOWHERE: Route = Route::get("", Public, "无此页面", page!(pages::nowhere::show));

/// The one table of all pages (路由表), area by area.
static AREAS: &[&[Route]] = &[
    account::ROUTES,
    lists::ROUTES,
    people::ROUTES,
    cases::ROUTES,
    population::ROUTES,
    money::ROUTES,
    law::ROUTES,
    oversight::ROUTES,
    public::ROUTES,
    programs::ROUTES,
];

/// Every line of the table (全部路由).
pub fn routes() -> impl Iterator<Item = &'static Route> {
    AREAS.iter().copied().flatten()
}

/// The router over the table (路由器).
pub fn router(app: App) -> Router {
    let mut router = Router::new();
    for route in routes() {
        let filter = match route.verb {
            Verb::Get => MethodFilter::GET,
            Verb::Post => MethodFilter::POST,
        };
        let app = app.clone();
        let answer = move |request: Request| guard::answer(app.clone(), route, request);
        router = router.route(route.path, on(filter, answer));
    }
    let wrong = app.clone();
    let router = router.method_not_allowed_fallback(move |request: Request| {
        guard::wrong_verb(wrong.clone(), request)
    });
    let lost = app.clone();
    let router = router.fallback(move |request: Request| guard::nowhere(lost.clone(), request));
    server::layers(router, &app)
}

/// The list of endpoints and permissions for review, as Markdown (接口与权限清单).
pub fn approved_endpoints() -> String {
    let mut list = String::from(
        "# Endpoints and permissions\n\nGenerated from `web::ROUTES` and `access::TABLE`; reviewed, never edited by hand.\n\n\
         | verb | path | need | roles | what |\n|---|---|---|---|---|\n",
    );
    let mut routes: Vec<&Route> = routes().collect();
    routes.sort_by_key(|route| (route.path, route.verb));
    for route in routes {
        let (need, roles) = match route.need {
            Public => ("public".to_owned(), "anybody".to_owned()),
            SignedIn => ("signed in".to_owned(), "all".to_owned()),
            Holds(permission) => {
                let roles: Vec<&str> = permission.roles().iter().map(|role| role.code()).collect();
                (permission.code(), roles.join(", "))
            }
        };
        // Writing into a String cannot fail.
        let _ = writeln!(
            list,
            "| {} | `{}` | {need} | {roles} | {} |",
            route.verb.text(),
            route.path,
            route.what
        );
    }
    list
}

#[cfg(test)]
mod tests {
    use super::{Verb, approved_endpoints, routes};
    use std::collections::BTreeSet;

    #[test]
    fn what_asks_again_takes_no_files() {
        for route in routes() {
            if let super::Holds(permission) = route.need {
                let asks = permission.asks_again() && route.verb == Verb::Post;
                assert!(!asks || route.body == super::Body::Form, "{}", route.path);
            }
        }
    }

    #[test]
    fn what_only_a_person_may_do_is_not_given_to_programs() {
        for route in routes().filter(|route| route.is_api()) {
            if let super::Holds(permission) = route.need {
                assert!(access::api_key::may_be_given(permission), "{}", route.path);
            }
            assert!(!matches!(route.told, super::Told::Page), "{}", route.path);
        }
    }

    #[test]
    fn every_route_stands_once_and_says_what_it_is_for() {
        let once: BTreeSet<(&str, Verb)> = routes().map(|route| (route.path, route.verb)).collect();
        assert_eq!(once.len(), routes().count());
        for route in routes() {
            assert!(
                route.path.starts_with('/') && !route.what.is_empty(),
                "{}",
                route.path
            );
        }
        assert_eq!(approved_endpoints().lines().count(), routes().count() + 6);
    }
}
