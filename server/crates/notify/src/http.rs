//! Requests to providers: no redirects are followed, every wait ends, and answers are bounded.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use domain::public_address::is_public;
use model::notification::NotificationReason;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{ClientBuilder, Method, Url};
use serde_json::Value;

const CONNECT: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(15);
const MOST_BYTES: usize = 64 * 1024;

/// Cheap to clone.
#[derive(Clone)]
pub struct HttpClient(reqwest::Client);

/// A request to a provider.
pub struct Request {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// What a provider answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

impl HttpClient {
    /// # Errors
    /// Where TLS cannot be set up.
    pub fn new() -> Result<Self, reqwest::Error> {
        builder().build().map(Self)
    }

    /// Reaches the internet only: for addresses that a stranger chose. Addresses that are no names are for [`is_public_url`].
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn to_internet() -> Result<Self, reqwest::Error> {
        builder().dns_resolver(PublicNames).build().map(Self)
    }

    /// # Errors
    /// [`NotificationReason::Unreachable`], [`NotificationReason::Redirected`], and [`NotificationReason::Garbage`] for an
    /// answer that is too long.
    pub async fn send(&self, request: Request) -> Result<Answer, NotificationReason> {
        let Request { method, url, headers, body } = request;
        // The error names the address, which may hold a secret: none of it is kept.
        let unreachable = |_: reqwest::Error| NotificationReason::Unreachable;
        let sent = self.0.request(method, url).headers(headers).body(body).send().await;
        let mut response = sent.map_err(unreachable)?;
        if response.status().is_redirection() {
            return Err(NotificationReason::Redirected);
        }
        let (status, mut body) = (response.status().as_u16(), Vec::new());
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > MOST_BYTES {
                return Err(NotificationReason::Garbage);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, body })
    }

    /// Posts JSON; gives the JSON of a good answer.
    ///
    /// # Errors
    /// As [`Self::send`], [`Answer::require_success`] and [`Answer::json`].
    pub async fn post_json(&self, url: Url, body: &Value) -> Result<Value, NotificationReason> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        let request = Request { method: Method::POST, url, headers, body: body.to_string().into_bytes() };
        let answer = self.send(request).await?;
        answer.require_success()?;
        answer.json()
    }
}

fn builder() -> ClientBuilder {
    let client = reqwest::Client::builder().user_agent("dormwatt").connect_timeout(CONNECT).timeout(WHOLE);
    client.redirect(Policy::none()).no_proxy()
}

/// Finds the public addresses of a name; what leads to this machine or its network is not found.
struct PublicNames;

impl Resolve for PublicNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err("the name has no public address".into());
            }
            let addresses: Addrs = Box::new(public.into_iter());
            Ok(addresses)
        })
    }
}

/// Whether an address that a stranger chose may be called: HTTPS on its usual port, and no number that leads inside.
#[must_use]
pub fn is_public_url(url: &Url) -> bool {
    let is_plain = url.scheme() == "https"
        && url.port().is_none()
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none();
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    is_plain && host.parse::<IpAddr>().map_or(true, is_public)
}

pub use reqwest::header::CONTENT_TYPE;
pub const JSON: &str = "application/json; charset=utf-8";

impl Answer {
    /// # Errors
    /// By the status: [`NotificationReason::Busy`] where a later try may succeed.
    pub const fn require_success(&self) -> Result<(), NotificationReason> {
        match self.status {
            200..=299 => Ok(()),
            401 | 403 => Err(NotificationReason::LogIn),
            408 | 425 | 429 | 500.. => Err(NotificationReason::Busy),
            _ => Err(NotificationReason::Refused),
        }
    }

    /// # Errors
    /// [`NotificationReason::Garbage`].
    pub fn json(&self) -> Result<Value, NotificationReason> {
        serde_json::from_slice(&self.body).map_err(|_| NotificationReason::Garbage)
    }
}

/// An address that a secret may be sent to: over TLS, or on this machine.
///
/// # Errors
/// What is wrong with it, without the address.
pub fn checked_url(text: &str) -> Result<Url, &'static str> {
    let url: Url = text.parse().map_err(|_| "is no address such as https://sms.example.com/send")?;
    let is_here = url.host_str().is_some_and(|host| {
        host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    });
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_here => Ok(url),
        "http" => Err("must begin with https://: keys and numbers would travel in the clear"),
        _ => Err("must begin with https://"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_travel_over_tls_only() {
        assert!(checked_url("https://oapi.dingtalk.com/robot/send?access_token=x").is_ok());
        for here in ["http://127.0.0.1:8090/sms", "http://localhost/", "http://[::1]:80/"] {
            assert!(checked_url(here).is_ok(), "{here}");
        }
        for bad in ["http://sms.example.com", "ftp://127.0.0.1", "sms.example.com", "", "file:///etc/passwd"] {
            assert!(checked_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_status_says_whether_another_try_may_help() {
        let of = |status| Answer { status, body: Vec::new() }.require_success();
        assert_eq!([200, 204].map(of), [Ok(()), Ok(())]);
        assert_eq!([429, 500, 503].map(of), [Err(NotificationReason::Busy); 3]);
        assert_eq!([401, 403].map(of), [Err(NotificationReason::LogIn); 2]);
        assert_eq!([400, 404, 422].map(of), [Err(NotificationReason::Refused); 3]);
    }
}
