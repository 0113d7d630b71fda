//! The payment sandbox: an HTTP server that implements the protocols of all channels with throw-away keys. It shows a cashier
//! page, sends signed notifications, keeps its own books, and injects faults.
//!
//! The product talks to it exactly as to the real gateways, with configured URLs and keys.

mod alipay;
mod alipay_request;
mod alipay_statement;
mod bank;
mod books;
mod cashier;
mod console;
mod control;
mod faults;
mod keys;
mod notify;
mod oauth;
mod state_file;
mod statements;
mod unionpay;
mod unionpay_statement;
mod wechat;
mod wechat_statement;

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{DATE, HOST, ORIGIN};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use model::money::Fen;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use books::{PaidOrder, Status, Trade};
pub use faults::Faults;
pub use keys::Keys;
pub use oauth::APP_SECRET;
pub use statements::StatementFaults;
pub use unionpay::MER_ID;
pub use wechat::{APP_ID, KEY_ID, MCHID};

use self::bank::Bank;
use domain::clock::SharedClock;
use domain::rng::Rng;
use payments::AlipayConfig;
use payments::unionpay::UnionpayConfig;
use payments::wechat::{VerifyConfig, WechatConfig};

pub struct Config {
    /// Address to listen on; port 0 chooses a free port.
    pub address: SocketAddr,
    pub keys: Keys,
    /// Factor by which notifications are repeated faster than on the channels' schedules.
    pub speed: u32,
    pub clock: SharedClock,
    pub rng: Rng,
}

#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("cannot listen on {0}")]
    Listen(SocketAddr, #[source] std::io::Error),
    #[error("a key of the sandbox {0}")]
    Key(#[from] payments::rsa::KeyError),
    #[error("the sandbox's certificates cannot be made")]
    Certificate(#[from] rcgen::Error),
    #[error("the sandbox's file {0} cannot be read or written")]
    State(std::path::PathBuf, #[source] std::io::Error),
    #[error("the HTTP client for notifications cannot be built")]
    Client(#[source] reqwest::Error),
}

/// A running sandbox; dropping it stops it.
pub struct Sandbox {
    address: SocketAddr,
    keys: Keys,
    bank: Bank,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// # Errors
/// [`SandboxError`] if the address is in use or the keys are invalid.
pub async fn start(config: Config) -> Result<Sandbox, SandboxError> {
    let listen = |error| SandboxError::Listen(config.address, error);
    let listener = TcpListener::bind(config.address).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let keys = config.keys.clone();
    let bank = Bank::new(config, stop.clone(), tasks.clone())?;
    let router = routes(bank.clone());
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let stopping = stop.clone();
    tasks.spawn(async move {
        // No graceful shutdown, because some faults keep connections open on purpose.
        let serving = axum::serve(listener, service);
        tokio::select! {
            () = stopping.cancelled() => {}
            served = serving.into_future() => {
                if let Err(error) = served {
                    tracing::error!(error = &error as &dyn std::error::Error, "sandbox.ended");
                }
            }
        }
    });
    tracing::info!(%address, "sandbox.started");
    Ok(Sandbox { address, keys, bank, stop, tasks })
}

fn routes(bank: Bank) -> Router {
    let control = Router::new()
        .route("/control", get(console::show))
        .route("/control/refund/{out_trade_no}", post(console::refund))
        .route("/control/books", get(control::books))
        .route("/control/faults", put(control::set_faults).get(control::faults))
        .route("/control/pay/{out_trade_no}", post(control::pay))
        .route("/control/notify/{out_trade_no}", post(control::notify))
        .route_layer(from_fn(own_page_only));
    Router::new()
        .route("/", get(cashier::front).post(unionpay_statement::file))
        .route("/gateway.do", get(alipay::by_get).post(alipay::by_post))
        .route("/v3/pay/transactions/{kind}", post(wechat::prepay))
        .route("/v3/pay/transactions/out-trade-no/{number}", get(wechat::query))
        .route("/v3/pay/transactions/out-trade-no/{number}/close", post(wechat::close))
        .route("/v3/certificates", get(wechat::certificates))
        .route("/v3/refund/domestic/refunds", post(wechat::refund))
        .route("/v3/refund/domestic/refunds/{number}", get(wechat::query_refund))
        .route("/statements/alipay", get(alipay_statement::download))
        .route("/v3/bill/tradebill", get(wechat_statement::address))
        .route("/v3/billdownload/file", get(wechat_statement::download))
        .route("/connect/oauth2/authorize", get(oauth::authorize))
        .route("/sns/oauth2/access_token", get(oauth::token))
        .route("/gateway/api/frontTransReq.do", post(unionpay::front))
        .route("/gateway/api/queryTrans.do", post(unionpay::query))
        .route("/gateway/api/backTransReq.do", post(unionpay::refund))
        .route("/cashier/{token}", get(cashier::show))
        .route("/cashier/{token}/pay", post(cashier::pay))
        .route("/cashier/{token}/cancel", post(cashier::cancel))
        .merge(control)
        .layer(DefaultBodyLimit::max(payments::form::MAX_BYTES))
        .layer(axum::middleware::from_fn_with_state(bank.clone(), date))
        .with_state(bank)
}

/// Refuses what another site makes a browser send.
async fn own_page_only(request: Request, next: Next) -> Response {
    let is_own = {
        let text = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
        domain::address::is_own_page(text(HOST), text(ORIGIN))
    };
    if is_own { next.run(request).await } else { StatusCode::FORBIDDEN.into_response() }
}

/// The `Date` header by the sandbox's clock instead of the machine's.
async fn date(State(bank): State<Bank>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let since_epoch = std::time::Duration::from_millis(bank.now().0.unsigned_abs());
    if let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(std::time::UNIX_EPOCH + since_epoch)) {
        response.headers_mut().insert(DATE, date);
    }
    response
}

impl Sandbox {
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Alipay's gateway URL; `host` is the name under which the payer's browser reaches this machine.
    #[must_use]
    pub fn gateway(&self, host: &str) -> String {
        format!("http://{host}:{}/gateway.do", self.address.port())
    }

    #[must_use]
    pub const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The product's configuration for Alipay payments at this sandbox.
    #[must_use]
    pub fn product_config(&self, host: &str) -> AlipayConfig {
        AlipayConfig {
            gateway: self.gateway(host),
            app_id: self.keys.app_id.clone(),
            seller_id: self.keys.seller_id.clone(),
            private_key: Some(self.keys.app_private.clone()),
            alipay_public_key: Some(self.keys.gateway_public.clone()),
            ..AlipayConfig::default()
        }
    }

    /// The product's configuration for WeChat Pay payments at this sandbox.
    #[must_use]
    pub fn wechat_config(&self, host: &str) -> WechatConfig {
        WechatConfig {
            gateway: format!("http://{host}:{}", self.address.port()),
            app_id: wechat::APP_ID.to_owned(),
            app_secret: Some(APP_SECRET.into()),
            mchid: wechat::MCHID.to_owned(),
            api_v3_key: self.keys.api_v3_key.clone(),
            certificate: Some(self.keys.certificate.clone()),
            private_key: Some(self.keys.app_private.clone()),
            verify: vec![VerifyConfig {
                id: wechat::KEY_ID.to_owned(),
                public_key: Some(self.keys.gateway_public.clone()),
                ..VerifyConfig::default()
            }],
            ..WechatConfig::default()
        }
    }

    /// The product's configuration for UnionPay payments at this sandbox.
    #[must_use]
    pub fn unionpay_config(&self, host: &str) -> UnionpayConfig {
        UnionpayConfig {
            gateway: format!("http://{host}:{}", self.address.port()),
            files: format!("http://{host}:{}", self.address.port()),
            mer_id: MER_ID.to_owned(),
            certificate: Some(self.keys.certificate.clone()),
            private_key: Some(self.keys.app_private.clone()),
            root: Some(self.keys.chain.root.clone()),
            middle: Some(self.keys.chain.middle.clone()),
            ..UnionpayConfig::default()
        }
    }

    /// Makes WeChat Pay sign with a new platform certificate of this serial number from now on; returns the certificate.
    ///
    /// # Errors
    /// [`SandboxError::Certificate`].
    pub fn sign_wechat_with_certificate(&self, serial: u32) -> Result<String, SandboxError> {
        let certificate = keys::certificate(&self.keys.gateway()?, "sandbox platform", serial)?;
        self.bank.0.wechat.sign_by(format!("{serial:X}"), certificate.clone());
        Ok(certificate)
    }

    /// The body of a notification about a UnionPay trade, with some fields changed before signing; `None` if the trade is unpaid.
    #[must_use]
    pub fn unionpay_notification(&self, out_trade_no: &str, changes: &[(&str, &str)]) -> Option<String> {
        let trade = self.bank.find(out_trade_no)?;
        self.bank.unionpay_form(&trade, &Faults::default(), changes)
    }

    pub fn set_faults(&self, faults: Faults) {
        self.bank.set_faults(faults);
    }

    /// Pays a trade as the payer would at the cashier; false if it does not exist or cannot be paid.
    #[must_use]
    pub fn pay(&self, out_trade_no: &str) -> bool {
        self.bank.pay(out_trade_no)
    }

    /// Takes the payment of an order as if its payer had gone through the cashier, now and without a notification.
    pub fn take(&self, order: &PaidOrder<'_>) {
        self.bank.take(order);
    }

    /// Refunds a part of a paid trade, as an operator of the channel's console would.
    #[must_use]
    pub fn refund(&self, out_trade_no: &str, request: &str, amount: Fen) -> bool {
        self.bank.refund(out_trade_no, request, amount)
    }

    /// Sends another notification of the trade's current state.
    #[must_use]
    pub fn notify(&self, out_trade_no: &str) -> bool {
        self.bank.notify(out_trade_no)
    }

    #[must_use]
    pub fn books(&self) -> Vec<Trade> {
        self.bank.books()
    }

    /// Stops the sandbox and waits for its tasks.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
