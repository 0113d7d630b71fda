//! Files for people: what spreadsheets read.

pub mod csv;
