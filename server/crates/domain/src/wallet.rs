//! The rules of a server wallet: the desired state of its relay and the status that its meter shows. Pure; in the order of a
//! meter that has its own wallet.

use model::meter::{ControlMode, StatusWord};
use model::money::Fen;
use model::word_enum;

word_enum! {
    /// Why a wallet holds its relay open until somebody releases it.
    pub enum Trip {
        /// More power than allowed.
        Overload = "overload",
        /// A forbidden load.
        Malignant = "malignant",
    }
}

/// What decides about the relay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wallet {
    /// An account is open and its opening reading taken.
    pub open: bool,
    pub mode: ControlMode,
    /// The resident's switch is off.
    pub user_off: bool,
    /// Until it is released.
    pub trip: Option<Trip>,
    /// Negative in overdraft.
    pub remaining: Fen,
    /// First warning below this.
    pub alarm1: Fen,
    /// Second warning below this.
    pub alarm2: Fen,
    /// How far below zero it may go.
    pub overdraft: Fen,
    /// Nobody is tripped for arrears now.
    pub friendly: bool,
}

impl Wallet {
    /// The credit is used up, the overdraft included.
    #[must_use]
    pub fn in_arrears(&self) -> bool {
        self.open && self.remaining <= -self.overdraft
    }

    /// Whether the relay is to open for arrears: prepaid, in arrears, and outside friendly hours.
    #[must_use]
    pub fn is_tripped(&self) -> bool {
        self.mode == ControlMode::Prepaid && self.in_arrears() && !self.friendly
    }

    /// The power stays on for now although the credit is used up.
    #[must_use]
    pub fn is_kept_on(&self) -> bool {
        self.friendly && self.mode == ControlMode::Prepaid && self.in_arrears() && self.relay()
    }

    /// The desired state of the relay: `true` for closed.
    #[must_use]
    pub fn relay(&self) -> bool {
        match self.mode {
            ControlMode::ForcedOff => false,
            ControlMode::Guaranteed => true,
            ControlMode::Prepaid => self.open && self.trip.is_none() && !self.is_tripped() && !self.user_off,
        }
    }

    /// The status word of a meter with this wallet: relay and fault as observed, the rest by the ledger.
    #[must_use]
    pub fn status(&self, observed: StatusWord) -> StatusWord {
        const SEEN: u16 = 1 | 1 << 12;
        let bits = [
            (1, self.open),
            (2, self.open && self.remaining < self.alarm1),
            (3, self.open && self.remaining < self.alarm2),
            (4, self.is_tripped()),
            (5, self.trip == Some(Trip::Overload)),
            (6, self.mode == ControlMode::Guaranteed),
            (7, self.mode == ControlMode::ForcedOff),
            (8, self.user_off),
            (11, self.trip == Some(Trip::Malignant)),
        ];
        StatusWord(bits.into_iter().fold(observed.0 & SEEN, |word, (bit, set)| word | u16::from(set) << bit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn holding(fen: i64) -> Wallet {
        let (alarm1, alarm2) = (Fen(2_000), Fen(500));
        Wallet { open: true, remaining: Fen(fen), alarm1, alarm2, ..Wallet::default() }
    }

    #[test]
    fn the_relay_follows_the_meters_own_order() {
        let forced = |mode| Wallet { mode, ..holding(1_000) };
        assert!(holding(1).relay());
        assert!(!holding(0).relay(), "used up");
        assert!(Wallet { overdraft: Fen(500), ..holding(-499) }.relay());
        assert!(!Wallet { overdraft: Fen(500), ..holding(-500) }.relay());
        assert!(!Wallet { user_off: true, ..holding(1_000) }.relay());
        assert!(!Wallet { trip: Some(Trip::Overload), ..holding(1_000) }.relay());
        assert!(!Wallet { open: false, ..holding(1_000) }.relay());
        assert!(!forced(ControlMode::ForcedOff).relay());
        assert!(Wallet { remaining: Fen(-9_000), user_off: true, ..forced(ControlMode::Guaranteed) }.relay());
        assert!(Wallet { open: false, ..forced(ControlMode::Guaranteed) }.relay());
    }

    #[test]
    fn the_status_warns_in_three_levels_and_only_when_open() {
        let bits = |wallet: Wallet| wallet.status(StatusWord(1)).0;
        assert_eq!(bits(holding(2_000)), 0b11);
        assert_eq!(bits(holding(1_999)), 0b111);
        assert_eq!(bits(holding(499)), 0b1111);
        assert_eq!(bits(holding(0)), 0b1_1111);
        assert_eq!(bits(Wallet { open: false, ..holding(0) }), 0b1);
        let kept_on = Wallet { mode: ControlMode::Guaranteed, ..holding(-1) };
        assert_eq!(bits(kept_on), 0b100_1111, "arrears trip in prepaid mode only");
    }

    #[test]
    fn an_empty_wallet_stays_on_in_friendly_hours() {
        let friendly = Wallet { friendly: true, ..holding(-300) };
        assert!(friendly.relay() && friendly.is_kept_on() && friendly.in_arrears());
        assert!(!friendly.status(StatusWord(1)).tripped_arrears());
        assert!(!Wallet { friendly: true, ..holding(1) }.is_kept_on());
        let tripped = Wallet { trip: Some(Trip::Overload), ..friendly };
        assert!(!tripped.relay() && !tripped.is_kept_on(), "other reasons still hold");
        assert!(!Wallet { friendly: false, ..friendly }.relay());
    }

    proptest! {
        /// What the server computes is what a meter with the same wallet would do.
        #[test]
        fn a_shown_state_explains_the_relay(
            fen in -1_000..3_000_i64, overdraft in 0..600_i64, mode in 0..3_u8, flags in 0..16_u8, seen in any::<u16>(),
        ) {
            let mode = [ControlMode::Prepaid, ControlMode::Guaranteed, ControlMode::ForcedOff][usize::from(mode)];
            let wallet = Wallet {
                open: flags & 1 != 0,
                mode,
                user_off: flags & 2 != 0,
                trip: (flags & 4 != 0).then_some(Trip::Malignant),
                overdraft: Fen(overdraft),
                friendly: flags & 8 != 0,
                ..holding(fen)
            };
            let shown = wallet.status(StatusWord(seen));
            prop_assert_eq!(shown.relay_closed(), StatusWord(seen).relay_closed());
            let off = shown.forced_off()
                || !shown.guaranteed()
                    && (!shown.account_open() || shown.tripped_malignant() || shown.tripped_arrears() || shown.user_switch_off());
            prop_assert_eq!(wallet.relay(), !off);
        }
    }
}
