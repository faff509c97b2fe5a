//! One request to a webhook: the name is looked up, every address it has is checked, and the connection goes to one
//! that was checked. No redirect is followed, nothing is kept. Called by the couriers; must never be slower than ten
//! seconds, nor hold more than 64 KiB of an answer.

use std::net::SocketAddr;

use actix_web::web::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, Uri, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpStream, lookup_host},
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};

use super::domain::{ANSWER_LIMIT, DELIVER_WITHIN, WebhookFault, is_public};
use crate::{
    config::GroupsConfig,
    tls::{self, TlsError},
};

/// The header with the signature.
pub(super) const SIGNATURE: &str = "openhearth-signature";
/// Addresses of a name that are tried, one after the other.
const MOST_ADDRESSES: usize = 4;

/// Calls webhooks. Cheap to clone.
#[derive(Clone)]
pub(in super::super) struct Client {
    connector: TlsConnector,
    allow_private: bool,
}

/// A webhook's address, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// As it was given.
    pub url: String,
    host: String,
    port: u16,
    authority: String,
    path: String,
}

impl Target {
    /// Takes `url` apart: https, a host, no name or password in it, at most 500 characters.
    pub(super) fn parse(url: &str) -> Option<Self> {
        let url = url.trim();
        let uri: Uri = url.parse().ok().filter(|_| url.len() <= 500 && !url.contains('#'))?;
        let authority = uri.authority()?;
        if uri.scheme_str() != Some("https") || authority.as_str().contains('@') {
            return None;
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        // What a certificate cannot bear cannot be reached.
        ServerName::try_from(host.clone()).ok()?;
        let port = match authority.as_str().rsplit_once(']').map_or(authority.as_str(), |(_, rest)| rest) {
            rest if rest.contains(':') => authority.port_u16().filter(|port| *port > 0)?,
            _ => 443,
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Some(Self {
            url: url.to_owned(),
            host,
            port,
            authority: authority.as_str().to_owned(),
            path: if path.is_empty() { "/".to_owned() } else { path.to_owned() },
        })
    }
}

impl Client {
    /// A client that trusts `groups.webhook_ca_file`, or the public authorities.
    pub(in super::super) fn new(config: &GroupsConfig) -> Result<Self, TlsError> {
        let file = config.webhook_ca_file.as_deref().filter(|path| !path.as_os_str().is_empty());
        Ok(Self { connector: tls::connector(file)?, allow_private: config.webhook_allow_private })
    }

    /// Posts `body`; the answer's body, if it is a 2xx.
    pub(super) async fn post(
        &self,
        target: &Target,
        signature: &str,
        body: Vec<u8>,
    ) -> Result<Bytes, WebhookFault> {
        timeout(DELIVER_WITHIN, self.exchange(target, signature, body))
            .await
            .unwrap_or(Err(WebhookFault::Slow))
    }

    /// The addresses of `target`, if all of them may be called.
    pub(super) async fn resolve(&self, target: &Target) -> Result<Vec<SocketAddr>, WebhookFault> {
        let found = timeout(DELIVER_WITHIN, lookup_host((target.host.as_str(), target.port))).await;
        let found = found.map_err(|_| WebhookFault::Slow)?.map_err(|_| WebhookFault::Unresolved)?;
        let addresses: Vec<SocketAddr> = found.collect();
        if addresses.is_empty() {
            return Err(WebhookFault::Unresolved);
        }
        if !self.allow_private && !addresses.iter().all(|address| is_public(address.ip())) {
            return Err(WebhookFault::Private);
        }
        Ok(addresses)
    }

    async fn connect(&self, target: &Target) -> Result<TcpStream, WebhookFault> {
        for address in self.resolve(target).await?.into_iter().take(MOST_ADDRESSES) {
            if let Ok(stream) = TcpStream::connect(address).await {
                return Ok(stream);
            }
        }
        Err(WebhookFault::Unreachable)
    }

    async fn exchange(&self, target: &Target, signature: &str, body: Vec<u8>) -> Result<Bytes, WebhookFault> {
        let tcp = self.connect(target).await?;
        let name = ServerName::try_from(target.host.clone()).map_err(|_| WebhookFault::Tls)?;
        let tls = self.connector.connect(name, tcp).await.map_err(|_| WebhookFault::Tls)?;
        let garbled = |_| WebhookFault::Garbled;
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(ANSWER_LIMIT)
            .handshake(TokioIo::new(tls))
            .await
            .map_err(garbled)?;
        // Ends with this function, whatever becomes of it.
        let mut driving = JoinSet::new();
        driving.spawn(async move { drop(connection.await) });
        let request = Request::post(&target.path)
            .header(header::HOST, &target.authority)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("openhearth/", env!("CARGO_PKG_VERSION")))
            .header(header::CONNECTION, "close")
            .header(SIGNATURE, signature)
            .body(Full::new(Bytes::from(body)))
            .map_err(|_| WebhookFault::Garbled)?;
        let answer = sender.send_request(request).await.map_err(garbled)?;
        if !answer.status().is_success() {
            return Err(WebhookFault::Status(answer.status().as_u16()));
        }
        let body = Limited::new(answer.into_body(), ANSWER_LIMIT).collect().await;
        body.map(http_body_util::Collected::to_bytes).map_err(|error| {
            let too_long = error.is::<http_body_util::LengthLimitError>();
            if too_long { WebhookFault::Oversized } else { WebhookFault::Garbled }
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_https_with_a_plain_host_is_a_target() {
        for url in [
            "",
            "http://example.org/",
            "https://",
            "https:///x",
            "ftp://example.org/",
            "example.org",
            "//example.org/",
            "https://user@example.org/",
            "https://user:pass@example.org/",
            "https://example.org:0/",
            "https://example.org:99999/",
            "https://example.org:/",
            "https://exa mple.org/",
            "https://example.org/#a",
            "javascript:alert(1)",
            "https://ex_ample..org/",
        ] {
            assert_eq!(Target::parse(url), None, "{url:?}");
        }
        assert_eq!(Target::parse(&format!("https://example.org/{}", "a".repeat(500))), None);
        let target = Target::parse(" https://hooks.example.org:8443/in?a=b ");
        let parts = target.map(|target| (target.host, target.port, target.authority, target.path));
        let expected = ("hooks.example.org", 8443, "hooks.example.org:8443", "/in?a=b");
        assert_eq!(parts, Some((expected.0.into(), expected.1, expected.2.into(), expected.3.into())));
        let bare = Target::parse("https://[2600::1]").map(|target| (target.host, target.port, target.path));
        assert_eq!(bare, Some(("2600::1".into(), 443, "/".into())));
    }

    proptest! {
        #[test]
        fn no_text_makes_parsing_panic(text in prop_oneof![".*", "https://.{0,40}"]) {
            let _ = Target::parse(&text);
        }
    }
}
