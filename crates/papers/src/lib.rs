//! Papers (文书): letters set in type, as PDF, in this process and from nothing but what is handed in.
//!
//! * [`fonts`]: the system's fonts, found once.
//! * [`pdf`](mod@pdf): a template and its data become an A4 PDF.
//! * [`qr`]: a text as a QR code, and back from a scan.
//!
//! Guarantees: the same template and data give the same bytes (no clock is asked, no identifier is drawn); a template
//! reaches no file, no package and no network beyond the files handed in; mistakes of a template are said in words with
//! line and column. Deliberately absent: what a letter says; templates are data in packs.
//!
//! ```no_run
//! let letter = papers::pdf("#let d = json(\"data.json\")\n尊敬的 #d.name：", &serde_json::json!({ "name": "张芳" }))?;
//! assert!(letter.starts_with(b"%PDF"));
//! # anyhow::Ok(())
//! ```

pub mod fonts;
pub mod pdf;
pub mod qr;

pub use pdf::{PaperFault, TemplateFault, pdf, pdf_with};
pub use qr::{qr_in, qr_svg};
