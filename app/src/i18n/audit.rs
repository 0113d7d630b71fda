//! What the actions of the audit chain are called.

use super::Lang;
use super::catalogue::audit::texts;

/// By the action's code; an unknown code stays as it is.
#[must_use]
pub fn action(code: &str, lang: Lang) -> String {
    texts(lang).action.get(code).unwrap_or(code).to_owned()
}
