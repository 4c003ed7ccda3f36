//! Where a request comes from: the address behind trusted proxies, whether it came over TLS, and whether another site
//! made the browser send it.

use std::net::IpAddr;

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};

/// A network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Net {
    address: IpAddr,
    bits: u8,
}

/// A connection as the listener knows it.
#[derive(Debug, Clone, Copy)]
pub struct Connection {
    /// The other side.
    pub peer: IpAddr,
    /// Whether it is TLS.
    pub tls: bool,
}

/// A request as its headers tell, where whoever sent them is trusted.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Who asks.
    pub address: IpAddr,
    /// Whether the browser speaks TLS.
    pub secure: bool,
    /// Whether it came through a proxy.
    pub proxied: bool,
    host: Option<String>,
}

impl Net {
    /// `192.0.2.0/24`, or one address.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text
            .split_once('/')
            .map_or((text, None), |(a, b)| (a, Some(b)));
        let address: IpAddr = address.trim().parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(most), |bits| bits.trim().parse().ok())?;
        (bits <= most).then_some(Self { address, bits })
    }

    fn has(&self, address: IpAddr) -> bool {
        let same = |one: u128, other: u128, long: u8| {
            let rest = u32::from(long - self.bits.min(long));
            rest >= 128 || one >> rest == other >> rest
        };
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(one), IpAddr::V4(other)) => {
                same(u128::from(u32::from(one)), u128::from(u32::from(other)), 32)
            }
            (IpAddr::V6(one), IpAddr::V6(other)) => same(u128::from(one), u128::from(other), 128),
            _ => false,
        }
    }
}

impl Origin {
    /// Of a request on a connection.
    pub fn of(connection: Connection, headers: &HeaderMap, trusted: &[Net]) -> Self {
        let peer = connection.peer.to_canonical();
        let is_trusted = |address: IpAddr| trusted.iter().any(|net| net.has(address));
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        let told = headers.contains_key("x-forwarded-for") || headers.contains_key("forwarded");
        if !is_trusted(peer) {
            return Self {
                address: peer,
                secure: connection.tls,
                proxied: told,
                host: host.map(str::to_owned),
            };
        }
        // The nearest that is none of ours; what stands before it anybody may have written.
        let chain = headers.get_all("x-forwarded-for").iter();
        let chain: Vec<IpAddr> = chain
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|part| part.trim().parse().ok())
            .collect();
        let address = chain.iter().rev().find(|address| !is_trusted(**address));
        let address = address.or(chain.first()).copied().unwrap_or(peer);
        let scheme = text("x-forwarded-proto").map(str::trim);
        Self {
            address: address.to_canonical(),
            secure: connection.tls || scheme == Some("https"),
            proxied: told,
            host: text("x-forwarded-host").or(host).map(str::to_owned),
        }
    }

    /// Whether a browser says that a page of another site sent it. A program says nothing.
    pub fn is_foreign(&self, headers: &HeaderMap) -> bool {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(site) = text("sec-fetch-site") {
            return site != "same-origin" && site != "none";
        }
        let Some(origin) = headers.get(ORIGIN) else {
            return false;
        };
        let origin = origin.to_str().unwrap_or("null");
        let of_origin = origin.split_once("://").map(|(_, host)| host);
        of_origin.is_none() || of_origin != self.host.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (
                axum::http::HeaderName::from_static(name),
                value.parse().unwrap(),
            )
        };
        pairs.iter().map(pair).collect()
    }

    fn from(peer: &str) -> Connection {
        Connection {
            peer: peer.parse().unwrap(),
            tls: false,
        }
    }

    #[test]
    fn what_headers_say_counts_from_trusted_proxies_alone() {
        let trusted = [Net::parse("10.0.0.0/8").unwrap()];
        let told = headers(&[
            ("x-forwarded-for", "203.0.113.9, 198.51.100.7, 10.1.1.1"),
            ("x-forwarded-proto", "https"),
        ]);
        let origin = Origin::of(from("10.2.2.2"), &told, &trusted);
        assert_eq!(origin.address.to_string(), "198.51.100.7");
        assert!(origin.secure);
        let origin = Origin::of(from("192.0.2.1"), &told, &trusted);
        assert_eq!(origin.address.to_string(), "192.0.2.1");
        assert!(!origin.secure);
    }

    #[test]
    fn pages_of_other_sites_are_known() {
        let is_foreign = |pairs: &[(&'static str, &str)]| {
            let headers = headers(pairs);
            Origin::of(from("127.0.0.1"), &headers, &[]).is_foreign(&headers)
        };
        assert!(!is_foreign(&[("host", "x:1")]));
        assert!(!is_foreign(&[("host", "x:1"), ("origin", "http://x:1")]));
        assert!(is_foreign(&[("host", "x:1"), ("origin", "http://y:1")]));
        assert!(is_foreign(&[("host", "x:1"), ("origin", "null")]));
        assert!(is_foreign(&[
            ("host", "x:1"),
            ("sec-fetch-site", "same-site")
        ]));
        assert!(!is_foreign(&[
            ("host", "x:1"),
            ("sec-fetch-site", "same-origin")
        ]));
    }

    #[test]
    fn networks_are_read_and_have_their_addresses() {
        let has = |net: &str, address: &str| Net::parse(net).unwrap().has(address.parse().unwrap());
        assert!(has("127.0.0.1", "127.0.0.1") && !has("127.0.0.1", "127.0.0.2"));
        assert!(has("0.0.0.0/0", "8.8.8.8") && has("::/0", "::1"));
        assert!(has("2001:db8::/32", "2001:db8:1::1") && !has("2001:db8::/32", "2001:db9::"));
        assert!(Net::parse("10.0.0.0/33").is_none() && Net::parse("x").is_none());
    }
}
