//! What acts of the journal are called (操作名称), and the rooms they belong to.
//!
//! Guarantees: every act the program writes has a name here or in the packs' procedures; a test reads the sources. Deliberately
//! absent: the journal itself; see [`super::journal`].

use crate::locale::key;
use crate::visit::Visit;

/// Rooms of the house whose acts can be picked together: the beginning of the act's word, and what people call it.
pub(super) const ROOMS: [(&str, &str); 17] = [
    ("access.", key("登录与账号")),
    ("person.", key("人员")),
    ("household.", key("家庭")),
    ("consent.", key("核对授权")),
    ("verify.", key("核对")),
    ("fact.", key("事实")),
    ("account.", key("银行账户")),
    ("roster.", key("花名册")),
    ("casework.", key("办件")),
    ("ledger.", key("发放")),
    ("exchange.", key("银行文件")),
    ("journal.", key("操作日志")),
    ("store.", key("数据库维护")),
    ("duplicate.", key("重复登记")),
    ("registry.", key("登记库")),
    ("notify.", key("告知")),
    ("web.", key("查看与导出")),
];

/// What acts are called; an act that is not here shows its own word.
pub(super) const ACTS: [(&str, &str); 150] = [
    ("access.signed_in", key("登录")),
    ("access.sign_in_failed", key("登录失败")),
    ("access.sign_in_slowed", key("登录被限制")),
    ("access.wrong_code", key("动态口令错误")),
    ("access.code_accepted", key("动态口令通过")),
    ("access.session_ended", key("退出登录")),
    ("access.create_officer", key("新建账号")),
    ("access.grant_role", key("授岗")),
    ("access.make_key", key("签发密钥")),
    ("access.revoke_key", key("吊销密钥")),
    ("access.export_ask", key("申请导出")),
    ("access.export_cancel", key("取消导出")),
    ("access.export_fetch", key("下载导出文件")),
    ("access.revoke_role", key("撤岗")),
    ("access.enable_officer", key("启用账号")),
    ("access.disable_officer", key("停用账号")),
    ("access.set_password", key("重置密码")),
    ("access.change_own_password", key("修改密码")),
    ("access.second_factor_on", key("启用动态口令")),
    ("access.second_factor_off", key("停用动态口令")),
    ("person.register", key("登记人员")),
    ("person.read", key("查看人员")),
    ("person.reveal", key("显示完整号码")),
    ("person.move_home", key("变更居住地")),
    ("person.move_hukou", key("变更户籍地")),
    ("person.set_phone", key("变更手机")),
    ("person.record_death", key("登记死亡")),
    ("person.withdraw_death", key("撤回死亡登记")),
    ("household.form", key("建立家庭")),
    ("household.read", key("查看家庭")),
    ("household.join", key("加入家庭")),
    ("household.leave", key("退出家庭")),
    ("household.change_head", key("变更户主")),
    ("fact.record", key("录入事实")),
    ("fact.withdraw", key("撤回事实")),
    ("account.set", key("登记银行账户")),
    ("account.export", key("取用账号")),
    ("roster.import", key("导入花名册")),
    ("roster.export", key("导出花名册")),
    ("ledger.entitle", key("确立待遇")),
    ("ledger.propose", key("拟定发放")),
    ("ledger.release_part", key("放款一部分")),
    ("ledger.release", key("复核放款")),
    ("ledger.cancel", key("作废批次")),
    ("ledger.send", key("送银行")),
    ("ledger.bank_return", key("导入回盘")),
    ("ledger.reissue", key("重发退回款")),
    ("ledger.post", key("记账")),
    ("ledger.correct", key("更正记账")),
    ("exchange.bank_file", key("取用银行文件")),
    ("casework.start_draft", key("开始申请")),
    ("casework.submit", key("提交申请")),
    ("casework.read", key("查看办件")),
    ("casework.attach", key("上传材料")),
    ("casework.read_evidence", key("查看材料")),
    ("casework.print_letters", key("合印文书")),
    ("casework.read_letter", key("查看文书")),
    ("consent.give", key("登记核对授权")),
    ("consent.refuse", key("登记不同意核对")),
    ("consent.withdraw", key("撤回核对授权")),
    ("consent.open", key("按授权取出证件号")),
    ("consent.print", key("打印核对授权书")),
    ("verify.permit", key("核准核对")),
    ("verify.enquire", key("核对")),
    ("verify.read_report", key("查看核对报告")),
    ("verify.reproduce", key("重做核对报告")),
    ("casework.object", key("提出异议")),
    ("casework.open_task", key("登记待办")),
    ("casework.take_over", key("存量接收")),
    ("journal.export", key("导出操作日志")),
    ("access.proved_again", key("再次验证身份")),
    ("access.not_proved_again", key("再次验证身份失败")),
    ("person.alike", key("登记时比对")),
    ("person.merge_prepare", key("拟定合并")),
    ("person.merge", key("复核合并")),
    ("person.merge_reject", key("退回合并")),
    ("person.unmerge", key("撤销合并")),
    (
        "duplicate.said_at_registration",
        key("登记时说明是否同一人"),
    ),
    ("duplicate.compare", key("比对重复登记")),
    ("duplicate.learn", key("学习比对参数")),
    ("duplicate.list", key("查看重复登记")),
    ("duplicate.open", key("重新列为待核对")),
    ("duplicate.later", key("重复登记以后再看")),
    ("duplicate.prepared", key("重复登记拟定合并")),
    ("duplicate.different", key("认定不是同一人")),
    ("duplicate.homes_different", key("认定不是同一户")),
    ("duplicate.merged", key("重复登记已合并")),
    ("household.relocate", key("家庭迁移")),
    ("ledger.relocate", key("待遇随户迁移")),
    ("ledger.plan_recovery", key("拟定追回")),
    ("ledger.repay", key("登记退款")),
    ("registry.load", key("批量装入登记")),
    ("registry.identities", key("取用身份信息")),
    ("exchange.make_bank_file", key("生成银行文件")),
    ("consent.carry_over", key("接收存量授权")),
    ("verify.alerts", key("查看预警列表")),
    ("verify.alert.read", key("查看预警")),
    ("verify.alert", key("处理预警")),
    ("casework.found", key("记入核对发现")),
    ("casework.found_withdrawn", key("撤回核对发现")),
    ("casework.finding_objected", key("登记核对异议")),
    (
        "casework.finding_objection_upheld",
        key("异议成立，更正核对发现"),
    ),
    ("casework.finding_objection_refused", key("异议不成立")),
    ("casework.review.call", key("转办件复核")),
    ("casework.review.schedule", key("安排定期核查")),
    ("casework.review.open", key("登记核查待办")),
    ("casework.lead", key("处理政策找人线索")),
    ("casework.lead.read", key("查看政策找人线索")),
    ("casework.leads", key("查看政策找人列表")),
    ("casework.leads.settle", key("线索自动办结")),
    ("casework.life_event", key("登记生活事件")),
    ("casework.life_event.read", key("查看生活事件")),
    ("casework.adjustment.propose", key("拟定标准调整")),
    ("casework.adjustment.approve", key("复核标准调整")),
    ("casework.adjustment.done", key("完成标准调整")),
    ("casework.adjustment.roll_back", key("撤回标准调整")),
    ("casework.adjustment.withdraw", key("撤销标准调整拟定")),
    ("casework.rules.save", key("保存规则草稿")),
    ("casework.rules.propose", key("提交规则草稿")),
    ("casework.rules.publish", key("发布规则")),
    ("casework.rules.send_back", key("退回规则草稿")),
    ("casework.rules.discard", key("作废规则草稿")),
    ("casework.rules.deliver", key("接收规则更新")),
    ("web.api_read", key("程序读取")),
    ("web.read_file", key("查看证明材料")),
    ("web.sweep", key("开始全人口比对")),
    ("web.sweep_cancel", key("取消全人口比对")),
    ("web.export_adjustment", key("导出标准调整")),
    ("web.export_alerts", key("导出预警")),
    ("web.export_cases", key("导出办件")),
    ("web.export_duplicates", key("导出重复登记")),
    ("web.export_enquiries", key("导出核对记录")),
    ("web.export_households", key("导出家庭列表")),
    ("web.export_letters", key("导出文书清单")),
    ("web.export_leads", key("导出政策找人")),
    ("web.export_life_events", key("导出生活事件")),
    ("web.export_pay_lines", key("导出发放明细")),
    ("web.export_reviews", key("导出定期核查")),
    ("casework.rate", key("评价")),
    ("casework.rating.mend", key("登记整改")),
    ("casework.rating.read", key("查看评价")),
    ("casework.rating.take_up", key("接手差评")),
    ("notify.contact", key("更改通知方式")),
    ("notify.read", key("查看消息")),
    ("notify.resend", key("重新发送消息")),
    ("notify.send", key("发送消息")),
    ("notify.undelivered", key("消息没有送达")),
    ("web.export_rules", key("导出规则")),
    ("web.export_simulation", key("导出试算")),
    ("web.export_statistics", key("导出统计")),
];

/// What an act is called: here, or in the packs' procedures.
pub(super) fn act_name<'a>(visit: &'a Visit, act: &'a str) -> &'a str {
    if let Some((_, name)) = ACTS.iter().find(|(word, _)| *word == act) {
        return visit.lang.look(name);
    }
    let id = act.strip_prefix("casework.").unwrap_or("");
    visit
        .app
        .desk
        .procedures()
        .find_map(|procedure| procedure.act(id))
        .map_or(act, |known| visit.lang.pick(&known.zh, &known.en))
}

#[cfg(test)]
mod tests {
    use super::ACTS;
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    /// The sources of every room, tests aside.
    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push(path);
            }
        }
    }

    #[test]
    fn every_act_the_program_writes_has_a_name() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut files = Vec::new();
        for entry in std::fs::read_dir(crates).unwrap() {
            let src = entry.unwrap().path().join("src");
            if src.is_dir() {
                sources(&src, &mut files);
            }
        }
        let named: BTreeSet<&str> = ACTS.iter().map(|(word, _)| *word).collect();
        let (mut nameless, mut seen) = (BTreeSet::new(), 0);
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            for rest in text.split("act: \"").skip(1) {
                let word = rest.split('"').next().unwrap_or_default();
                if word.contains('.') && !word.contains('{') {
                    seen += 1;
                    if !named.contains(word) {
                        nameless.insert(word.to_owned());
                    }
                }
            }
        }
        assert!(seen > 40, "{seen}");
        assert_eq!(nameless, BTreeSet::new());
        assert_eq!(named.len(), ACTS.len(), "an act stands twice");
    }
}
