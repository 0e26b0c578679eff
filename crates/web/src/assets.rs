//! Styles, scripts and icons (静态文件), built into the executable.
//!
//! Our own files are in `assets/`; third-party ones are copied from the locked npm packages into `assets/dist/` by the
//! set-up, never committed. When they are missing, the pages leave the script out and work without it.

use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Assets;

/// The file name of the third-party script, if the set-up has put it there.
pub(crate) const HTMX: &str = "dist/htmx.min.js";

/// The link to a file, with a mark of its content, so that browsers keep it until it changes (文件链接).
pub(crate) fn link(file: &str) -> Option<String> {
    let found = Assets::get(file)?;
    let mark = u32::from_be_bytes(
        found
            .metadata
            .sha256_hash()
            .first_chunk()
            .copied()
            .unwrap_or_default(),
    );
    Some(format!("/assets/{file}?v={mark:08x}"))
}

/// Gives a file (取文件).
///
/// # Errors
/// [`Problem::NotFound`].
pub async fn show(visit: &Visit) -> Answer {
    let file = visit.part("file");
    let found = Assets::get(file).ok_or(Problem::NotFound)?;
    let kind = match file.rsplit_once('.').map(|(_, ending)| ending) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    };
    let keep = if visit.query.has("v") {
        "public, max-age=31536000, immutable"
    } else {
        "public, max-age=300"
    };
    Ok((
        [
            (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
            (header::CACHE_CONTROL, HeaderValue::from_static(keep)),
        ],
        found.data.into_owned(),
    )
        .into_response())
}

#[cfg(test)]
mod tests {
    use super::link;

    #[test]
    fn our_own_files_are_there_and_a_missing_one_has_no_link() {
        assert!(link("desk.css").unwrap().starts_with("/assets/desk.css?v="));
        assert!(link("desk.js").is_some() && link("icon.svg").is_some());
        assert_eq!(link("nothing.js"), None);
    }
}
