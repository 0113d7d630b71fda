//! The words of the field as types; each is parsed on construction, so a value that exists is valid.

pub mod abnormal_use;
pub mod account_record;
pub mod alarm;
pub mod approval;
pub mod audit;
pub mod case;
pub mod co2;
pub mod command;
pub mod console;
pub mod defaults;
pub mod energy;
pub mod error;
pub mod event;
pub mod export;
pub mod forecast;
pub mod friendly;
pub mod gateway;
pub mod ids;
pub mod instrument;
pub mod invoice;
pub mod issue;
pub mod kiosk;
pub mod language;
pub mod ledger;
pub mod log_in;
pub mod meter;
pub mod modem;
pub mod money;
pub mod notification;
pub mod operator;
pub mod order;
pub mod parameters;
pub mod permission;
pub mod person;
pub mod personal;
pub mod place;
pub mod reading;
pub mod receipt_sheet;
pub mod reconciliation;
pub mod refund;
pub mod report;
pub mod saved_report;
pub mod search_text;
pub mod setup;
pub mod site_option;
pub mod site_workbook;
pub mod stored;
pub mod subsidy;
pub mod switch;
pub mod switch_schedule;
pub mod tariff;
pub mod task;
pub mod template;
pub mod text_request;
pub mod time;
pub mod typed;
pub mod usage;
pub mod wall;

// For the macros of `stored`.
#[doc(hidden)]
pub use serde;
#[cfg(feature = "sqlx")]
#[doc(hidden)]
pub use sqlx;

// So that the macros of `stored` name this crate the same way inside and outside.
extern crate self as model;
