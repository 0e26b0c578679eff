//! Showing once more who is there (再次验证身份), between the button of a marked act and the act itself.
//!
//! Guarantees: which acts ask stands in the permission table; the form that was sent is carried in the page and goes on
//! with the same press of the button that sends the password, with and without script; the password is never carried on.
//! Deliberately absent: forms with files, which cannot be carried; a test keeps such routes unmarked.

use crate::fields::Fields;
use crate::parts::form::{self, FieldError, fault, field};
use crate::problem::Problem;
use crate::routes::{Need, Verb};
use crate::visit::Visit;
use crate::words;
use access::Permission;
use access::prove_again::Refused;
use axum::response::Response;
use maud::html;

/// The field that holds the password or the code.
pub(crate) const FIELD: &str = "again.shown";

/// Lets a marked act through once it was shown who is there; else the page that asks (再次验证身份).
///
/// # Errors
/// A fault of the database.
pub(crate) async fn ask(visit: &mut Visit) -> Result<Option<Response>, Problem> {
    let Need::Holds(permission) = visit.route.need else {
        return Ok(None);
    };
    if visit.route.verb != Verb::Post || !permission.asks_again() {
        return Ok(None);
    }
    // Taken as typed: blanks belong to a password. What is carried on never holds it.
    let shown = visit.form.all(FIELD).next().map(str::to_owned);
    visit.form = visit.form.with(FIELD, "");
    let signed = visit.signed()?;
    let (db, door) = (&visit.app.db, &visit.app.door);
    if access::is_fresh(&signed.session, door.times, db.now()) {
        return Ok(None);
    }
    let Some(shown) = shown else {
        return Ok(Some(page(visit, permission, &[])));
    };
    if shown.is_empty() {
        let empty = if signed.second_factor {
            visit.t("请填写动态口令")
        } else {
            visit.t("请填写密码")
        };
        return Ok(Some(page(visit, permission, &[fault(FIELD, empty)])));
    }
    match access::prove_again(db, door, signed, &shown).await? {
        Ok(()) => Ok(None),
        Err(Refused::TooManyTries) => {
            visit.signed = None;
            Ok(Some(super::sign_in::interrupted(visit)))
        }
        Err(refused) => {
            let sentence = words::sentence(visit.lang, &refused.to_string());
            Ok(Some(page(visit, permission, &[fault(FIELD, sentence)])))
        }
    }
}

fn page(visit: &Visit, permission: Permission, errors: &[FieldError]) -> Response {
    let lang = visit.lang;
    let by_code = visit.signed.as_ref().is_some_and(|one| one.second_factor);
    let minutes = visit.app.door.times.again_minutes;
    let act = words::permission(lang, permission);
    let here = visit.here.split('?').next().unwrap_or("/");
    let back = here.rsplit_once('/').map_or("/", |(above, _)| above);
    let carried: Fields = visit
        .form
        .iter()
        .filter(|(name, _)| *name != "csrf")
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let body = html! {
        form.card.narrow method="post" action=(visit.here) {
            (form::token(visit))
            @for (name, value) in carried.iter() { input type="hidden" name=(name) value=(value); }
            p.lead { (lang.f("“{act}”影响很多人的钱，办理前请再验证一次是您本人。", &[("act", &act)])) }
            @if by_code {
                (field(lang, FIELD, visit.t("动态口令")).hint(html! { (visit.t("手机口令程序里 6 位数字")) })
                    .errors(errors).autocomplete("one-time-code").count())
            } @else {
                (field(lang, FIELD, visit.t("密码")).errors(errors).autocomplete("current-password").password())
            }
            p.quiet { (lang.f("验证后 {minutes} 分钟内不再询问。填写的内容都还在。", &[("minutes", &minutes)])) }
            div.buttons {
                (form::act(visit.t("验证并继续办理")))
                a.button.plain href=(back) { (visit.t("不办了，返回")) }
            }
        }
    };
    visit
        .page(visit.t("请再次验证身份"))
        .errors(errors)
        .show(&body)
}
