//! Form fields as the values they stand for, and the pages that forms return to.

use std::str::FromStr;

use crate::i18n::common::Labelled;
use crate::i18n::lang;
use crate::link;
use crate::ports::reply;
use model::console::checked_reason;
use model::error::AppError;
use model::money::Fen;
use model::report::RangeProblem;
use model::time::Date;
use model::typed;

/// A field by its type's own text form.
pub(crate) fn parse<T: FromStr>(text: &str) -> Result<T, AppError> {
    typed::parse(text).map_err(|_| AppError::Invalid)
}

/// A day as date inputs submit it.
pub(crate) fn day(text: &str) -> Option<Date> {
    typed::parse(text).ok()
}

/// Why the days of a filter select something else than was meant.
pub(crate) fn range_problem(from: &str, until: &str) -> Option<RangeProblem> {
    let days = [from, until].map(|text| if text.trim().is_empty() { Ok(None) } else { day(text).map(Some).ok_or(()) });
    match days {
        [Ok(Some(from)), Ok(Some(until))] if until < from => Some(RangeProblem::Reversed),
        [Ok(_), Ok(_)] => None,
        _ => Some(RangeProblem::NotADay),
    }
}

/// An amount in yuan.
pub(crate) fn yuan(text: &str) -> Result<Fen, AppError> {
    typed::yuan(text).map_err(|_| AppError::InvalidAmount)
}

/// An amount in yuan above zero.
pub(super) fn some_yuan(text: &str) -> Result<Fen, AppError> {
    yuan(text).ok().filter(|amount| *amount > Fen::ZERO).ok_or(AppError::InvalidAmount)
}

/// An amount in yuan; an empty field is zero.
pub(super) fn yuan_or_zero(text: &str) -> Result<Fen, AppError> {
    if text.trim().is_empty() { Ok(Fen::ZERO) } else { yuan(text) }
}

/// Names the field that a value came from, where it is refused.
pub(crate) fn at<T, E: Into<AppError>>(field: &str, result: Result<T, E>) -> Result<T, AppError> {
    result.map_err(|error| {
        wrong(field);
        error.into()
    })
}

/// [`at`], where the message is the label of the field and what may be in it.
pub(super) fn fits<T>(field: &str, (label, expected): (&str, &str), result: Result<T, AppError>) -> Result<T, AppError> {
    result.inspect_err(|_| {
        if let Ok(reply) = reply() {
            reply.wrong_field(field, Some(Labelled { label, text: expected }.text(lang())));
        }
    })
}

/// Names the field that a refusal is about.
pub(crate) fn wrong(field: &str) {
    if let Ok(reply) = reply() {
        reply.wrong_field(field, None);
    }
}

/// A reason, from the field of that name.
pub(super) fn reason_of(text: &str) -> Result<String, AppError> {
    at("reason", checked_reason(text))
}

/// The confirmation that a form was posted from, which shows what holds now; `page` where that is no page of this kind.
pub(super) fn confirmation(back: &str, page: &str) -> String {
    let back = link::local(back);
    let rest = back.strip_prefix(page);
    if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('?')) { back.to_owned() } else { page.to_owned() }
}

/// The page of a meter's room.
pub(super) fn room_page(meter: &str) -> String {
    format!("/rooms/{meter}")
}
