//! The black-box stories, one binary: what is shared is compiled and linked once. Most run on both databases.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test says so by failing")]

/// Before all others, for its macro.
#[macro_use]
mod support;

mod access;
mod accounts;
mod batches;
mod channels;
mod cli;
mod closing;
mod commands;
mod console_refunds;
mod delivery;
mod dlt645;
mod expiries;
mod faults;
mod framings;
mod full_disk;
mod gateways;
mod giving_back;
mod held;
mod jsapi;
mod ledger;
mod life;
mod live;
mod logs;
mod memory;
mod moving;
mod operator;
mod orders;
mod outbox;
mod payments;
mod polling;
mod races;
mod readings;
mod reconcile;
mod refunds;
mod resident;
mod returns;
mod rules;
mod sessions;
mod shifts;
mod supply;
mod sweeping;
mod switching;
mod till;
mod truth;
mod unionpay;
mod uses;
mod wallet_truth;
mod wallets;
mod wechat;
mod withdrawing;
