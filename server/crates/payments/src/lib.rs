//! Payment channels: one adapter per channel, its statements, and settlement.
//!
//! Only a [`domain::payment_event::VerifiedEvent`] changes payment states, and only the adapters' signature checks produce one.
//! [`Payments::start`] stores an order with an attempt and opens the channel's cashier; notifications and query responses go to
//! [`Payments::settle`].

pub mod alipay;
pub mod channel;
mod client;
mod config;
pub mod expiry;
pub mod form;
pub mod health;
mod merchant;
mod notifications;
mod payments;
mod queries;
pub mod reconcile;
mod response_body;
pub mod rsa;
mod settings;
mod settlement;
pub mod statement;
pub mod unionpay;
pub mod unpack;
mod verified;
pub mod wechat;
pub mod x509;

pub use alipay::AlipayConfig;
pub use channel::{Cashier, Channel, Device, Form, Payer, PayerId, SignIn};
pub use config::{Config, ConfigError, FormerMerchants, Merchants};
pub use merchant::{ChannelFault, Merchant};
pub use payments::{Payments, StartedPayment};
pub use queries::{MerchantMissing, QueryError};
pub use reconcile::ReconcileConfig;
pub use settings::is_loopback_url;
pub use unionpay::UnionpayConfig;
pub use wechat::WechatConfig;
