//! Whether a PostgreSQL URL can be taken apart, found out before libpq is asked: what libpq cannot read it repeats, and a
//! password with a character that stands for something else ends up in the place of the host, the port or the database.

/// What is wrong, without a piece of the URL; nothing when libpq will read it as it was meant.
pub(super) fn fault(url: &str) -> Option<&'static str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    if rest.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Some("there are spaces in it");
    }
    if !is_percent_encoded(rest) {
        return Some("a % must be followed by two hexadecimal digits");
    }
    // As libpq does: what comes before an @ is user and password, unless a / comes first.
    let (credentials, place) = match rest.find(['@', '/']).map(|at| rest.split_at(at)) {
        Some((credentials, place)) if place.starts_with('@') => {
            (Some(credentials), place.get(1..).unwrap_or(""))
        }
        _ => (None, rest),
    };
    if credentials.is_some_and(|text| text.contains('?')) {
        return Some("there is a ? before the @");
    }
    let (place, query) = place.split_once('?').unwrap_or((place, ""));
    // Behind the name of a database, an @ is that of a parameter.
    let is_doubled = credentials.is_some() && query.contains('@') && !place.contains('/');
    if place.contains('@') || is_doubled {
        return Some("there is more than one @, or a / before it");
    }
    let (hosts, name) = place.split_once('/').unwrap_or((place, ""));
    if name.contains(['/', ':']) {
        return Some("what follows the host is not the name of a database");
    }
    hosts.split(',').find_map(host_fault)
}

fn host_fault(host: &str) -> Option<&'static str> {
    let (name, port) = match host.strip_prefix('[').map(|rest| rest.split_once(']')) {
        None => host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port))),
        Some(Some((name, ""))) if name.contains(':') => ("", None),
        Some(Some((name, port))) if name.contains(':') && port.starts_with(':') => ("", port.get(1..)),
        Some(_) => return Some("the address in [ ] is not one"),
    };
    if !name.chars().all(|c| c.is_alphanumeric() || "-._%".contains(c)) {
        return Some("the host is not a name or an address");
    }
    let is_port = |port: &str| port.is_empty() || port.parse::<u16>().is_ok_and(|port| port > 0);
    if port.is_some_and(|port| !is_port(port)) {
        return Some("the port is not a number from 1 to 65535, or there is no @ behind the password");
    }
    None
}

fn is_percent_encoded(text: &str) -> bool {
    text.split('%').skip(1).all(|rest| {
        let code: String = rest.chars().take(2).collect();
        code.len() == 2 && code.chars().all(|c| c.is_ascii_hexdigit()) && code != "00"
    })
}

/// What libpq says, without what it repeats of a URL that it could not use: only once it is on its way to the server does
/// it speak of hosts, users and databases.
pub(super) fn told(message: &str) -> String {
    const ON_THE_WAY: [&str; 2] = ["connection to server", "could not translate host name"];
    if ON_THE_WAY.iter().any(|beginning| message.starts_with(beginning)) {
        return message.to_owned();
    }
    let (kind, repeated) = message.split_once('"').unwrap_or((message, ""));
    if repeated.is_empty() {
        return kind.to_owned();
    }
    format!(
        "the URL cannot be taken apart ({}); percent-encode what is in it",
        kind.trim_end_matches(|c: char| c.is_whitespace() || c == ':')
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_that_libpq_reads_as_they_were_meant_pass() {
        for url in [
            "postgres://",
            "postgres://h",
            "postgres:///name",
            "postgresql://oh@h/name",
            "postgres://oh:pw@h:5433/name?sslmode=require&connect_timeout=2",
            "postgres://oh:a%40b%2Fc:d#e@h/name",
            "postgres://oh@%2Fvar%2Frun%2Fpostgresql/name",
            "postgres://oh@one:5432,two.example.org:5433/name",
            "postgres://oh@[2001:db8::1]:5432/name",
            "postgres://oh@[::1]/name",
            "postgres:///name?host=/run/postgresql&user=oh@site",
            "postgres://oh:pw@127.0.0.1/?application_name=a?b",
            "postgres://oh@h/name?password=a@b",
        ] {
            assert_eq!(fault(url), None, "{url}");
        }
    }

    #[test]
    fn urls_whose_password_would_end_up_elsewhere_do_not() {
        for url in [
            "postgres://oh:WRO/NG@h/one",
            "postgres://oh:WRONG@pw9@127.0.0.1/one",
            "postgres://oh:WRONG@@127.0.0.1/one",
            "postgres://oh:WRONGpw9/one",
            "postgres://oh:WRONG?pw9@h/one",
            "postgres://oh:WRO?NG/x@h/one",
            "postgres://oh:WRONG%pw9@h/one",
            "postgres://oh:WRONG%00@h/one",
            "postgres://oh:WRONG pw9@h/one",
            "postgres://oh@h/one?sslpassword=a&password=WRONG pw9",
            "postgres://oh:WR@ON?G=pw9@h/one",
            "postgres://oh@h:70000/one",
            "postgres://oh@h/one:WRONG",
            "postgres://oh@[h]/one",
        ] {
            assert!(fault(url).is_some(), "{url}");
        }
    }

    #[test]
    fn what_libpq_repeats_of_a_url_is_cut_off() {
        assert_eq!(
            told("invalid URI query parameter: \"WRONG\"pw9\""),
            "the URL cannot be taken apart (invalid URI query parameter); percent-encode what is in it"
        );
        let on_the_way = "connection to server at \"h\" failed: FATAL: role \"oh\" does not exist";
        assert_eq!(told(on_the_way), on_the_way);
    }
}
