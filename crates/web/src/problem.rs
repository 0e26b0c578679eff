//! When a page cannot be given (出错时): an answer that says what to do next, with the number of the request.
//!
//! For people a page, for `/api` a problem as RFC 9457 writes it, with our code, the fields at fault and the number of the
//! request. A fault is logged once, here, without anything personal; the visitor never sees its inside.

use crate::locale::Lang;
use crate::page;
use crate::parts::form::FieldError;
use crate::visit::Visit;
use access::Denied;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::html;
use serde_json::json;

/// What a page function gives back (回应).
pub type Answer = Result<Response, Problem>;

/// Why a page cannot be given (问题).
#[derive(Debug)]
pub enum Problem {
    /// There is no such thing, or the visitor may not know that there is.
    NotFound,
    /// Nobody is signed in.
    SignIn,
    /// The role or the region is missing.
    Denied(Denied),
    /// The request came from another site, or its form grew old.
    Forged,
    /// Somebody else changed the thing meanwhile, or the act is no longer possible; a sentence for people.
    Conflict(String),
    /// The request cannot be understood; a sentence for people, and the field it is about.
    Invalid {
        /// What is wrong and what to do.
        sentence: String,
        /// The field, if it is one field.
        field: Option<String>,
    },
    /// Several fields are at fault, each with its sentence.
    Faults(Vec<FieldError>),
    /// Something else than JSON was sent to the interface for programs.
    NotJson,
    /// The path is there, but not for this verb.
    WrongVerb,
    /// More was sent than is taken.
    TooLarge,
    /// Asked too often; seconds to wait.
    TooMany(i64),
    /// It took too long.
    TooSlow,
    /// Something is broken.
    Fault(anyhow::Error),
}

impl From<anyhow::Error> for Problem {
    fn from(fault: anyhow::Error) -> Self {
        Self::Fault(fault)
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        match denied {
            // Outside the region not even the existence of a thing is told.
            Denied::Elsewhere => Self::NotFound,
            Denied::NotSignedIn => Self::SignIn,
            role @ Denied::NoRole(_) => Self::Denied(role),
        }
    }
}

impl Problem {
    /// A request that cannot be understood (请求有误).
    pub fn invalid(sentence: impl Into<String>) -> Self {
        Self::Invalid {
            sentence: sentence.into(),
            field: None,
        }
    }

    /// A request wrong in one field (某项有误).
    pub fn about(field: &str, sentence: impl Into<String>) -> Self {
        Self::Invalid {
            sentence: sentence.into(),
            field: Some(field.to_owned()),
        }
    }

    /// The status of the answer (状态码).
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::SignIn => StatusCode::UNAUTHORIZED,
            Self::Denied(_) | Self::Forged => StatusCode::FORBIDDEN,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Invalid { .. } | Self::Faults(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::WrongVerb => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::TooSlow => StatusCode::GATEWAY_TIMEOUT,
            Self::Fault(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The word programs read (问题代码).
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::SignIn => "sign_in",
            Self::Denied(_) => "denied",
            Self::Forged => "forged",
            Self::Conflict(_) => "conflict",
            Self::Invalid { .. } | Self::Faults(_) => "invalid",
            Self::NotJson => "not_json",
            Self::WrongVerb => "wrong_verb",
            Self::TooLarge => "too_large",
            Self::TooMany(_) => "too_many",
            Self::TooSlow => "too_slow",
            Self::Fault(_) => "fault",
        }
    }

    /// What happened, and what to do next.
    fn words(&self, lang: Lang) -> (&'static str, String) {
        match self {
            Self::NotFound => (
                lang.t("没有找到"),
                lang.t("没有这个页面，或者它不在您的工作区域内。请回到待办，或用上方的搜索查找。")
                    .to_owned(),
            ),
            Self::SignIn => (
                lang.t("请先登录"),
                lang.t("您还没有登录，或者离开太久已自动退出。请重新登录。")
                    .to_owned(),
            ),
            Self::Denied(denied) => (
                lang.t("没有权限"),
                match denied {
                    Denied::NoRole(permission) => lang.f(
                        "您的岗位没有“{permission}”权限。需要的话，请找本单位系统管理员授岗。",
                        &[("permission", &crate::words::permission(lang, *permission))],
                    ),
                    other => other.to_string(),
                },
            ),
            Self::Forged => (
                lang.t("这次提交没有通过安全检查"),
                lang.t("页面可能开得太久，或者提交来自别的网站。请回到原页面，刷新后再提交一次。")
                    .to_owned(),
            ),
            Self::Conflict(sentence) => (
                lang.t("情况已经变了"),
                crate::words::sentence(lang, sentence),
            ),
            Self::Invalid { sentence, .. } => (
                lang.t("请检查填写的内容"),
                crate::words::sentence(lang, sentence),
            ),
            Self::Faults(errors) => (
                lang.t("请检查填写的内容"),
                errors
                    .iter()
                    .map(|error| error.sentence.as_str())
                    .collect::<Vec<_>>()
                    .join(lang.t("；")),
            ),
            Self::NotJson => (
                lang.t("内容类型不对"),
                lang.t("请用 Content-Type: application/json 发送 JSON。")
                    .to_owned(),
            ),
            Self::WrongVerb => (
                lang.t("不支持这种请求方法"),
                lang.t("这个地址有，但不支持这种请求方法。可用的写在 Allow 头里。")
                    .to_owned(),
            ),
            Self::TooLarge => (
                lang.t("文件太大"),
                lang.t("一次最多上传 20 MB。请压缩图片或分几次上传。")
                    .to_owned(),
            ),
            Self::TooMany(seconds) => (
                lang.t("操作太频繁"),
                lang.f(
                    "请等 {seconds} 秒后再试。您填的内容没有丢，返回上一页还在。",
                    &[("seconds", seconds)],
                ),
            ),
            Self::TooSlow => (
                lang.t("处理超时"),
                lang.t(
                    "这一步没有完成，数据没有改变。请稍后再试；仍不行，请把请求编号告诉管理员。",
                )
                .to_owned(),
            ),
            Self::Fault(_) => (
                lang.t("系统出错了"),
                lang.t(
                    "这不是您的问题，数据没有改变。请稍后再试；仍不行，请把请求编号告诉管理员。",
                )
                .to_owned(),
            ),
        }
    }

    /// The answer to a visitor (出错页面).
    pub(crate) fn answer(&self, visit: &Visit) -> Response {
        if let Self::Fault(fault) = self {
            tracing::error!(
                request = visit.request_id,
                route = visit.route.path,
                fault = format!("{fault:#}"),
                "fault"
            );
        }
        let (title, sentence) = match self {
            Self::TooLarge if visit.route.is_api() => {
                let (title, sentence) = (visit.t("请求内容太大"), visit.t("请求内容超过 1 MB"));
                (title, sentence.to_owned())
            }
            _ => self.words(visit.lang),
        };
        let mut response = if visit.route.is_api()
            || visit.route.path.is_empty() && visit.wants_json
        {
            self.told(visit, title, &sentence)
        } else {
            let body = html! {
                div.problem {
                    p.lead { (sentence) }
                    p {
                        @match self {
                            Self::SignIn => a.button.primary href="/sign-in" { (visit.t("去登录")) },
                            _ => a.button.primary href="/" { (visit.t("回到首页")) },
                        }
                    }
                    p.quiet { (visit.t("请求编号")) " " code { (visit.request_id) } }
                }
            };
            page::Sheet::new(visit, title)
                .status(self.status())
                .show(&body)
        };
        if let Self::TooMany(seconds) = self
            && let Ok(value) = HeaderValue::from_str(&seconds.to_string())
        {
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        response
    }

    /// The problem as programs read it (RFC 9457).
    fn told(&self, visit: &Visit, title: &str, sentence: &str) -> Response {
        let errors: Vec<serde_json::Value> = match self {
            Self::Faults(errors) => errors
                .iter()
                .map(|error| json!({ "field": error.field, "sentence": error.sentence }))
                .collect(),
            Self::Invalid {
                field: Some(field), ..
            } => vec![json!({ "field": field, "sentence": sentence })],
            _ => Vec::new(),
        };
        let field = errors.first().map(|error| error["field"].clone());
        let problem = json!({
            "type": format!("/api#{}", self.code()),
            "title": title,
            "status": self.status().as_u16(),
            "detail": sentence,
            "code": self.code(),
            "field": field,
            "errors": errors,
            "request": visit.request_id,
        });
        let mut response = (self.status(), axum::Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if matches!(self, Self::SignIn) {
            let scheme = HeaderValue::from_static("Bearer realm=\"huimin\"");
            headers.insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}
