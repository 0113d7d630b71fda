//! Server functions by page area, and the port behind each: check the person, parse the form, call the port, map the error.
//!
//! Reads that only a page needs are methods of the port; a server function exists only where a browser calls it.

pub mod account_batches;
pub mod account_lifecycle;
pub mod account_numbers;
pub mod accounts;
pub mod alarm_rules;
pub mod alarms;
pub mod alerts;
pub mod approvals;
pub mod audit;
pub mod auth;
pub mod batches;
pub mod cases;
pub mod channels;
pub mod commissioning;
pub mod discovery;
mod error;
pub mod exports;
pub(crate) mod form;
pub mod friendly_hours;
pub mod gateways;
pub mod history;
pub mod instruments;
pub mod invitations;
pub mod invoices;
pub mod kiosks;
pub mod ledger;
pub mod message_texts;
pub mod meter_setup;
pub mod meter_wall;
pub mod meters;
pub mod notifications;
pub mod operator_alerts;
pub mod operators;
pub mod other_rooms;
pub mod pay_links;
pub mod personal;
pub mod phone_log_in;
pub mod places;
pub mod prices;
pub mod printing;
pub mod receipts;
pub mod reconciliation;
pub mod refunds;
pub mod reports;
pub mod resident;
pub mod roommates;
pub mod rooms;
pub mod sales;
pub mod settings;
pub mod setup;
pub mod shifts;
pub mod site;
pub mod site_import;
pub mod tasks;
pub mod wechat_log_in;

use crate::ports::reply;
pub use error::ApiError;
use model::error::AppError;

/// Ends a form's server function: redirects to the path it gives, or back with the error's code as `?e=`, where the form is
/// filled in again.
///
/// # Errors
/// The outcome's, where the caller is a program and not a form.
pub fn answer(outcome: Result<String, AppError>, back: &str) -> Result<(), ApiError> {
    let reply = reply()?;
    match outcome {
        Ok(path) => {
            reply.redirect(&path);
            Ok(())
        }
        Err(error) if reply.send_back(error, back) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Ends a form's server function that made a code: redirects to the page that shows it once.
///
/// # Errors
/// As [`answer`].
pub fn show_once(made: Result<String, AppError>, page: &str) -> Result<(), ApiError> {
    let reply = reply()?;
    answer(
        made.map(|code| {
            reply.once(&code);
            page.to_owned()
        }),
        page,
    )
}

/// Ends a form's server function that did nothing: redirects to `back`, which says why, with the form as it was posted.
///
/// # Errors
/// [`AppError::Internal`] outside a request.
pub fn refuse(back: &str) -> Result<(), ApiError> {
    reply()?.again(back);
    Ok(())
}
