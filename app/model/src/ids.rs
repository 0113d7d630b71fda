//! Identifiers: time-ordered (UUIDv7), one type a noun, so that one cannot be passed for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
pub use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        #[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(transparent))]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.as_simple().fmt(f) }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> { Uuid::parse_str(text).map(Self) }
        }
    )*};
}

ids! {
    /// A node of the place tree: site, building, unit or room.
    PlaceId,
    /// Accounts that are opened or closed together.
    AccountBatchId,
    /// A named set of places across buildings.
    PlaceGroupId,
    /// A TCP endpoint with meters behind it.
    GatewayId,
    /// A prepaid meter.
    MeterId,
    /// An energy meter without prepayment.
    InstrumentId,
    /// One energy counter of an instrument.
    CircuitId,
    /// What is opened for the residents of a room.
    AccountId,
    /// A resident or an operator who logs in.
    UserId,
    /// A role that the site made for itself.
    RoleId,
    /// A token by which programs read a resident's own figures.
    ApiTokenId,
    /// A sale, from decision to credit in the meter.
    OrderId,
    /// Maintenance, for whose time nobody gets messages about alarms.
    SilenceId,
    /// Money that goes back out of a wallet, or a correction.
    ReturnId,
    /// Money of a payment that goes back to whoever paid it.
    RefundId,
    /// A decision that waits for a second person.
    ApprovalId,
    /// Meters that leave an account: it is closed, moved, or a meter is replaced.
    ClosingId,
    /// An operator's cash drawer, from its opening to its count.
    ShiftId,
    /// One try to pay an order through one channel.
    AttemptId,
    /// A report that somebody saved.
    SavedReportId,
    /// A file that is made in the background.
    ExportId,
    /// A letter by e-mail.
    MailId,
    /// A message to one person or group.
    NotificationId,
    /// A receipt printer.
    PrinterId,
    /// A receipt on its way to a printer.
    PrintJobId,
    /// Invoice rows that were exported together.
    InvoiceBatchId,
    /// A row of an invoice export.
    InvoiceRowId,
    /// A command on its way to a meter.
    CommandId,
    /// One decision for many meters: a command for each.
    BatchId,
    CaseId,
    /// Something that was the matter with a meter or gateway.
    EventId,
    /// A channel's statement of a settlement day.
    StatementId,
}
