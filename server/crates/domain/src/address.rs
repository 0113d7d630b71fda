//! Addresses as limits count them.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The address that shares a limit with this one: an IPv4 address itself, the /64 of an IPv6 address, since whoever has one
/// address of it has all. Not more, because neighbours would share a limit: some providers give a subscriber no more than a /64.
#[must_use]
pub fn block(address: IpAddr) -> IpAddr {
    prefix(address, 64)
}

/// The network that gives way together where there is no room for all: the /48 of an IPv6 address, since a subscriber may have as
/// many as that; an IPv4 address itself.
#[must_use]
pub fn site(address: IpAddr) -> IpAddr {
    prefix(address, 48)
}

/// The first address of an IPv6 network of this length; an IPv4 address itself.
fn prefix(address: IpAddr, bits: u32) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (128 - bits))).into(),
    }
}

/// Whether a request to a control page without a log-in comes from the page itself or from a program, by its `Host` and `Origin`:
/// another site in the same browser could otherwise send it. The host must be an address or `localhost`, since a name could be
/// made to lead here.
#[must_use]
pub fn is_own_page(host: Option<&str>, origin: Option<&str>) -> bool {
    let Some(host) = host else { return false };
    let is_address = host.parse::<SocketAddr>().is_ok()
        || host.parse::<IpAddr>().is_ok()
        || host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).is_some_and(|host| host.parse::<Ipv6Addr>().is_ok());
    let is_local = host == "localhost" || host.strip_prefix("localhost:").is_some_and(|port| port.parse::<u16>().is_ok());
    let of_page = |origin: &str| origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")) == Some(host);
    (is_address || is_local) && origin.is_none_or(of_page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_addresses_of_one_network_share_a_limit() {
        let block = |address: &str| block(address.parse().unwrap());
        assert_eq!(block("2001:db8:1:2:3:4:5:6"), block("2001:db8:1:2::1"));
        assert_ne!(block("2001:db8:1:2::1"), block("2001:db8:1:3::1"));
        assert_eq!(block("::ffff:10.0.0.1"), block("10.0.0.1"));
        assert_ne!(block("10.0.0.1"), block("10.0.0.2"));
        let site = |address: &str| site(address.parse().unwrap());
        assert_eq!(site("2001:db8:1:2::1"), site("2001:db8:1:ffff::1"));
        assert_ne!(site("2001:db8:1::1"), site("2001:db8:2::1"));
        assert_ne!(site("10.0.0.1"), site("10.0.0.2"));
    }

    #[test]
    fn control_pages_are_reached_from_themselves_only() {
        for (host, origin, own) in [
            ("127.0.0.1:8090", None, true),
            ("192.168.1.5:8090", Some("http://192.168.1.5:8090"), true),
            ("localhost:8090", Some("http://localhost:8090"), true),
            ("[::1]:8090", Some("http://[::1]:8090"), true),
            ("[::1]", None, true),
            ("localhost", None, true),
            ("127.0.0.1:8090", Some("http://127.0.0.1:8080"), false),
            ("127.0.0.1:8090", Some("https://evil.example"), false),
            ("127.0.0.1:8090", Some("null"), false),
            ("evil.example:8090", None, false),
            ("evil.example:8090", Some("http://evil.example:8090"), false),
            ("localhost.evil.example", None, false),
            ("localhost:evil", None, false),
        ] {
            assert_eq!(is_own_page(Some(host), origin), own, "{host} {origin:?}");
        }
        assert!(!is_own_page(None, None));
    }
}
