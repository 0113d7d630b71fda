//! What each kind of case means, and a person's next step.

mod about;
mod facts;
mod reason_codes;

pub use about::{closing, expiry, resolution, settlement, settlement_name, unusable};
pub use facts::facts;

use super::Lang;
pub use super::catalogue::cases::{KindItemTexts, texts};

/// Every kind that the store names, in the order of the guide.
pub const KINDS: &[&str] = &[
    "delivery",
    "meter-differs",
    "reading",
    "identity",
    "payment",
    "paid-twice",
    "undeliverable",
    "refund",
    "refund-elsewhere",
    "relay",
    "password",
    "unusable",
    "prices",
    "parameters",
    "clock",
    "journal",
    "unpriced",
    "bill-channel-only",
    "bill-ours-only",
    "bill-amount",
    "bill-state",
    "bill-meter",
    "bill-reopened",
    "expiry",
    "closing",
];

/// What a kind of case is called, what it means, and what to do next; by the kind that the store names.
#[must_use]
pub fn case(kind: &str, lang: Lang) -> KindItemTexts {
    let t = texts(lang).kind;
    t.get(kind).unwrap_or(t.other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_texts() {
        for lang in Lang::ALL {
            assert!(KINDS.iter().all(|kind| case(kind, lang) != case("?", lang)));
        }
    }
}
