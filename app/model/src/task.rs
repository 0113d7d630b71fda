//! The background tasks: which there are, and how each ended last.

use crate::time::Timestamp;
use crate::word_enum;

word_enum! {
    /// A background task, by its name in logs.
    pub enum TaskKind {
        QueryPayments = "payments.query",
        SendRefunds = "payments.refunds",
        Reconcile = "payments.reconcile",
        CloseAbandoned = "payments.abandoned",
        WatchExpiries = "payments.expiries",
        AdvanceClosings = "accounts.closings",
        AccountBatches = "accounts.batches",
        ExpireApprovals = "cash_desk.approvals",
        PostConsumption = "ledger.consumption",
        GiveSubsidies = "ledger.subsidies",
        PrintReceipts = "receipts.print",
        SwitchSchedules = "switch.schedules",
        KeepFriendlyHours = "meters.friendly_hours",
        SetClocks = "meters.clock",
        RollPlaceEnergy = "energy.places",
        WatchAlarms = "alarms.watch",
        WatchUse = "alarms.use",
        CollectNotifications = "notifications.collect",
        AskDigests = "notifications.digest",
        WarnTonight = "notifications.tonight",
        RemindTopUps = "notifications.top-up",
        SendMailMessages = "notifications.mail",
        SendSms = "notifications.sms",
        SendWeCom = "notifications.wecom",
        SendDingTalk = "notifications.dingtalk",
        SendFeishu = "notifications.feishu",
        SendWebhook = "notifications.webhook",
        SendWechat = "notifications.wechat",
        SendPush = "notifications.push",
        SendReports = "reports.send",
        SendMail = "mail.send",
        MakeExports1 = "exports.make.1",
        MakeExports2 = "exports.make.2",
        TendExports = "exports.tend",
        PurgeSessions = "sessions.purge",
        AnchorAudit = "audit.anchor",
    }
}

/// How an activation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskResult {
    /// How many things were processed; 0: there was nothing to do.
    Done(u64),
    /// The error, untranslated.
    Failed(String),
}

/// An activation that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskRun {
    pub started_at: Timestamp,
    pub took_ms: i64,
    pub result: TaskResult,
}

/// A background task since its server process started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskStatus {
    pub kind: TaskKind,
    /// Activations that have ended.
    pub runs: u64,
    /// Failures since the last success.
    pub failures_in_row: u64,
    /// When the activation began that has not ended yet.
    pub running_since: Option<Timestamp>,
    pub last: Option<TaskRun>,
    /// When it runs next at the latest; a signal may come before.
    pub next_at: Option<Timestamp>,
}

impl TaskStatus {
    #[must_use]
    pub const fn new(kind: TaskKind) -> Self {
        Self { kind, runs: 0, failures_in_row: 0, running_since: None, last: None, next_at: None }
    }

    /// Whether its last activation failed.
    #[must_use]
    pub const fn is_failing(&self) -> bool {
        self.failures_in_row > 0
    }
}
