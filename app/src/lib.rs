//! Everything that both the browser and the server know: types, views, server functions, ports.
//!
//! Compiled twice: to WebAssembly with `hydrate`, natively with `ssr`. It knows no database, socket or clock;
//! what it needs from the outside it asks of a port (`ports.rs`) that the server puts into the request's context.
#![recursion_limit = "256"]
#![cfg_attr(
    not(feature = "ssr"),
    allow(unused_imports, dead_code, reason = "bodies of server functions are compiled for the server only")
)]

pub mod access;
pub mod api;
pub mod app;
pub mod i18n;
pub mod link;
pub mod pages;
pub mod ports;
pub mod service_worker;
pub mod ui;
