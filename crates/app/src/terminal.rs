//! The terminal (终端): what commands print for people and for other programs.
//!
//! Guarantees: a reader who has gone away (`| head`) is no fault. Deliberately absent: the log, which is for operators.

use std::io::Write;

/// Print one text and a line end to standard output.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _gone = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Print one text and a line end to standard error.
pub(crate) fn complain(text: &str) {
    let mut out = std::io::stderr().lock();
    let _gone = writeln!(out, "huimin: {text}");
}
