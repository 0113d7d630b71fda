//! The lines that a modem writes, and what they mean.

mod answer;
mod lines;

pub use answer::{Failure, Final, Unsolicited, fields, quoted, stored_messages};
pub use lines::{Lines, Token};
