//! The texts of the codes that give a reason.

use crate::i18n::catalogue::cases::texts;
use crate::i18n::{Lang, commands, errors};
use model::error::AppError;

/// Why a payment does not match its order.
pub(super) fn payment(code: &str, lang: Lang) -> Option<&'static str> {
    texts(lang).payment_reason.get(code)
}

/// Why a refund was not made; also the code of an error.
pub(super) fn refund(code: &str, lang: Lang) -> Option<String> {
    let own = texts(lang).refund_reason.get(code).map(str::to_owned);
    own.or_else(|| AppError::from_code(code).map(|error| clause(errors::message(error, lang)).to_owned()))
}

/// Why a money command stopped.
pub(super) fn delivery(code: &str, lang: Lang) -> Option<String> {
    let text = |code| texts(lang).delivery_reason.get(code).map_or_else(|| commands::note(code, lang), str::to_owned);
    (!code.is_empty()).then(|| text(code))
}

pub(super) fn closing(code: &str, lang: Lang) -> Option<String> {
    texts(lang).closing_reason.get(code).map(str::to_owned)
}

/// A sentence without its full stop.
pub(super) fn clause(sentence: &str) -> &str {
    sentence.trim_end_matches(['。', '.'])
}
