//! The name or address of a host.

use std::fmt;
use std::net::IpAddr;

/// A host name, or an IPv4 or IPv6 address without brackets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Host(String);

impl Host {
    /// The longest name.
    pub const LONGEST: u32 = 253;

    /// Space around it does not count. `None` where no host can be called so.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        (text.parse::<IpAddr>().is_ok() || is_name(text)).then(|| Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// As a certificate can carry it. A name that ends in a number would be a mistyped address.
fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= Host::LONGEST as usize && name.split('.').all(is_label) && !last.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_hosts() {
        for good in ["10.0.0.7", "fe80::1", "gw-3.example.cn", "gateway", " 3com.example ", "xn--fiq228c"] {
            assert_eq!(Host::parse(good).map(|host| host.to_string()), Some(good.trim().to_owned()));
        }
    }

    #[test]
    fn what_no_host_can_be_called_is_refused() {
        let long = format!("{}.example", "a".repeat(250));
        for bad in ["", "a b", "-a", "a-", "a..b", "https://a", "10.0.0.256", "10.0.0", "1.2.3.4:502", "[::1]", "楼", &long] {
            assert_eq!(Host::parse(bad), None, "{bad}");
        }
    }
}
