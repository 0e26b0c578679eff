//! The pack commands without the rest of the product, for whoever writes packs:
//! `cargo run -q -p policy --example pack -- check|test|facts|card|gate|lock PACKS PLACE [PROGRAMME] [--renew|--frozen]`.

use policy::commands::{self, Cards};
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let flag = |name: &str| arguments.iter().any(|argument| argument == name);
    let words: Vec<&str> = arguments
        .iter()
        .map(String::as_str)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let cards = match (flag("--renew"), flag("--frozen")) {
        (true, _) => Some(Cards::Renew),
        (_, true) => Some(Cards::Frozen),
        _ => None,
    };
    let said = match words.as_slice() {
        ["check", packs, place] => commands::check(Path::new(packs), place),
        ["test", packs, place] => commands::test(Path::new(packs), place, cards.unwrap_or(Cards::Frozen)),
        ["facts", packs, place] => commands::facts(Path::new(packs), place),
        ["card", packs, place] => commands::card(Path::new(packs), place, None, cards),
        ["card", packs, place, programme] => commands::card(Path::new(packs), place, Some(programme), cards),
        ["gate", packs, place] => commands::gate(Path::new(packs), place),
        ["lock", packs] => commands::lock(Path::new(packs)),
        _ => commands::Said {
            text: "check|test|facts|card|gate PACKS PLACE [PROGRAMME] [--renew|--frozen]，或 lock PACKS\n".to_owned(),
            ok: false,
        },
    };
    let shown = std::io::stdout().write_all(said.text.as_bytes()).is_ok();
    if said.ok && shown {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
