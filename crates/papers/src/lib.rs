//! Papers (文书): letters set in type, as PDF, in this process and from nothing but what is handed in.
//!
//! * [`fonts`]: the system's fonts, found once.
//! * [`pdf`](mod@pdf): a template and its data become an A4 PDF for the archive, many become one, or pictures of pages.
//! * [`fault`]: what is wrong with a template.
//! * [`qr`]: a text as a QR code, and back from a scan.
//!
//! Guarantees: the same template and data give the same bytes (no clock is asked, no identifier is drawn); a template
//! reaches no file, no package and no network beyond the files handed in; mistakes of a template are said in words with
//! line and column; a character no font has is written as its code. Deliberately absent: what a letter says; templates are data in packs.
//!
//! ```no_run
//! let data = serde_json::json!({ "date": "2026-06-20", "name": "张芳" });
//! let letter = papers::pdf("#let d = json(\"data.json\")\n尊敬的 #d.name：", &data)?;
//! assert!(letter.starts_with(b"%PDF"));
//! # anyhow::Ok(())
//! ```

mod desk;
pub mod fault;
pub mod fonts;
mod glyphs;
pub mod pdf;
pub mod qr;

pub use fault::{PaperFault, TemplateFault};
pub use pdf::{Piece, pages, pdf, pdf_of, pdf_of_many, pdf_with};
pub use qr::{qr_in, qr_svg, qrs_in};
