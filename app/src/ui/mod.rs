//! Small components, one a file, each with its CSS in `style/`.

pub mod notice;
pub mod preferences;
pub mod secret_field;
pub mod theme;
