//! The words of the background tasks.

use super::Lang;
pub use super::catalogue::tasks::*;
use model::task::TaskKind;

/// What a task is called, and what it is for.
#[must_use]
pub const fn task(kind: TaskKind, lang: Lang) -> TaskItemTexts {
    let t = texts(lang).task;
    match kind {
        TaskKind::QueryPayments => t.query_payments,
        TaskKind::SendRefunds => t.send_refunds,
        TaskKind::Reconcile => t.reconcile,
        TaskKind::CloseAbandoned => t.close_abandoned,
        TaskKind::WatchExpiries => t.watch_expiries,
        TaskKind::AdvanceClosings => t.advance_closings,
        TaskKind::AccountBatches => t.account_batches,
        TaskKind::ExpireApprovals => t.expire_approvals,
        TaskKind::PostConsumption => t.post_consumption,
        TaskKind::GiveSubsidies => t.give_subsidies,
        TaskKind::PrintReceipts => t.print_receipts,
        TaskKind::SwitchSchedules => t.switch_schedules,
        TaskKind::KeepFriendlyHours => t.keep_friendly_hours,
        TaskKind::SetClocks => t.set_clocks,
        TaskKind::RollPlaceEnergy => t.roll_place_energy,
        TaskKind::WatchAlarms => t.watch_alarms,
        TaskKind::WatchUse => t.watch_use,
        TaskKind::CollectNotifications => t.collect_notifications,
        TaskKind::AskDigests => t.ask_digests,
        TaskKind::WarnTonight => t.warn_tonight,
        TaskKind::RemindTopUps => t.remind_top_ups,
        TaskKind::SendMailMessages => t.send_mail_messages,
        TaskKind::SendSms => t.send_sms,
        TaskKind::SendWeCom => t.send_wecom,
        TaskKind::SendDingTalk => t.send_dingtalk,
        TaskKind::SendFeishu => t.send_feishu,
        TaskKind::SendWebhook => t.send_webhook,
        TaskKind::SendWechat => t.send_wechat,
        TaskKind::SendPush => t.send_push,
        TaskKind::SendReports => t.send_reports,
        TaskKind::SendMail => t.send_mail,
        TaskKind::MakeExports1 => t.make_exports_1,
        TaskKind::MakeExports2 => t.make_exports_2,
        TaskKind::TendExports => t.tend_exports,
        TaskKind::PurgeSessions => t.purge_sessions,
        TaskKind::AnchorAudit => t.anchor_audit,
    }
}

/// What to do while a task fails, and the page that shows more.
#[must_use]
pub const fn advice(kind: TaskKind, lang: Lang) -> (&'static str, Option<&'static str>) {
    let t = texts(lang).advice;
    match kind {
        TaskKind::QueryPayments | TaskKind::SendRefunds | TaskKind::Reconcile => (t.channels, Some("/channels")),
        TaskKind::SendMailMessages
        | TaskKind::SendSms
        | TaskKind::SendWeCom
        | TaskKind::SendDingTalk
        | TaskKind::SendFeishu
        | TaskKind::SendWebhook
        | TaskKind::SendWechat
        | TaskKind::SendPush => (t.messages, Some("/messages")),
        TaskKind::PrintReceipts => (t.printing, Some("/printing")),
        TaskKind::MakeExports1 | TaskKind::MakeExports2 | TaskKind::TendExports => (t.disk, Some("/exports")),
        TaskKind::AnchorAudit => (t.anchor, None),
        TaskKind::CloseAbandoned
        | TaskKind::WatchExpiries
        | TaskKind::AdvanceClosings
        | TaskKind::AccountBatches
        | TaskKind::ExpireApprovals
        | TaskKind::PostConsumption
        | TaskKind::GiveSubsidies
        | TaskKind::SwitchSchedules
        | TaskKind::KeepFriendlyHours
        | TaskKind::SetClocks
        | TaskKind::RollPlaceEnergy
        | TaskKind::WatchAlarms
        | TaskKind::WatchUse
        | TaskKind::CollectNotifications
        | TaskKind::AskDigests
        | TaskKind::WarnTonight
        | TaskKind::RemindTopUps
        | TaskKind::SendReports
        | TaskKind::SendMail
        | TaskKind::PurgeSessions => (t.general, None),
    }
}

/// How long a run took.
#[must_use]
pub fn duration(ms: i64, lang: Lang) -> String {
    if ms < 1_000 {
        Milliseconds { ms }.text(lang)
    } else {
        Seconds { seconds: format!("{}.{}", ms / 1_000, ms % 1_000 / 100) }.text(lang)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_task_has_words_of_its_own() {
        for lang in Lang::ALL {
            let names: BTreeSet<&str> = TaskKind::ALL.into_iter().map(|kind| task(kind, lang).name).collect();
            assert_eq!(names.len(), TaskKind::ALL.len(), "{lang:?}: two tasks have one name");
            assert!(TaskKind::ALL.into_iter().all(|kind| !task(kind, lang).purpose.is_empty()));
        }
    }

    #[test]
    fn durations_have_a_fitting_unit() {
        assert_eq!([8, 999, 1_000, 61_250].map(|ms| duration(ms, Lang::En)), ["8 ms", "999 ms", "1.0 s", "61.2 s"]);
    }
}
