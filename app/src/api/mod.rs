//! Server functions by area, and the port behind each: who, may they, call the port, map the error.
//!
//! Reads that only a page needs are plain functions; a server function exists only where a browser calls it.

pub mod auth;
mod error;
pub mod life;
pub mod operator;
pub mod reconcile;
pub mod resident;
pub mod site;
pub mod till;

use crate::ports::ports;
pub use error::ApiError;
use model::error::AppError;

/// How a form's server function ends: onwards to the path it gives, or back with the error's code as `?e=`.
///
/// # Errors
/// The outcome's, where the caller is a program and not a form.
pub fn answer(outcome: Result<String, AppError>, back: &str) -> Result<(), ApiError> {
    let reply = ports()?.reply;
    match outcome {
        Ok(path) => {
            reply.redirect(&path);
            Ok(())
        }
        Err(error) if reply.send_back(error, back) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
