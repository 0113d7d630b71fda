//! The address that a request came from.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;

use crate::config::Network;

/// The caller's address; an extension of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller(pub IpAddr);

/// Adds [`Caller`].
pub async fn read(State(proxies): State<Arc<[Network]>>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.0.ip());
    let caller = Caller(address(peer, request.headers(), &proxies));
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// The caller of a request.
pub fn of(request: &Request) -> IpAddr {
    request.extensions().get::<Caller>().map_or(Ipv4Addr::UNSPECIFIED.into(), |caller| caller.0)
}

/// The peer's address; of a trusted proxy's request the last entry of `X-Forwarded-For` that is not a trusted proxy itself: each
/// proxy adds the address that it was called from, and what stands before the first stranger's entry anybody may have written. An
/// entry that is no address ends the walk at the proxy that added it.
fn address(peer: IpAddr, headers: &HeaderMap, proxies: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| proxies.iter().any(|proxy| proxy.contains(address));
    let mut caller = peer.to_canonical();
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    let mut entries = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    while is_trusted(caller)
        && let Some(before) = entries.next().and_then(|entry| parse(entry.trim()))
    {
        caller = before;
    }
    caller
}

/// Some proxies add the port.
fn parse(entry: &str) -> Option<IpAddr> {
    let address = entry.parse::<IpAddr>().or_else(|_| entry.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(peer: &str, lines: &[&'static str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let proxies = ["10.0.0.9", "fd00::/8"].map(|network| network.parse().unwrap());
        address(peer.parse().unwrap(), &headers, &proxies).to_string()
    }

    #[test]
    fn forwarded_address_counts_only_from_a_trusted_proxy() {
        assert_eq!(caller("10.0.0.8", &["1.2.3.4"]), "10.0.0.8");
        assert_eq!(caller("10.0.0.9", &["1.2.3.4"]), "1.2.3.4");
        assert_eq!(caller("::ffff:10.0.0.9", &["1.2.3.4"]), "1.2.3.4");
        assert_eq!(caller("fd00::1", &["2001:db8::1"]), "2001:db8::1");
    }

    #[test]
    fn last_entry_of_the_last_line_is_the_caller() {
        assert_eq!(caller("10.0.0.9", &["9.9.9.9", "8.8.8.8, 1.2.3.4"]), "1.2.3.4");
        assert_eq!(caller("10.0.0.9", &["9.9.9.9, 1.2.3.4", "5.6.7.8"]), "5.6.7.8");
        assert_eq!(caller("10.0.0.9", &["1.2.3.4:5678"]), "1.2.3.4");
        assert_eq!(caller("10.0.0.9", &["[2001:db8::1]:5678"]), "2001:db8::1");
        assert_eq!(caller("10.0.0.9", &["::ffff:1.2.3.4"]), "1.2.3.4");
    }

    #[test]
    fn trusted_proxies_behind_each_other_are_passed_over() {
        assert_eq!(caller("10.0.0.9", &["9.9.9.9, 1.2.3.4, fd00::2"]), "1.2.3.4");
        assert_eq!(caller("10.0.0.9", &["9.9.9.9", "1.2.3.4, fd00::3", "fd00::2"]), "1.2.3.4");
        assert_eq!(caller("10.0.0.9", &["fd00::3, fd00::2"]), "fd00::3", "a proxy itself");
        assert_eq!(caller("10.0.0.9", &["1.2.3.4, unknown, fd00::2"]), "fd00::2", "nobody skips what is no address");
    }

    #[test]
    fn what_is_no_address_is_not_the_caller() {
        for line in ["", "unknown", "<script>", "1.2.3.4,", "1.2.3", "1.2.3.4 or 5.6.7.8"] {
            assert_eq!(caller("10.0.0.9", &[line]), "10.0.0.9", "{line}");
        }
        assert_eq!(caller("10.0.0.9", &[]), "10.0.0.9");
    }
}
