//! What the configurations of all channels check in the same words.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

use super::config::ConfigError;

/// A table of the configuration file, e.g. `pay.alipay`.
#[derive(Clone, Copy)]
pub struct Section(pub &'static str);

impl Section {
    /// A fault of one of its keys.
    #[must_use]
    pub fn fault(self, key: &str, problem: impl Into<String>) -> ConfigError {
        ConfigError { key: format!("{}.{key}", self.0), problem: problem.into() }
    }

    /// The address of a gateway, and whether it is a sandbox on this machine or its network.
    ///
    /// # Errors
    /// Where it is no address, or one without TLS that leads elsewhere.
    pub fn gateway(self, text: &str, example: &str) -> Result<(Url, bool), ConfigError> {
        self.address("gateway", text, example)
    }

    /// The same of any key.
    ///
    /// # Errors
    /// As [`Self::gateway`].
    pub fn address(self, key: &str, text: &str, example: &str) -> Result<(Url, bool), ConfigError> {
        let url = Url::parse(text).ok().filter(|url| url.has_host() && url.query().is_none() && url.fragment().is_none());
        let url = url.ok_or_else(|| self.fault(key, format!("is not an address like {example}")))?;
        let nearby = url.host_str().is_some_and(is_nearby);
        if url.scheme() != "https" && !(url.scheme() == "http" && nearby) {
            return Err(self.fault(key, "must be https (http only for a sandbox on this network)"));
        }
        Ok((url, nearby))
    }

    /// The same where only the origin counts; without a slash at its end.
    ///
    /// # Errors
    /// As [`Self::gateway`]; where it has a path.
    pub fn origin(self, key: &str, text: &str, example: &str) -> Result<(String, bool), ConfigError> {
        let (url, nearby) = self.address(key, text, example)?;
        if url.path() != "/" {
            return Err(self.fault(key, format!("is not an address like {example}")));
        }
        Ok((text.trim_end_matches('/').to_owned(), nearby))
    }

    /// For how long an order may be paid, and how long the gateway may take.
    ///
    /// # Errors
    /// Where either makes no sense.
    pub fn times(self, lifetime_minutes: i64, timeout_ms: u64) -> Result<Duration, ConfigError> {
        if !(2..=120).contains(&lifetime_minutes) {
            return Err(self.fault("lifetime_minutes", "must be 2 to 120"));
        }
        if !(100..=60_000).contains(&timeout_ms) {
            return Err(self.fault("timeout_ms", "must be 100 to 60000"));
        }
        Ok(Duration::from_millis(timeout_ms))
    }

    /// What calls a gateway.
    ///
    /// # Errors
    /// Where this machine's TLS does not start.
    pub fn client(self, nearby: bool, timeout: Duration) -> Result<reqwest::Client, ConfigError> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("dormwatt/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(timeout.min(Duration::from_secs(5)))
            .timeout(timeout)
            // A redirected signed request would go to somebody that we did not configure.
            .redirect(reqwest::redirect::Policy::none());
        if nearby {
            builder = builder.no_proxy();
        }
        builder.build().map_err(|_| self.fault("gateway", "cannot be called: this machine's TLS does not start"))
    }

    /// A key or certificate, given here or as a file.
    ///
    /// # Errors
    /// Where it is missing, given twice, cannot be read, or `parse` refuses it.
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

/// On this machine or its network: a sandbox, which needs neither TLS nor the proxy that leads outside.
fn is_nearby(host: &str) -> bool {
    match host.trim_matches(['[', ']']).parse() {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local(),
        Err(_) => host == "localhost",
    }
}
