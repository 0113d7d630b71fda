//! What the pages and server functions ask for: one service an area, over the store, the meters and the payment channels.

pub mod account_lifecycle;
pub mod auth;
pub mod cash_desk;
pub mod console;
pub mod reconciliation;
pub mod residents;
