//! Payment channels: each speaks its own protocol and gives out nothing that moves money but a [`Verified`] event.
//!
//! [`Payments`] is what the rest of the server uses: `start` stores order and attempt and gives the form for the payer's browser,
//! `routes` take the channel's notifications, and the query job (`tasks/query_payments.rs`) asks for what was not told.

pub mod alipay;
pub mod bill;
pub mod channel;
mod config;
pub mod expiry;
pub mod form;
mod limit;
mod payments;
pub mod reconcile;
mod routes;
pub mod rsa;
pub mod sandbox;
mod settings;
mod settling;
pub mod unionpay;
pub mod unpack;
mod verified;
pub mod wechat;
mod wire;
mod x509;

pub use alipay::AlipayConfig;
pub use channel::{Cashier, Channel, Device, Form, Payer, PayerId, SignIn};
pub use config::{Config, ConfigError};
pub use payments::{Payments, Started, TopUp};
pub use reconcile::ReconcileConfig;
pub use routes::routes;
pub use unionpay::UnionpayConfig;
pub use verified::{Kind, Source, Verified};
pub use wechat::WechatConfig;
