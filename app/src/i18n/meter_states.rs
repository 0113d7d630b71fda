//! Texts of the list of the meters' newest states.

use super::Lang;
pub use super::catalogue::meter_states::*;
use model::meter::Wallet;

#[must_use]
pub const fn wallet(wallet: Wallet, lang: Lang) -> &'static str {
    let t = texts(lang).wallet;
    match wallet {
        Wallet::Meter => t.meter,
        Wallet::Server => t.server,
        Wallet::None => t.none,
    }
}
