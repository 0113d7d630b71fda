//! A simulated provider of messages: text messages of any form, Alibaba Cloud's, the robots of groups, and a webhook, all at one
//! address. It keeps what it got, and can be given faults.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

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
}

/// A request that reached the provider.
#[derive(Clone, Debug)]
pub struct ProviderRequest {
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub body: String,
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
        let router = Router::new().fallback(serve).with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(provider)
    }

    /// The address of one of its interfaces: `sms`, `wecom`, `dingtalk`, `feishu` or `webhook`; Alibaba Cloud's is without a
    /// path.
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

    fn lock(&self) -> std::sync::MutexGuard<'_, ProviderState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a request; gives the fault that it meets.
    fn keep(&self, mut request: ProviderRequest) -> ProviderFault {
        let mut state = self.lock();
        let fault = match state.fault {
            ProviderFault::FailsHalf if state.requests.len().is_multiple_of(2) => ProviderFault::Down,
            ProviderFault::FailsHalf => ProviderFault::None,
            fault => fault,
        };
        request.is_taken = matches!(fault, ProviderFault::None | ProviderFault::Garbage | ProviderFault::Slow);
        state.requests.push(request);
        fault
    }
}

async fn serve(State(provider): State<SimulatedProvider>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let path = uri.path().to_owned();
    let request = ProviderRequest {
        path: path.clone(),
        query: uri.query().unwrap_or_default().to_owned(),
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
        is_taken: false,
    };
    match provider.keep(request) {
        ProviderFault::None | ProviderFault::FailsHalf => answer(&path, true),
        ProviderFault::Refuses => answer(&path, false),
        ProviderFault::Garbage => "<html>welcome</html>".into_response(),
        ProviderFault::Redirects => (StatusCode::FOUND, [(header::LOCATION, "/elsewhere")]).into_response(),
        ProviderFault::Slow => {
            tokio::time::sleep(SLOW).await;
            answer(&path, true)
        }
        ProviderFault::Down => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// What each interface answers.
fn answer(path: &str, takes: bool) -> Response {
    let code = i64::from(!takes);
    let body = match path {
        "/sms" => json!({ "code": code, "message": "" }),
        "/wecom" | "/dingtalk" => json!({ "errcode": code, "errmsg": "" }),
        "/feishu" => json!({ "code": code, "msg": "", "data": {} }),
        "/webhook" if takes => return StatusCode::NO_CONTENT.into_response(),
        "/webhook" => return StatusCode::UNPROCESSABLE_ENTITY.into_response(),
        _ => json!({ "Code": if takes { "OK" } else { "isv.MOBILE_NUMBER_ILLEGAL" }, "Message": "", "RequestId": "1" }),
    };
    axum::Json(body).into_response()
}
