//! Texts of the ledger and the subsidies.

use super::Lang;
pub use super::catalogue::ledger::*;
use model::ledger::AccountKind;

/// The name of a kind of account; its code where it has no name.
#[must_use]
pub fn account(kind: AccountKind, lang: Lang) -> String {
    let code = kind.code();
    texts(lang).account_kind.get(&code).map_or(code, str::to_owned)
}
