//! Tests of the relay settings: what is refused before anything is sent.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;

fn settings(extra: serde_json::Value) -> SmtpSettings {
    let mut all = serde_json::json!({"host": "relay.example.org", "port": 587, "tls": "starttls"});
    all.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    serde_json::from_value(all).unwrap()
}

#[test]
fn settings_that_contradict_themselves_are_refused() {
    let password = serde_json::json!({"username": "u", "password": "p", "tls": "none"});
    let made = |extra| Relay::new(&settings(extra), "app.example.org");
    assert!(matches!(made(password.clone()), Err(RelayError::PlainPassword)));
    for host in ["127.0.0.1", "::1", "localhost"] {
        let mut loopback = settings(password.clone());
        loopback.host = host.into();
        assert!(Relay::new(&loopback, "app.example.org").is_ok(), "{host}");
    }
    assert!(matches!(made(serde_json::json!({"username": "u"})), Err(RelayError::HalfCredentials)));
    assert!(matches!(made(serde_json::json!({"password": "p"})), Err(RelayError::HalfCredentials)));
    assert!(made(serde_json::json!({"username": "", "password": ""})).is_ok());
    assert!(matches!(made(serde_json::json!({"host": " "})), Err(RelayError::Host)));
    assert!(matches!(made(serde_json::json!({"host": "a b"})), Err(RelayError::Host)));
    assert!(matches!(made(serde_json::json!({"ca_file": "/nonexistent"})), Err(RelayError::CaFile(_))));
    let empty = tempfile::NamedTempFile::new().unwrap();
    assert!(matches!(made(serde_json::json!({"ca_file": empty.path()})), Err(RelayError::CaFile(_))));
    for name in ["", "a b", "a\r\nb", "ü.example"] {
        assert!(matches!(Relay::new(&settings(serde_json::json!({})), name), Err(RelayError::HelloName)));
    }
}

#[test]
fn an_unknown_key_is_refused_and_the_password_never_prints() {
    let unknown = serde_json::json!({"host": "h", "port": 25, "tls": "none", "user": "u"});
    assert!(serde_json::from_value::<SmtpSettings>(unknown).is_err());
    let settings = settings(serde_json::json!({"username": "u", "password": "hunter2"}));
    let relay = Relay::new(&settings, "app.example.org").unwrap();
    let printed = format!("{settings:?} {relay:?} {:?}", relay.sender());
    assert!(!printed.contains("hunter2"), "{printed}");
}

#[test]
fn a_hello_name_may_be_an_address() {
    assert_eq!(client_id("127.0.0.1").unwrap().to_string(), "[127.0.0.1]");
    assert_eq!(client_id("::1").unwrap().to_string(), "[IPv6:::1]");
    assert_eq!(client_id("app.example.org").unwrap().to_string(), "app.example.org");
}
