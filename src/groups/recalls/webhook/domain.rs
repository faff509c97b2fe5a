//! The rules of webhooks: which addresses they may have, when a delivery is tried again and given up, what an answer
//! acknowledges. Pure.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

/// Time for a delivery in all, from the look-up of the name to the end of the answer.
pub(super) const DELIVER_WITHIN: Duration = Duration::from_secs(10);
/// How long a claim keeps others away.
pub(super) const LEASE: Duration = Duration::from_secs(30);
/// A webhook that has failed for so long is given up.
pub(super) const TRIED_FOR: Duration = Duration::from_secs(3 * 86_400);
/// Bytes of an answer at most.
pub(super) const ANSWER_LIMIT: usize = 64 * 1024;
/// Recalls in one delivery at most.
pub(super) const BATCH: u16 = 100;

const FIRST_DELAY: Duration = Duration::from_secs(60);
const LONGEST_DELAY: Duration = Duration::from_secs(6 * 3600);

/// How long to wait after the `attempts`th try (counted from 1), doubled each time up to six hours.
pub(super) fn retry_delay(attempts: i32) -> Duration {
    let doublings = u32::try_from(attempts.clamp(1, 16) - 1).unwrap_or(0);
    FIRST_DELAY.saturating_mul(1 << doublings).min(LONGEST_DELAY)
}

/// Why a delivery was not acknowledged. Told to the group and to staff, so it says nothing of the network here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookFault {
    /// Its name means nothing.
    #[error("its name has no address")]
    Unresolved,
    /// Its name means an address that is not public.
    #[error("its name has an address that is not public")]
    Private,
    /// Nobody takes the connection.
    #[error("no connection could be made")]
    Unreachable,
    /// Its certificate, or its TLS.
    #[error("its certificate was not accepted, or it does not speak TLS")]
    Tls,
    /// What it speaks is not HTTP/1.1.
    #[error("its answer is not HTTP/1.1")]
    Garbled,
    /// Not done in time.
    #[error("it did not answer within 10 seconds")]
    Slow,
    /// More bytes than anybody needs.
    #[error("its answer is longer than 64 KiB")]
    Oversized,
    /// Anything but 2xx; a redirect is not followed.
    #[error("it answered {0}")]
    Status(u16),
    /// A 2xx whose body names no number.
    #[error("acknowledged_up_to in its answer is not the number of a recall")]
    Acknowledgement,
}

/// Up to which number a body after a 2xx acknowledges, where `last` was sent: `{"acknowledged_up_to": n}`, or all.
pub(super) fn acknowledged(body: &[u8], last: i64) -> Result<i64, WebhookFault> {
    let Ok(serde_json::Value::Object(body)) = serde_json::from_slice(body) else { return Ok(last) };
    match body.get("acknowledged_up_to") {
        None => Ok(last),
        Some(number) => {
            number.as_i64().filter(|number| (0..=last).contains(number)).ok_or(WebhookFault::Acknowledgement)
        }
    }
}

/// Whether anybody on the Internet may have this address: not this machine, its networks, multicast, or a way into
/// IPv4 that is hidden in IPv6.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = a == 0
        || a == 10
        || a == 127
        || a >= 224
        || (a == 100 && (64..128).contains(&b))
        || (a == 169 && b == 254)
        || (a == 172 && (16..32).contains(&b))
        || (a == 192 && b == 168)
        || (a == 192 && b == 0 && (c == 0 || c == 2))
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19))
        || (a == 198 && b == 51 && c == 100)
        || (a == 203 && b == 0 && c == 113);
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    // Global unicast is 2000::/3 alone; loopback, ULA, link-local, multicast, mapped and translated addresses are not
    // in it.
    let is_global = (0x2000..0x4000).contains(&a);
    // Protocol assignments (Teredo among them) and documentation; 6to4; documentation once more.
    let special = match a {
        0x2001 => b < 0x200 || b == 0xdb8,
        0x2002 => true,
        0x3fff => b < 0x1000,
        _ => false,
    };
    is_global && !special
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        let private = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:8.8.8.8",
            "::ffff:127.0.0.1",
            "::8.8.8.8",
            "64:ff9b::8.8.8.8",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "5f00::1",
        ];
        for text in private {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        let public = [
            "1.1.1.1",
            "9.255.255.255",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "192.167.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2600::1",
            "2a00:1450::1",
            "2001:200::1",
        ];
        for text in public {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn a_webhook_is_tried_with_growing_delay_for_three_days() {
        let (mut waited, mut attempts) = (Duration::ZERO, 0);
        while waited < TRIED_FOR {
            attempts += 1;
            assert!(retry_delay(attempts + 1) >= retry_delay(attempts));
            waited += retry_delay(attempts);
        }
        assert!((15..30).contains(&attempts), "{attempts}");
    }

    #[test]
    fn a_plain_2xx_acknowledges_all_and_a_number_acknowledges_up_to_it() {
        for body in ["", "ok", "[]", "{}", "{\"ok\":true}", "null"] {
            assert_eq!(acknowledged(body.as_bytes(), 7), Ok(7), "{body}");
        }
        assert_eq!(acknowledged(b"{\"acknowledged_up_to\": 3}", 7), Ok(3));
        for wrong in ["8", "-1", "\"3\"", "null", "1.5"] {
            let body = format!("{{\"acknowledged_up_to\": {wrong}}}");
            assert_eq!(acknowledged(body.as_bytes(), 7), Err(WebhookFault::Acknowledgement), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_mapped_into_ipv6_is_never_public(v4: u32) {
            let v4 = Ipv4Addr::from_bits(v4);
            prop_assert!(!is_public(v4.to_ipv6_mapped().into()));
            prop_assert!(!is_public(v4.to_ipv6_compatible().into()));
        }
    }
}
