//! The lines of the audit chain: what is done, and how lines are looked up.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::console::{Page, RoomName};
use crate::ids::{MeterId, UserId};
use crate::time::{Date, Timestamp};
use crate::word_enum;

word_enum! {
    /// What a line says was done, as `area.action`.
    pub enum AuditAction {
        AccountBatch = "account.batch",
        AccountBatchCancel = "account.batch-cancel",
        AccountBatchRetry = "account.batch-retry",
        AccountClose = "account.close",
        AccountEmergencyCredit = "account.emergency-credit",
        AccountForeignClosed = "account.foreign-closed",
        AccountLeave = "account.leave",
        AccountMeter = "account.meter",
        AccountMove = "account.move",
        AccountNumbers = "account.numbers",
        AccountOpen = "account.open",
        AccountResident = "account.resident",
        AccountResidentOut = "account.resident-out",
        AccountRoommate = "account.roommate",
        AccountRoommateLink = "account.roommate-link",
        AccountRoommateLinkEnd = "account.roommate-link-end",
        AlertAddress = "alert.address",
        AlertAddressRemove = "alert.address-remove",
        AlertPreferences = "alert.preferences",
        AlertReminder = "alert.reminder",
        ApprovalApprove = "approval.approve",
        ApprovalAsk = "approval.ask",
        ApprovalExpire = "approval.expire",
        ApprovalReject = "approval.reject",
        ApprovalWithdraw = "approval.withdraw",
        AuditVerify = "audit.verify",
        BatchCancel = "batch.cancel",
        BatchCreate = "batch.create",
        BatchRetry = "batch.retry",
        CaseClose = "case.close",
        CaseComment = "case.comment",
        CaseDue = "case.due",
        CaseFollow = "case.follow",
        CaseOwner = "case.owner",
        ChargeReverse = "charge.reverse",
        ClosingCarry = "closing.carry",
        ClosingCount = "closing.count",
        ClosingDecide = "closing.decide",
        ClosingEnd = "closing.end",
        ClosingOwe = "closing.owe",
        ClosingRead = "closing.read",
        ClosingWithdraw = "closing.withdraw",
        CommandDisobeyed = "command.disobeyed",
        CommandDone = "command.done",
        CommandHeld = "command.held",
        CommandNotPermitted = "command.not-permitted",
        CommandRefused = "command.refused",
        CommandTryAgain = "command.try-again",
        EventAcknowledge = "event.acknowledge",
        EventAssign = "event.assign",
        EventRule = "event.rule",
        EventSilence = "event.silence",
        EventSilenceEnd = "event.silence-end",
        GatewayChange = "gateway.change",
        GatewayCreate = "gateway.create",
        GatewayPort = "gateway.port",
        GatewayReplace = "gateway.replace",
        GatewayRetire = "gateway.retire",
        GatewayTrust = "gateway.trust",
        GroupCreate = "group.create",
        GroupMembers = "group.members",
        GroupRemove = "group.remove",
        GroupRename = "group.rename",
        InstrumentAdd = "instrument.add",
        InstrumentChange = "instrument.change",
        InstrumentCircuit = "instrument.circuit",
        InstrumentCounter = "instrument.counter",
        InstrumentRetire = "instrument.retire",
        InvoiceBuyer = "invoice.buyer",
        InvoiceCancel = "invoice.cancel",
        InvoiceExport = "invoice.export",
        InvoiceManualReversal = "invoice.manual-reversal",
        InvoiceSettings = "invoice.settings",
        KioskAdd = "kiosk.add",
        KioskRegister = "kiosk.register",
        KioskRetire = "kiosk.retire",
        MeterAccept = "meter.accept",
        MeterAdd = "meter.add",
        MeterChange = "meter.change",
        MeterClock = "meter.clock",
        MeterInstall = "meter.install",
        MeterMode = "meter.mode",
        MeterReplace = "meter.replace",
        MeterRetire = "meter.retire",
        MeterSchedule = "meter.schedule",
        MeterScheduleRemove = "meter.schedule-remove",
        MeterSwap = "meter.swap",
        MeterSwitch = "meter.switch",
        NotificationAgain = "notification.again",
        NotificationTest = "notification.test",
        NotificationText = "notification.text",
        OperatorAccept = "operator.accept",
        OperatorDisable = "operator.disable",
        OperatorEnable = "operator.enable",
        OperatorInvite = "operator.invite",
        OperatorReset = "operator.reset",
        OperatorRole = "operator.role",
        OperatorSessions = "operator.sessions",
        OrderClose = "order.close",
        OrderCreate = "order.create",
        OrderDeliver = "order.deliver",
        OrderReassign = "order.reassign",
        PaymentClosed = "payment.closed",
        PaymentCredit = "payment.credit",
        PaymentCredited = "payment.credited",
        PaymentCreditedLate = "payment.credited-late",
        PaymentDuplicate = "payment.duplicate",
        PaymentHeld = "payment.held",
        PaymentIgnored = "payment.ignored",
        PaymentNotReturned = "payment.not-returned",
        PaymentNoted = "payment.noted",
        PaymentPaidTwice = "payment.paid-twice",
        PaymentRefunded = "payment.refunded",
        PaymentReturned = "payment.returned",
        PaymentUndeliverable = "payment.undeliverable",
        PlaceAdd = "place.add",
        PlaceMerge = "place.merge",
        PlaceMove = "place.move",
        PlaceRemove = "place.remove",
        PlaceRename = "place.rename",
        PrinterAdd = "printer.add",
        PrinterRetire = "printer.retire",
        PricesAssign = "prices.assign",
        PricesMissed = "prices.missed",
        PricesPublish = "prices.publish",
        ReceiptLogo = "receipt.logo",
        ReceiptPrint = "receipt.print",
        ReceiptPrintDecided = "receipt.print-decided",
        ReceiptTemplate = "receipt.template",
        RefundApprove = "refund.approve",
        RefundAsk = "refund.ask",
        RefundCancel = "refund.cancel",
        RefundClear = "refund.clear",
        RefundExpire = "refund.expire",
        RefundLost = "refund.lost",
        RefundPay = "refund.pay",
        RefundReject = "refund.reject",
        ReportRemove = "report.remove",
        ReportSave = "report.save",
        ReportSend = "report.send",
        ReturnApprove = "return.approve",
        ReturnAsk = "return.ask",
        ReturnCancel = "return.cancel",
        ReturnExpire = "return.expire",
        ReturnPay = "return.pay",
        ReturnReject = "return.reject",
        RoleChange = "role.change",
        RoleCreate = "role.create",
        RoleRemove = "role.remove",
        SaleCreate = "sale.create",
        SessionClose = "session.close",
        SessionEnd = "session.end",
        SessionOpen = "session.open",
        SessionPhone = "session.phone",
        SessionRefuse = "session.refuse",
        SessionWechat = "session.wechat",
        SettlementClose = "settlement.close",
        SettlementReceipt = "settlement.receipt",
        ShiftClose = "shift.close",
        ShiftOpen = "shift.open",
        SiteCalendar = "site.calendar",
        SiteChecklist = "site.checklist",
        SiteCo2Factor = "site.co2-factor",
        SiteCompareRooms = "site.compare-rooms",
        SiteContact = "site.contact",
        SiteDefaults = "site.defaults",
        SiteFriendlyHours = "site.friendly-hours",
        SiteImport = "site.import",
        SitePayForOthers = "site.pay-for-others",
        SiteRoommates = "site.roommates",
        SiteSetUp = "site.set-up",
        SiteTakeOver = "site.take-over",
        StatementBookRefund = "statement.book-refund",
        StatementCompare = "statement.compare",
        StatementImport = "statement.import",
        SubsidyGrant = "subsidy.grant",
        SubsidyRule = "subsidy.rule",
        SweepInterval = "sweep.interval",
        UserCreate = "user.create",
        UserErase = "user.erase",
        UserLink = "user.link",
        UserPassword = "user.password",
        UserRecoveryCodes = "user.recovery-codes",
        UserSecondFactor = "user.second-factor",
        UserSecondFactorOff = "user.second-factor-off",
        UserSecondFactorRemoved = "user.second-factor-removed",
        UserPasswordPhone = "user.password-phone",
        UserPasswordReset = "user.password-reset",
        UserToken = "user.token",
        UserTokenEnd = "user.token-end",
        UserWechat = "user.wechat",
        UserWechatEnd = "user.wechat-end",
        WalletLimits = "wallet.limits",
    }
}

impl AuditAction {
    /// The part before the dot: what kind of thing it is done to.
    #[must_use]
    pub fn area(self) -> &'static str {
        self.as_str().split_once('.').map_or("", |(area, _)| area)
    }
}

/// Which lines are looked up; what is left out matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Words to search for in a line, a room, or the number of an account or order.
    pub text: String,
    pub by: Option<Doer>,
    /// An action, or an area with all of its actions.
    pub action: String,
    /// Exactly this subject, as in the line: `meter:<id>`.
    pub subject: String,
    pub from: Option<Date>,
    /// The last day, itself included.
    pub until: Option<Date>,
    /// Page, from 0.
    pub page: i64,
}

/// Who did it, to filter by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doer {
    System,
    /// Any payment channel.
    Channel,
    Person(UserId),
}

impl Doer {
    /// From an address: `system`, `channel`, `user:<id>`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "system" => Some(Self::System),
            "channel" => Some(Self::Channel),
            _ => text.strip_prefix("user:").and_then(|id| id.parse().ok()).map(Self::Person),
        }
    }
}

impl fmt::Display for Doer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::Channel => f.write_str("channel"),
            Self::Person(user) => write!(f, "user:{user}"),
        }
    }
}

/// A line of the audit chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLine {
    pub seq: i64,
    pub at: Timestamp,
    /// `user:<id>`, `channel:<word>` or `system`.
    pub actor: String,
    pub ip: String,
    /// The word of an [`AuditAction`], or of one that another version wrote.
    pub action: String,
    /// `meter:<id>` and the like.
    pub subject: String,
    /// The meter of the subject and where it is.
    pub place: Option<(MeterId, RoomName)>,
    /// The detail as it was recorded, JSON.
    pub detail: String,
}

/// What the things and people in lines are called, by `kind:<id>`.
pub type Names = HashMap<String, String>;

/// What the ids in the details of lines are of, by their keys.
const KINDS: &[(&str, &[&str])] = &[
    ("account", &["account", "from", "to", "to_account"]),
    ("meter", &["meter", "meters", "also", "old", "new", "to_meter"]),
    ("order", &["order"]),
    ("return", &["return"]),
    ("plan", &["plan"]),
    ("place", &["buildings", "added", "removed"]),
    ("role", &["role"]),
    ("user", &["asked_by", "owner", "was"]),
];

/// What an id in a detail is of, by its key; `None` where ids of that key are not said by name.
#[must_use]
pub fn kind_of(key: &str) -> Option<&'static str> {
    KINDS.iter().find(|(_, keys)| keys.contains(&key)).map(|(kind, _)| *kind)
}

/// A page of the chain.
#[derive(Clone, Debug)]
pub struct AuditPage {
    pub page: Page<AuditLine>,
    pub names: Names,
    /// Those who work here, by name, to filter by; none for a reader who is bound to buildings.
    pub people: Vec<(UserId, String)>,
    /// Whether the reader may verify: only who sees the whole site.
    pub may_verify: bool,
    /// The search text fits so many meters that lines are found by their own words only.
    pub is_too_wide: bool,
}

/// What a verification found; the detail of its own line of the chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// The numbers of the lines that were asked about; 0 without any.
    pub first_line: i64,
    pub last_line: i64,
    /// How many of them were checked before the time was up, from the first.
    pub checked: i64,
    /// The first line that does not follow from the one before.
    pub broken_at: Option<i64>,
    /// Rows of the books compared with their seals; `None`: the time was up before.
    pub sealed_rows: Option<i64>,
    /// Rows that do not fit their seals.
    pub faults: i64,
    /// `table key` of the first of them.
    pub named: Vec<String>,
    /// How long it took, ms.
    pub took_ms: i64,
}

impl Verification {
    /// Whether everything was checked in time.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        let asked = if self.last_line == 0 { 0 } else { self.last_line - self.first_line + 1 };
        self.checked == asked && self.sealed_rows.is_some()
    }

    /// The last line that was checked, where more of them are left: from there it can go on.
    #[must_use]
    pub const fn goes_on_after(&self) -> Option<i64> {
        let last = self.first_line + self.checked - 1;
        if self.last_line == 0 || self.broken_at.is_some() || last >= self.last_line { None } else { Some(last) }
    }

    /// Whether nothing that was checked was wrong.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.broken_at.is_none() && self.faults == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_did_it_goes_round() {
        for text in ["system", "channel", "user:00000000000000000000000000000007"] {
            assert_eq!(Doer::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Doer::parse("user:x"), None);
    }

    #[test]
    fn a_verification_that_ran_out_of_time_is_not_complete() {
        let done = Verification { first_line: 5, last_line: 9, checked: 5, sealed_rows: Some(3), ..Verification::default() };
        assert!(done.is_complete() && done.is_sound());
        assert!(!Verification { checked: 4, ..done.clone() }.is_complete());
        assert!(!Verification { sealed_rows: None, ..done.clone() }.is_complete());
        assert!(!Verification { broken_at: Some(7), ..done.clone() }.is_sound());
        assert!(Verification { sealed_rows: Some(0), ..Verification::default() }.is_complete(), "no lines");
        let part = Verification { checked: 4, ..done.clone() };
        assert_eq!((part.goes_on_after(), done.goes_on_after()), (Some(8), None));
        assert_eq!(Verification { broken_at: Some(9), ..part }.goes_on_after(), None);
        assert_eq!(Verification::default().goes_on_after(), None);
    }
}
