//! What the demo prints when it is ready (演示导览): the accounts, and five lines to walk along.
//!
//! Guarantees: every account and password it names works. Deliberately absent: a manual; the pages explain themselves.

use crate::demo::accounts::{ACCOUNTS, PASSWORD, Places};
use crate::demo::people::WIDOW;
use casework::Desk;
use std::fmt::Write;

/// The text under the address.
pub(crate) fn text(desk: &Desk, places: &Places) -> String {
    let mut text = format!(
        "\n{} · 演示数据，人和事都是虚构的 (demo data, everybody is invented)\n\n账号 Accounts\n",
        desk.book.place().name_zh
    );
    for account in ACCOUNTS {
        let place = desk.place_name(places.of_account(account.at));
        // Writing to a String cannot fail.
        let _written = writeln!(
            text,
            "  {:<11} {PASSWORD}  {place} · {} · {}",
            account.login, account.what_zh, account.what_en
        );
    }
    let _written = write!(
        text,
        "\n导览 Tour\n\
         1. 用 chuangkou 登录，搜索“{WIDOW}”，打开家庭，点“为这一家新申请”。一边填表，旁边一边显示符合、不符合、待核实。\n   \
         Sign in as chuangkou, search for {WIDOW}, start an application; the rule book answers beside the form.\n\
         2. 补上存款，提交，受理，登记核对授权。\n   \
         Fill in the deposits, submit, accept, record the authorisation.\n\
         3. 用 jiedao 登录：入户、初审、公示（/notices 不用登录就能看）；页首可以把演示日期往前拨。\n   \
         As jiedao: visit, opinion, public notice (/notices, open to all); the banner moves the date on.\n\
         4. 用 qushen 登录：确认同意；办件页上每个条件都有条文、数值和来源，旁边有文书。\n   \
         As qushen: grant; on the case every condition shows its article, value and source, with the letters beside.\n\
         5. 用 caiwu 拟定下月发放，caiwu2 复核放款（再输一次密码），再下载银行文件；shenji 看日志和账，guize 看规则。\n   \
         As caiwu propose the pay run, as caiwu2 release it (the password once more), take the bank file; shenji reads the journal, guize the rules.\n",
    );
    text
}
