//! The resident's pages: a calm single column for one thumb.

pub mod alerts;
pub mod balance_status;
pub mod cashier;
pub mod frame;
pub mod help;
pub mod home;
pub mod me;
pub mod order;
pub mod order_body;
pub mod receipt;
pub mod records;
pub mod switch;
pub mod switch_body;
pub mod switching;
pub mod topup;
pub mod usage;
