//! A simulated provider of messages: text messages of any form, Alibaba Cloud's, the robots of groups, a webhook, WeChat with its
//! sign-in, and the push service of browsers, all at one address. It keeps what it got, and can be given faults.

mod interfaces;
mod oauth;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::Value;
use tokio::net::TcpListener;
use webpush::Receiver;

use interfaces::{Refusal, answer};
use oauth::SignIns;

/// Longer than any client waits.
const SLOW: Duration = Duration::from_secs(60);

/// What is wrong with the provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProviderFault {
    #[default]
    None,
    /// It refuses each message.
    Refuses,
    /// It has no time for every other request, beginning with the first.
    FailsHalf,
    /// It answers what is no answer, though it took the message.
    Garbage,
    /// It sends the request elsewhere.
    Redirects,
    /// It answers after a minute.
    Slow,
    /// It has no time for anything.
    Down,
    /// Nobody is behind the address any more.
    Gone,
}

/// A request that reached the provider.
#[derive(Clone, Debug)]
pub struct ProviderRequest {
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub body: String,
    pub bytes: Vec<u8>,
    /// Whether it was taken.
    pub is_taken: bool,
}

impl ProviderRequest {
    /// The body, or nothing where it is no JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// A header; empty where there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

#[derive(Debug, Default)]
struct ProviderState {
    requests: Vec<ProviderRequest>,
    fault: ProviderFault,
    /// By the path of their endpoint.
    browsers: HashMap<String, Arc<Receiver>>,
    /// Access tokens of WeChat that have ended.
    ended_tokens: u32,
    sign_ins: SignIns,
}

/// Cheap to clone; all clones are the same provider.
#[derive(Clone, Debug)]
pub struct SimulatedProvider {
    address: SocketAddr,
    state: Arc<Mutex<ProviderState>>,
}

impl SimulatedProvider {
    /// A provider on a free port of this machine, without faults.
    ///
    /// # Errors
    /// Where no port can be had.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let provider = Self { address: listener.local_addr()?, state: Arc::default() };
        let router = Router::new().route(oauth::AUTHORIZE, get(oauth::authorize)).fallback(serve).with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(provider)
    }

    /// The address of one of its interfaces: `sms`, `wecom`, `dingtalk`, `feishu` or `webhook`; Alibaba Cloud's and WeChat's are
    /// without a path.
    #[must_use]
    pub fn url(&self, interface: &str) -> String {
        format!("http://{}/{interface}", self.address)
    }

    pub fn set_fault(&self, fault: ProviderFault) {
        self.lock().fault = fault;
    }

    /// Everything that reached it.
    #[must_use]
    pub fn requests(&self) -> Vec<ProviderRequest> {
        self.lock().requests.clone()
    }

    /// What it took through one of its interfaces.
    #[must_use]
    pub fn taken(&self, interface: &str) -> Vec<ProviderRequest> {
        let of = |request: &ProviderRequest| request.is_taken && request.path.trim_start_matches('/') == interface;
        self.requests().into_iter().filter(of).collect()
    }

    /// A new browser, subscribed at the push service.
    ///
    /// # Errors
    /// Where no key can be made.
    pub fn browser(&self, name: &str) -> Result<Arc<Receiver>, webpush::UnusableKey> {
        let receiver = Arc::new(Receiver::new(&self.url(&format!("push/{name}")))?);
        self.lock().browsers.insert(format!("/push/{name}"), receiver.clone());
        Ok(receiver)
    }

    /// A person takes the permission back.
    pub fn remove_browser(&self, name: &str) {
        self.lock().browsers.remove(&format!("/push/{name}"));
    }

    /// What a browser showed.
    #[must_use]
    pub fn shown(&self, name: &str) -> Vec<Value> {
        let Some(browser) = self.lock().browsers.get(&format!("/push/{name}")).cloned() else { return Vec::new() };
        let opened = |request: ProviderRequest| serde_json::from_slice(&browser.open(&request.bytes).ok()?).ok();
        self.taken(&format!("push/{name}")).into_iter().filter_map(opened).collect()
    }

    /// Takes WeChat's access token back before its time.
    pub fn end_token(&self) {
        self.lock().ended_tokens += 1;
    }

    /// How much it took through one of its interfaces.
    #[must_use]
    pub fn count_taken(&self, interface: &str) -> usize {
        let of = |request: &&ProviderRequest| request.is_taken && request.path.trim_start_matches('/') == interface;
        self.lock().requests.iter().filter(of).count()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, ProviderState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a request; gives the fault that it meets, and why its interface refuses it.
    fn keep(&self, mut request: ProviderRequest) -> (ProviderFault, Option<Refusal>) {
        let mut state = self.lock();
        let refusal = state.refusal(&request);
        let fault = match state.fault {
            ProviderFault::FailsHalf if state.requests.len().is_multiple_of(2) => ProviderFault::Down,
            ProviderFault::FailsHalf => ProviderFault::None,
            fault => fault,
        };
        request.is_taken =
            refusal.is_none() && matches!(fault, ProviderFault::None | ProviderFault::Garbage | ProviderFault::Slow);
        state.requests.push(request);
        (fault, refusal)
    }
}

async fn serve(State(provider): State<SimulatedProvider>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let path = uri.path().to_owned();
    let request = ProviderRequest {
        path: path.clone(),
        query: uri.query().unwrap_or_default().to_owned(),
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
        bytes: body.to_vec(),
        is_taken: false,
    };
    let (fault, refusal) = provider.keep(request);
    let token = provider.lock().token();
    let openid = if path == oauth::ACCESS_TOKEN { provider.lock().sign_ins.take(uri.query()) } else { None };
    let given = openid.as_deref().unwrap_or(&token);
    match (fault, refusal) {
        (ProviderFault::None | ProviderFault::FailsHalf, Some(refusal)) => refusal.into_response(),
        (ProviderFault::None | ProviderFault::FailsHalf, None) => answer(&path, true, given),
        (ProviderFault::Refuses, _) => answer(&path, false, given),
        (ProviderFault::Garbage, _) => "<html>welcome</html>".into_response(),
        (ProviderFault::Redirects, _) => (StatusCode::FOUND, [(header::LOCATION, "/elsewhere")]).into_response(),
        (ProviderFault::Slow, _) => {
            tokio::time::sleep(SLOW).await;
            answer(&path, true, given)
        }
        (ProviderFault::Down, _) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        (ProviderFault::Gone, _) => Refusal::gone(&path).into_response(),
    }
}
