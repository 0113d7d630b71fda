//! Form fields as the values they stand for, and the pages that forms return to.

use std::str::FromStr;

use model::error::AppError;
use model::money::Fen;

/// A field by its type's own text form.
pub(crate) fn parse<T: FromStr>(text: &str) -> Result<T, AppError> {
    text.trim().parse().map_err(|_| AppError::Invalid)
}

/// An amount in yuan.
pub(super) fn yuan(text: &str) -> Result<Fen, AppError> {
    Fen::parse_yuan(text.trim()).map_err(|_| AppError::InvalidAmount)
}

/// An amount in yuan; an empty field is zero.
pub(super) fn yuan_or_zero(text: &str) -> Result<Fen, AppError> {
    if text.trim().is_empty() { Ok(Fen::ZERO) } else { yuan(text) }
}

/// The page of a meter's room.
pub(super) fn room_page(meter: &str) -> String {
    format!("/rooms/{meter}")
}
