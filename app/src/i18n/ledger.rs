//! Texts of the ledger and the subsidies.

use super::Lang;
pub use super::catalogue::ledger::*;

/// The name of a kind of account; an unknown code stays as it is.
#[must_use]
pub fn account(kind: &str, lang: Lang) -> String {
    texts(lang).account_kind.get(kind).unwrap_or(kind).to_owned()
}
