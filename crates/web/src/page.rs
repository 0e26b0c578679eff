//! The frame around every page (页面框架): where am I, who am I, where can I go, what is today.
//!
//! A page gives a title and a body; the frame adds the rail of the visitor's roles, search, the switches for language
//! and elder mode, and in the demonstration the banner with its clock. It works without any script.

use crate::locale::{Lang, key};
use crate::nav;
use crate::parts::form::FieldError;
use crate::parts::format;
use crate::visit::{Look, Theme, Visit};
use crate::{assets, words};
use access::Permission;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// A page being made (页面).
pub struct Sheet<'a> {
    visit: &'a Visit,
    title: String,
    nav: &'static str,
    acts: Markup,
    trail: Vec<(String, String)>,
    errors: &'a [FieldError],
    status: StatusCode,
    note: Option<Markup>,
    wide: bool,
    quiet: bool,
    wall: bool,
    look: Look,
}

impl<'a> Sheet<'a> {
    /// A page with a title (页面).
    pub fn new(visit: &'a Visit, title: impl Into<String>) -> Self {
        Self {
            visit,
            title: title.into(),
            nav: "",
            acts: html! {},
            trail: Vec::new(),
            errors: &[],
            status: StatusCode::OK,
            note: None,
            wide: false,
            quiet: false,
            wall: false,
            look: visit.look,
        }
    }

    /// Which entry of the rail is lit (所在栏目), by its path.
    pub fn nav(mut self, path: &'static str) -> Self {
        self.nav = path;
        self
    }

    /// What can be done with the page as a whole, beside its title (页面按钮).
    pub fn acts(mut self, acts: Markup) -> Self {
        self.acts = acts;
        self
    }

    /// The way back (返回路径): links above the title, the nearest last.
    pub fn back(mut self, href: impl Into<String>, label: impl Into<String>) -> Self {
        self.trail.push((href.into(), label.into()));
        self
    }

    /// The faults of a form (填写错误): summary on top, title begins 错误, status 422.
    pub fn errors(mut self, errors: &'a [FieldError]) -> Self {
        self.errors = errors;
        if !errors.is_empty() {
            self.status = StatusCode::UNPROCESSABLE_ENTITY;
        }
        self
    }

    /// A word about what was just done (提示).
    pub fn note(mut self, note: Option<Markup>) -> Self {
        self.note = note;
        self
    }

    /// Another status than 200 (状态码).
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Uses the whole width (宽页面), for tables.
    pub fn wide(mut self) -> Self {
        self.wide = true;
        self
    }

    /// Leaves rail and search out (简洁页面), for signing in and for the public.
    pub fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }

    /// Fills the screen without the rail (大屏), for a wall; it asks nobody whether they are still there.
    pub fn wall(mut self) -> Self {
        self.wall = true;
        self
    }

    /// Another look than the visitor chose (显示方式), for showing it; `None` leaves his.
    pub fn look(mut self, look: Option<Look>) -> Self {
        self.look = look.unwrap_or(self.look);
        self
    }

    /// The finished page (输出页面).
    pub fn show(self, body: &Markup) -> Response {
        if self.visit.route.is_api() {
            return crate::api::act::instead_of_page(self.visit, &self.title, self.errors);
        }
        let status = self.status;
        let mut response = self.markup(body).into_response();
        *response.status_mut() = status;
        response
    }

    fn markup(&self, body: &Markup) -> Markup {
        let visit = self.visit;
        let lang = visit.lang;
        let product = lang.t("惠民");
        let wrong = if self.errors.is_empty() {
            ""
        } else {
            lang.t("错误：")
        };
        let framed = visit.signed.is_some() && !self.quiet;
        let theme = match self.look.theme {
            Some(Theme::Light) => Some("light"),
            Some(Theme::Dark) => Some("dark"),
            None => None,
        };
        html! {
            (DOCTYPE)
            html lang=(lang.tag()) data-size=[self.look.elder.then_some("elder")] data-theme=[theme] {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (wrong) (self.title) " · " (product) }
                    @if let Some(link) = assets::link("icon.svg") { link rel="icon" href=(link) type="image/svg+xml"; }
                    @if let Some(link) = assets::link("desk.css") { link rel="stylesheet" href=(link); }
                    meta name="htmx-config" content=(HTMX_CONFIG);
                    @if let Some(link) = assets::link(assets::HTMX) { script src=(link) defer {} }
                    @if let Some(link) = assets::link("desk.js") { script src=(link) defer {} }
                }
                body class=(if self.wall { "plain wall-page" } else if framed { "desk" } else { "plain" }) {
                    a.skip href="#main" { (lang.t("跳到正文")) }
                    (demo_banner(visit))
                    (self.top(framed))
                    div.shell {
                        @if framed && !self.wall { (nav::rail(visit, self.nav, &visit.counts)) }
                        main #main tabindex="-1" class=[self.wide.then_some("wide")] {
                            @if !self.errors.is_empty() { (crate::parts::form::summary(lang, self.errors)) }
                            @if !self.trail.is_empty() {
                                nav.trail aria-label=(lang.t("返回")) {
                                    @for (href, label) in &self.trail { a href=(href) { "‹ " (label) } }
                                }
                            }
                            div.title {
                                h1 { (self.title) }
                                div.acts { (self.acts) @if !framed { (aloud(lang)) } }
                            }
                            @if let Some(note) = &self.note { div.note role="status" { (note) } }
                            (body)
                        }
                    }
                    @if framed && !self.wall { (idle_warning(visit)) }
                    (footer(visit))
                }
            }
        }
    }

    fn top(&self, framed: bool) -> Markup {
        let visit = self.visit;
        let lang = visit.lang;
        let home = if framed { "/" } else { nav::PUBLIC_HOME };
        html! {
            header.top {
                a.brand href=(home) {
                    (mark())
                    span { (lang.t("惠民")) }
                    @if let Some(signed) = &visit.signed { small { (visit.place(signed.actor.region)) } }
                    @else { small { (visit.place(visit.app.desk.book.place().division)) } }
                }
                @if framed && visit.can(Permission::SearchPeople) {
                    form.search action="/search" method="get" role="search" {
                        input #q type="search" name="q" value=(visit_query(visit))
                            placeholder=(lang.t("搜索 姓名 / 拼音 / 证件尾号 / 手机尾号 / 办件号"))
                            aria-label=(lang.t("搜索")) autocomplete="off" maxlength="60";
                        kbd aria-hidden="true" { "/" }
                        button.plain type="submit" { (lang.t("搜索")) }
                    }
                }
                div.switches {
                    (switch(visit, "size", if visit.look.elder { "" } else { "elder" },
                        if visit.look.elder { lang.t("标准版") } else { lang.t("长辈版") }))
                    (switch(visit, "lang", if lang == Lang::Zh { "en" } else { "zh" },
                        if lang == Lang::Zh { "English" } else { "中文" }))
                    @if visit.signed.is_none() && !self.quiet {
                        a.button.plain href="/sign-in" { (lang.t("工作人员登录")) }
                    }
                }
                @if let Some(unread) = visit.counts.bell.filter(|_| framed) { (bell(lang, unread)) }
                @if let Some(signed) = &visit.signed {
                    details.user {
                        summary { span.name { (signed.actor.name) } }
                        div.menu {
                            ul.roles {
                                @for (role, region) in &signed.actor.roles {
                                    li { (words::role(lang, *role)) " · " (visit.place(*region)) }
                                }
                            }
                            a href="/account" { (lang.t("我的账号")) }
                            a href="/help" { (lang.t("帮助与快捷键")) }
                            (theme_switch(visit))
                            form method="post" action="/sign-out" {
                                (crate::parts::form::token(visit))
                                button.plain type="submit" { (lang.t("退出登录")) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// No evaluation of texts as script, no inline style: the content policy would refuse both.
const HTMX_CONFIG: &str = r#"{"allowEval":false,"includeIndicatorCSS":false,"history":false}"#;

fn visit_query(visit: &Visit) -> &str {
    if visit.route.path == "/search" {
        visit.query.get("q")
    } else {
        ""
    }
}

/// The mark of the product: two hands forming a roof.
fn mark() -> Markup {
    PreEscaped(
        "<svg class=mark viewBox='0 0 24 24' width='24' height='24' aria-hidden='true'>\
         <path d='M3 12 12 4l9 8' fill='none' stroke='currentColor' stroke-width='2.4' stroke-linecap='round' \
         stroke-linejoin='round'/><path d='M6 14c2 4 10 4 12 0' fill='none' stroke='currentColor' stroke-width='2.4' \
         stroke-linecap='round'/></svg>"
            .to_owned(),
    )
}

/// The bell (提醒) with what this officer has not seen.
fn bell(lang: Lang, unread: u64) -> Markup {
    let said = lang.f("提醒，{count} 条未读", &[("count", &unread)]);
    html! {
        a.button.plain.bell href="/notifications" aria-label=(said) {
            span { (lang.t("提醒")) }
            @if unread > 0 { span.count { (format::number(unread)) } }
        }
    }
}

/// Reads the page aloud (朗读), by the browser's own voice: shown by the script, and only where there is a voice.
fn aloud(lang: Lang) -> Markup {
    html! {
        button type="button" data-aloud=(lang.tag()) data-stop=(lang.t("停止朗读")) aria-pressed="false" hidden { (lang.t("朗读本页")) }
    }
}

/// A switch kept in a cookie: a form with one button, so that it works without script.
pub(crate) fn switch(visit: &Visit, name: &str, value: &str, label: &str) -> Markup {
    html! {
        form method="post" action="/preferences" {
            (crate::parts::form::token(visit))
            input type="hidden" name="back" value=(back_path(visit));
            button.plain type="submit" name=(name) value=(value) { (label) }
        }
    }
}

/// Where a switch leads back to: the page itself; after a refused form its GET path.
fn back_path(visit: &Visit) -> &str {
    if visit.route.verb == crate::routes::Verb::Get {
        &visit.here
    } else {
        "/"
    }
}

fn theme_switch(visit: &Visit) -> Markup {
    let lang = visit.lang;
    let choices = [
        ("", lang.t("跟随系统")),
        ("light", lang.t("浅色")),
        ("dark", lang.t("深色")),
    ];
    let chosen = match visit.look.theme {
        None => "",
        Some(Theme::Light) => "light",
        Some(Theme::Dark) => "dark",
    };
    html! {
        form.themes method="post" action="/preferences" aria-label=(lang.t("配色")) {
            (crate::parts::form::token(visit))
            input type="hidden" name="back" value=(back_path(visit));
            @for (value, label) in choices {
                button.plain type="submit" name="theme" value=(value) aria-pressed=(value == chosen) { (label) }
            }
        }
    }
}

/// The banner of the demonstration: that nothing here is real, and the clock that can be moved.
fn demo_banner(visit: &Visit) -> Markup {
    let lang = visit.lang;
    let place_is_demo = visit.app.desk.book.place().demo;
    if visit.app.config.demo.is_none() && !place_is_demo {
        return html! {};
    }
    html! {
        div.demo role="region" aria-label=(lang.t("演示数据")) {
            strong { (lang.t("演示数据")) }
            span { (lang.t("今天是")) " " (format::date_long(lang, visit.today())) }
            @if visit.app.config.demo.is_some() && visit.signed.is_some() {
                form method="post" action="/demo/clock" {
                    (crate::parts::form::token(visit))
                    input type="hidden" name="back" value=(back_path(visit));
                    @for (value, label) in CLOCK_STEPS {
                        button.plain type="submit" name="to" value=(value) { (lang.look(label)) }
                    }
                }
            }
        }
    }
}

/// How far the demonstration clock can be moved at once.
pub(crate) const CLOCK_STEPS: [(&str, &str); 3] = [
    ("day", key("前进1天")),
    ("week", key("前进7天")),
    ("month", key("到下月1日")),
];

/// Shown by the script two minutes before the session ends for want of use.
fn idle_warning(visit: &Visit) -> Markup {
    let minutes = visit.app.door.times.idle_minutes;
    html! {
        div.idle role="alertdialog" aria-label=(visit.t("快要自动退出了")) data-idle=(minutes) hidden {
            p { (visit.t("您有一会儿没操作，2 分钟后自动退出。填的内容不会丢。")) }
            button.primary type="button" { (visit.t("继续使用")) }
        }
    }
}

fn footer(visit: &Visit) -> Markup {
    let lang = visit.lang;
    html! {
        footer.foot {
            span { (lang.t("需要帮助？")) }
            a href="/help" { (lang.t("帮助")) }
            a href=(format!("tel:{}", visit.app.config.help_line)) {
                (lang.t("服务热线")) " " (visit.app.config.help_line)
            }
            span { (lang.t("找人帮办：到就近社区窗口，带身份证，可由他人代办")) }
            span.version { (lang.t("规则版本")) " " (visit.app.desk.book.version()) }
        }
    }
}
