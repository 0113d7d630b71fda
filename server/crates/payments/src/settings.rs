//! Validation shared by the configurations of all channels.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

use super::client::GatewayClient;
use super::config::ConfigError;
use domain::clock::SharedClock;

/// A table of the configuration file, e.g. `pay.alipay`.
#[derive(Clone, Copy)]
pub struct ConfigSection(pub &'static str);

impl ConfigSection {
    /// An error for one of the table's keys.
    #[must_use]
    pub fn fault(self, key: &str, problem: impl Into<String>) -> ConfigError {
        ConfigError { key: format!("{}.{key}", self.0), problem: problem.into() }
    }

    /// Parses the key `gateway`; see [`Self::address`].
    ///
    /// # Errors
    /// As [`Self::address`].
    pub fn gateway(self, text: &str, example: &str) -> Result<(Url, bool), ConfigError> {
        self.address("gateway", text, example)
    }

    /// Parses a URL without query and fragment; also returns whether its host is local (see [`is_local`]).
    ///
    /// # Errors
    /// [`ConfigError`] if it is not such a URL, or is plain HTTP to a host that is not local.
    pub fn address(self, key: &str, text: &str, example: &str) -> Result<(Url, bool), ConfigError> {
        let url = Url::parse(text).ok().filter(|url| url.has_host() && url.query().is_none() && url.fragment().is_none());
        let url = url.ok_or_else(|| self.fault(key, format!("is not an address like {example}")))?;
        let local = url.host_str().is_some_and(is_local);
        if url.scheme() != "https" && !(url.scheme() == "http" && local) {
            return Err(self.fault(key, "must be https (http only for a sandbox on this network)"));
        }
        Ok((url, local))
    }

    /// Parses a URL without a path; returns it without a trailing slash, and whether its host is local.
    ///
    /// # Errors
    /// As [`Self::address`], and if the URL has a path.
    pub fn origin(self, key: &str, text: &str, example: &str) -> Result<(String, bool), ConfigError> {
        let (url, local) = self.address(key, text, example)?;
        if url.path() != "/" {
            return Err(self.fault(key, format!("is not an address like {example}")));
        }
        Ok((text.trim_end_matches('/').to_owned(), local))
    }

    /// Validates `lifetime_minutes` and `timeout_ms`; returns the timeout.
    ///
    /// # Errors
    /// [`ConfigError`] if either is out of range.
    pub fn times(self, lifetime_minutes: i64, timeout_ms: u64) -> Result<Duration, ConfigError> {
        if !(2..=120).contains(&lifetime_minutes) {
            return Err(self.fault("lifetime_minutes", "must be 2 to 120"));
        }
        if !(100..=60_000).contains(&timeout_ms) {
            return Err(self.fault("timeout_ms", "must be 100 to 60000"));
        }
        Ok(Duration::from_millis(timeout_ms))
    }

    /// Builds the HTTP client for a gateway.
    ///
    /// # Errors
    /// [`ConfigError`] if TLS cannot be initialised.
    pub fn client(self, local: bool, timeout: Duration, clock: SharedClock) -> Result<GatewayClient, ConfigError> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("dormwatt/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(timeout.min(Duration::from_secs(5)))
            .timeout(timeout)
            // A redirect would send a signed request to a host that is not configured.
            .redirect(reqwest::redirect::Policy::none());
        if local {
            builder = builder.no_proxy();
        }
        let http =
            builder.build().map_err(|_| self.fault("gateway", "cannot be called: TLS cannot be initialised on this machine"))?;
        Ok(GatewayClient::new(http, clock))
    }

    /// Parses a key or certificate that is given inline or by file.
    ///
    /// # Errors
    /// [`ConfigError`] if it is missing, given twice, unreadable, or rejected by `parse`.
    pub fn key<K, E: std::fmt::Display>(
        self,
        name: &str,
        inline: Option<&str>,
        file: Option<&PathBuf>,
        parse: impl Fn(&str) -> Result<K, E>,
    ) -> Result<K, ConfigError> {
        match (inline, file) {
            (Some(_), Some(_)) => Err(self.fault(name, format!("is given twice, here and as {name}_file"))),
            (None, None) => Err(self.fault(name, format!("is missing; give it here or as {name}_file"))),
            (Some(text), None) => parse(text).map_err(|error| self.fault(name, error.to_string())),
            (None, Some(path)) => {
                let (key, path_text) = (format!("{name}_file"), path.display());
                let text = std::fs::read_to_string(path)
                    .map_err(|error| self.fault(&key, format!("names {path_text}, which cannot be read: {error}")))?;
                parse(&text).map_err(|error| self.fault(&key, format!("names {path_text}, which {error}")))
            }
        }
    }
}

/// Whether a URL leads to this machine.
#[must_use]
pub fn is_loopback_url(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| url.host_str().and_then(local_address).is_some_and(|ip| ip.is_loopback()))
}

/// Whether the host is this machine or on its private network: a sandbox, reached without TLS and without the outbound proxy.
fn is_local(host: &str) -> bool {
    local_address(host).is_some()
}

/// The address of a host that is this machine or on its private network.
fn local_address(host: &str) -> Option<IpAddr> {
    if host == "localhost" {
        return Some(Ipv4Addr::LOCALHOST.into());
    }
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>().ok()?.to_canonical();
    let is_local = match address {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local(),
    };
    is_local.then_some(address)
}
