//! The kinds of ledger accounts.

use crate::order::Tender;

/// The kind of a ledger account: its code without its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccountKind {
    /// Cash in the drawers (asset).
    Cash,
    /// Card payments on their way to the bank (asset).
    Card,
    /// The bank account (asset).
    Bank,
    /// Held by a payment channel until it settles (asset).
    Clearing(Tender),
    /// Kept by a payment channel for its service (expense).
    Fees(Tender),
    /// Paid by residents and not yet in the meter (liability).
    Paid,
    /// In the meter and not yet consumed (liability).
    InMeter,
    /// In the server wallet and not yet consumed; negative if more was consumed than paid (liability).
    Wallet,
    /// Consumed energy (income).
    Consumption,
    /// Received and not to be credited, until a person decides or it is refunded (liability).
    Suspense,
    /// Refunds that are decided and not yet with the payer (liability).
    Refunding,
    /// Given to residents by the site (expense).
    Subsidies,
    /// Balances of closed meters and wallets until they are paid out or carried over (liability).
    Carried,
    /// Amounts below a fen at a closure, and overdrawn balances that are never paid (income or expense).
    WriteOff,
    /// Counted in the drawers above or below the expected amount (income or expense).
    DrawerDifference,
    /// Found in meters above or below the books (income or expense).
    Adjustments,
    /// Held by meters when the site was taken over from an older system (equity).
    TakenOver,
}

impl AccountKind {
    /// The code: `cash`, `clearing:alipay`, `meter`.
    #[must_use]
    pub fn code(self) -> String {
        match self {
            Self::Clearing(channel) => format!("clearing:{}", channel.as_str()),
            Self::Fees(channel) => format!("fees:{}", channel.as_str()),
            plain => plain.name().to_owned(),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Cash => "cash",
            Self::Card => "card",
            Self::Bank => "bank",
            Self::Clearing(_) => "clearing",
            Self::Fees(_) => "fees",
            Self::Paid => "paid",
            Self::InMeter => "meter",
            Self::Wallet => "wallet",
            Self::Consumption => "consumption",
            Self::Suspense => "suspense",
            Self::Refunding => "refunding",
            Self::Subsidies => "subsidies",
            Self::Carried => "carried",
            Self::WriteOff => "write-off",
            Self::DrawerDifference => "drawer-difference",
            Self::Adjustments => "adjustments",
            Self::TakenOver => "taken-over",
        }
    }

    /// The kind of an account from its code, with or without the owner.
    #[must_use]
    pub fn of(code: &str) -> Option<Self> {
        let (name, owner) = code.split_once(':').map_or((code, None), |(name, owner)| (name, Some(owner)));
        Some(match (name, owner) {
            ("clearing", Some(channel)) => Self::Clearing(Tender::parse(channel)?),
            ("fees", Some(channel)) => Self::Fees(Tender::parse(channel)?),
            _ => PLAIN.into_iter().find(|kind| kind.name() == name)?,
        })
    }
}

/// All kinds but those of channels.
const PLAIN: [AccountKind; 15] = [
    AccountKind::Cash,
    AccountKind::Card,
    AccountKind::Bank,
    AccountKind::Paid,
    AccountKind::InMeter,
    AccountKind::Wallet,
    AccountKind::Consumption,
    AccountKind::Suspense,
    AccountKind::Refunding,
    AccountKind::Subsidies,
    AccountKind::Carried,
    AccountKind::WriteOff,
    AccountKind::DrawerDifference,
    AccountKind::Adjustments,
    AccountKind::TakenOver,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read_from_account_codes() {
        let of_channels = [AccountKind::Clearing(Tender::Alipay), AccountKind::Fees(Tender::UnionPay)];
        for kind in PLAIN.into_iter().chain(of_channels) {
            assert_eq!(AccountKind::of(&kind.code()), Some(kind));
        }
        assert_eq!(AccountKind::of("meter:0190"), Some(AccountKind::InMeter));
        for code in ["", "clearing", "clearing:bank", "till"] {
            assert_eq!(AccountKind::of(code), None, "{code}");
        }
    }
}
