//! [`ClientAddress`]: where a request came from, across trusted proxies only.

use std::{
    future::{Ready, ready},
    net::{IpAddr, Ipv4Addr},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Data};

use crate::{config::Network, error::AppError};

/// The proxies whose X-Forwarded-For is believed; registered by the server.
pub struct TrustedProxies(pub Vec<Network>);

/// The address of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl FromRequest for ClientAddress {
    type Error = AppError;
    type Future = Ready<Result<Self, AppError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
        let trusted = request.app_data::<Data<TrustedProxies>>().map_or(&[][..], |proxies| &proxies.0);
        let forwarded = request.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok());
        ready(Ok(Self(client_address(peer, trusted, forwarded))))
    }
}

/// Walks the forwarded addresses from right to left, as long as the hop that added them is trusted.
fn client_address<'a>(peer: IpAddr, trusted: &[Network], forwarded: impl Iterator<Item = &'a str>) -> IpAddr {
    let is_trusted = |address| trusted.iter().any(|network| network.contains(address));
    let mut client = peer.to_canonical();
    if trusted.is_empty() || !is_trusted(client) {
        return client;
    }
    let hops: Vec<&str> = forwarded.flat_map(|value| value.split(',')).map(str::trim).collect();
    for hop in hops.into_iter().rev() {
        let Ok(address) = hop.parse::<IpAddr>() else { break };
        client = address.to_canonical();
        if !is_trusted(client) {
            break;
        }
    }
    client
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let trusted = [Network::try_from("10.0.0.0/8".to_owned()).unwrap()];
        client_address(peer.parse().unwrap(), &trusted, forwarded.iter().copied()).to_string()
    }

    #[test]
    fn a_stranger_cannot_claim_another_address() {
        assert_eq!(client("192.0.2.9", &["198.51.100.1"]), "192.0.2.9");
    }

    #[test]
    fn trusted_hops_are_walked_from_right_to_left() {
        assert_eq!(client("10.0.0.1", &["203.0.113.5, 198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["203.0.113.5", "198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["nonsense, 10.0.0.7"]), "10.0.0.7");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }
}
