//! The figures that the text of a message has.

use serde::{Deserialize, Serialize};

use super::NotificationKind;
use crate::money::Fen;
use crate::time::Timestamp;

/// What a text is made of; what a kind does not need is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NotificationValues {
    /// The room, from the building inwards.
    pub room: String,
    /// The gateway, the number of the order, the key of the configuration, or the link.
    pub subject: String,
    pub amount: Option<Fen>,
    pub balance: Option<Fen>,
    /// The purchase count.
    pub count: Option<i64>,
    pub since: Option<Timestamp>,
    /// Until when the power stays on.
    pub until: Option<Timestamp>,
    /// The code that proves an address.
    pub code: String,
    /// The number that residents may call.
    pub contact: String,
}

impl NotificationValues {
    /// Their names, as templates of providers use them.
    pub const NAMES: [&str; 9] = ["room", "subject", "amount", "balance", "count", "since", "until", "code", "contact"];

    /// Each with its name, as text; amounts in yuan.
    #[must_use]
    pub fn named(&self) -> [(&'static str, String); 9] {
        let yuan = |amount: Option<Fen>| amount.map(|amount| amount.to_string()).unwrap_or_default();
        let count = self.count.map(|count| count.to_string()).unwrap_or_default();
        let minute = |at: Option<Timestamp>| at.map(|at| format!("{} {}", at.date(), at.clock())).unwrap_or_default();
        let [room, subject, amount, balance, count_name, since, until, code, contact] = Self::NAMES;
        [
            (room, self.room.clone()),
            (subject, self.subject.clone()),
            (amount, yuan(self.amount)),
            (balance, yuan(self.balance)),
            (count_name, count),
            (since, minute(self.since)),
            (until, minute(self.until)),
            (code, self.code.clone()),
            (contact, self.contact.clone()),
        ]
    }

    /// Usual values, to show and to measure a text with.
    #[must_use]
    pub fn example() -> Self {
        Self {
            room: "3号楼 301".to_owned(),
            subject: "2026113000017".to_owned(),
            amount: Some(Fen(5_000)),
            balance: Some(Fen(6_320)),
            count: Some(7),
            since: Some(Timestamp(1_795_600_000_000)),
            until: Some(Timestamp(1_795_650_000_000)),
            code: "042317".to_owned(),
            contact: "010-62770000".to_owned(),
        }
    }

    /// Typical values of a kind, for previews and for estimates of length.
    #[must_use]
    pub fn example_of(kind: NotificationKind) -> Self {
        let subject = match kind {
            // As long as a real signed link.
            NotificationKind::TopUp => "https://power.example.edu.cn/p/AZ6sT0WhcJK2mQx7uD4nVmkHs2lqYxRb0eGfZt5wPn3cUjLd",
            NotificationKind::ReplyTopUp => "https://power.example.edu.cn/topup",
            NotificationKind::GatewayLost => "3号楼 2号网关",
            NotificationKind::CertificateExpiring => "payments.wechat",
            NotificationKind::Alarm => "relay-fault",
            _ => return Self::example(),
        };
        Self { subject: subject.to_owned(), ..Self::example() }
    }

    /// As it is stored.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// From what was stored; empty values where that cannot be read.
    #[must_use]
    pub fn from_json(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_round_and_have_names() {
        let values = NotificationValues {
            room: "3号楼 301".to_owned(),
            amount: Some(Fen(5_000)),
            count: Some(7),
            ..NotificationValues::default()
        };
        assert_eq!(NotificationValues::from_json(&values.to_json()), values);
        assert_eq!(NotificationValues::from_json("{}"), NotificationValues::default());
        let named = values.named();
        assert_eq!(named.each_ref().map(|(name, _)| *name), NotificationValues::NAMES);
        assert_eq!((&*named[2].1, &*named[3].1, &*named[4].1), ("50.00", "", "7"));
    }
}
