//! The register in the form of the roster (名册格式导出): households with clear numbers, as the import reads them, for a purpose.
//!
//! What leaves by this page and comes back unchanged by the import changes nothing. Guarantees: a purpose is stated and
//! journalled with the count before anything leaves; whoever may import and see clear numbers may, nobody else. Deliberately
//! absent: choosing columns; the form is that of the template.

use super::pay_file::XLSX;
use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::{format, listing, piece};
use crate::problem::Answer;
use crate::visit::{Visit, download};
use crate::words;
use access::{Permission, Purpose, Scope};
use maud::html;
use registry::roster::{self, ExportRefused};

/// Both are needed: the form is the import's, the numbers are clear.
fn scope(visit: &Visit, purpose: &str) -> Result<Scope, crate::problem::Problem> {
    visit.scope(Purpose::Import)?;
    visit.scope_for(
        Permission::RevealPeople,
        Purpose::Enquiry(purpose.to_owned()),
    )
}

/// `GET /households/roster` (名册格式导出).
///
/// # Errors
/// [`crate::problem::Problem::Denied`].
pub async fn show(visit: &Visit) -> Answer {
    page(visit, &[])
}

fn page(visit: &Visit, errors: &[FieldError]) -> Answer {
    let lang = visit.lang;
    let scope = scope(visit, "")?;
    let body = piece::section(
        visit.t("名册格式导出"),
        &html! {
            p { (visit.t("按导入模板的格式导出一个地区的家庭和成员，可以改好再导入；没有改动的，再导入时什么也不会变。")) }
            p.note.warn { (visit.t("文件里的证件号、电话和账号不打码。请写明用途，导出会记入日志；用后删除。")) }
            form.narrow method="post" action="/households/roster" {
                (form::token(visit))
                (listing::place(visit, scope.region))
                (field(lang, "purpose", visit.t("用途")).value(visit.form.get("purpose")).errors(errors).text())
                (form::act(visit.t("导出")))
            }
        },
    );
    Ok(visit
        .page(visit.t("名册格式导出"))
        .nav("/households")
        .back("/households", visit.t("家庭"))
        .errors(errors)
        .show(&body))
}

/// `POST /households/roster` (名册格式导出); journalled with its count.
///
/// # Errors
/// [`crate::problem::Problem::Denied`]; a fault of the database.
pub async fn post(visit: &Visit) -> Answer {
    let purpose = visit.form.get("purpose");
    let scope = scope(visit, purpose)?;
    let place = visit.form.get("region").parse().unwrap_or(scope.region);
    match roster::export(&visit.app.db, &scope, place, purpose).await? {
        Ok(bytes) => {
            let name = visit.t("家庭花名册");
            let day = format::date(visit.today());
            Ok(download(&format!("{name}-{day}.xlsx"), XLSX, bytes))
        }
        Err(refused) => {
            let at = match refused {
                ExportRefused::PurposeMissing => "purpose",
                ExportRefused::OutsideScope | ExportRefused::TooMany(_) => "region",
            };
            let sentence = words::sentence(visit.lang, &refused.to_string());
            page(visit, &[fault(at, sentence)])
        }
    }
}
