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
mod payments;
pub mod reconcile;
pub mod rsa;
mod settings;
mod settling;
pub mod unionpay;
pub mod unpack;
pub mod wechat;
mod wire;
pub mod x509;

pub use alipay::AlipayConfig;
pub use channel::{Cashier, Channel, Device, Form, Payer, PayerId, SignIn};
pub use config::{Config, ConfigError};
pub use payments::{Payments, Started};
pub use reconcile::ReconcileConfig;
pub use unionpay::UnionpayConfig;
pub use wechat::WechatConfig;
