//! What the demo prints when it is ready (演示导览): the accounts, and five lines to walk along.
//!
//! Guarantees: every account and password it names works. Deliberately absent: a manual; the pages explain themselves.

use crate::demo::accounts::{ACCOUNTS, PASSWORD, Places};
use crate::demo::people::WIDOW;
use access::mask_name;
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
         1. 用 chuangkou 登录，搜索“{WIDOW}”，打开家庭，点“新申请”。一边填表，旁边一边显示符合、不符合、待核实。\n   \
         Sign in as chuangkou, search for {WIDOW}, start an application; the rule book answers beside the form.\n\
         2. 补上存款，提交，受理，登记核对授权。 Fill in the deposits, submit, accept, record the authorisation.\n\
         3. 用 jiedao 登录：入户、初审、公示；页首可以把演示日期往前拨。 As jiedao: visit, opinion, notice; move the date on in the banner.\n\
         4. 用 qushen 登录：确认；办件页有每个条件的条文、数值、来源和文书。 As qushen: decide; every condition shows its article and source.\n\
         5. 用 caiwu 拟定下月发放，caiwu2 复核放款，下载银行文件；shenji 看日志，guize 看规则。公示页不用登录：打开首页就能看到{}。\n   \
         As caiwu propose the pay run, as caiwu2 release it, take the bank file; shenji reads the journal, guize the rules.\n",
        mask_name(WIDOW)
    );
    text
}
