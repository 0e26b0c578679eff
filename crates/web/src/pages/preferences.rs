//! How pages look (显示方式): language, elder mode, theme; kept in cookies that hold nothing else.

use crate::problem::Answer;
use crate::visit::{Visit, local_path, redirect};
use axum::http::{HeaderValue, header};

/// A cookie that lives a year; an empty value ends it.
fn lasting(name: &str, value: &str, secure: bool) -> Option<HeaderValue> {
    let life = if value.is_empty() { 0 } else { 365 * 24 * 3600 };
    let secure = if secure { "; Secure" } else { "" };
    HeaderValue::from_str(&format!(
        "{name}={value}; Path=/; Max-Age={life}; SameSite=Lax; HttpOnly{secure}"
    ))
    .ok()
}

/// `POST /preferences` (设置显示方式), then back to where the visitor was.
///
/// # Errors
/// None.
pub async fn post(visit: &Visit) -> Answer {
    let mut response = redirect(local_path(visit.form.get("back")));
    let known: [(&str, &[&str]); 3] = [
        ("lang", &["zh", "en"]),
        ("size", &["", "elder"]),
        ("theme", &["", "light", "dark"]),
    ];
    for (name, values) in known {
        if visit.form.has(name) {
            let value = visit.form.get(name);
            if values.contains(&value)
                && let Some(cookie) = lasting(name, value, visit.app.config.secure)
            {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
        }
    }
    Ok(response)
}
