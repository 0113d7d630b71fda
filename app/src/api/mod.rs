//! Server functions by area, and the port behind each: who, may they, call the port, map the error.
//!
//! Reads that only a page needs are plain functions; a server function exists only where a browser calls it.

pub mod auth;
pub mod operator;
pub mod resident;
