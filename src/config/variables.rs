//! Variables that cannot mean what they seem to: a name that is almost one, a value that is no text.

use std::ffi::OsString;

/// What the variable of every key begins with.
const PREFIX: &str = "OPENHEARTH__";
/// What may begin otherwise: the name of the file, and what tests and their tools read.
const OTHERS: [&str; 2] = ["OPENHEARTH_ENV", "OPENHEARTH_PAGES_DIR"];

/// A sentence for each variable that cannot be meant so; no value is repeated.
pub(super) fn faults(variables: impl Iterator<Item = (OsString, OsString)>) -> Vec<String> {
    let mut faults: Vec<String> = variables
        .filter_map(|(name, value)| {
            let name = name.to_str()?;
            let rest = name.to_uppercase().strip_prefix("OPENHEARTH_")?.to_owned();
            let Some(value) = value.to_str() else { return Some(format!("{name} is not UTF-8 text")) };
            if rest.starts_with('_') || is_another(name, value) {
                return None;
            }
            Some(match meant(&rest) {
                Some(key) => format!("{name} is not read; {key} is probably meant"),
                None => format!("{name} is not read; variables of keys begin with {PREFIX}, two underscores"),
            })
        })
        .collect();
    faults.sort();
    faults
}

/// Whether a variable is none of ours to judge: also Kubernetes makes some, from the names of services.
fn is_another(name: &str, value: &str) -> bool {
    let is_port = name.ends_with("_PORT") && value.contains("://");
    let is_part_of_port =
        name.split("_PORT_").skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let is_service = name.ends_with("_SERVICE_HOST") || name.contains("_SERVICE_PORT");
    OTHERS.contains(&name)
        || name.starts_with("OPENHEARTH_TEST_")
        || (!name.contains("__") && (is_service || is_port || is_part_of_port))
}

/// The variable of the key whose name differs in underscores alone.
fn meant(rest: &str) -> Option<String> {
    let plain = |name: &str| name.replace(['_', '.'], "").to_uppercase();
    let key = keys().into_iter().find(|key| plain(key) == plain(rest))?;
    Some(format!("{PREFIX}{}", key.replace('.', "__").to_uppercase()))
}

/// Every key of the defaults, those that are commented out too.
fn keys() -> Vec<String> {
    let mut section = String::new();
    let mut keys = Vec::new();
    for line in super::DEFAULTS.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = format!("{name}.");
        } else if let Some((name, _)) = line.trim_start_matches("# ").split_once(" = ")
            && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        {
            keys.push(format!("{section}{name}"));
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    fn said(name: &str, value: &str) -> String {
        faults(std::iter::once((name.into(), value.into()))).join("\n")
    }

    #[test]
    fn a_variable_that_is_almost_one_is_named_with_what_is_meant() {
        for (name, key) in [
            ("OPENHEARTH_DATABASE__URL", "OPENHEARTH__DATABASE__URL"),
            ("OPENHEARTH_DATABASE_URL", "OPENHEARTH__DATABASE__URL"),
            ("OPENHEARTH_SECRET", "OPENHEARTH__SECRET"),
            ("OPENHEARTH_DATABASE_PASSWORD_FILE", "OPENHEARTH__DATABASE__PASSWORD_FILE"),
            ("OPENHEARTH_MAIL__SMTP__PORT", "OPENHEARTH__MAIL__SMTP__PORT"),
            ("OPENHEARTH_MAIL_SMTP_PASSWORD", "OPENHEARTH__MAIL__SMTP__PASSWORD"),
            ("OPENHEARTH_SUPPRESSION_KEY", "OPENHEARTH__SUPPRESSION_KEY"),
            ("OPENHEARTH_METRICS_TOKEN", "OPENHEARTH__METRICS__TOKEN"),
            ("OPENHEARTH_ENVIRONMENT", "begin with OPENHEARTH__"),
        ] {
            let said = said(name, "WRONGpw9");
            assert!(said.starts_with(name) && said.contains(key), "{said}");
            assert!(!said.contains("WRONG"), "{said}");
        }
    }

    #[test]
    fn a_value_that_is_no_text_is_not_printed() {
        let value = OsString::from_vec(b"WRONG\xffpw9".to_vec());
        let said = faults(std::iter::once(("OPENHEARTH__SECRET".into(), value)));
        assert_eq!(said, ["OPENHEARTH__SECRET is not UTF-8 text"]);
    }

    #[test]
    fn what_others_set_is_left_alone() {
        for (name, value) in [
            ("OPENHEARTH_ENV", "production"),
            ("OPENHEARTH__DATABASE__URL", "sqlite://x"),
            ("OPENHEARTH_PAGES_DIR", "x"),
            ("OPENHEARTH_TEST_POSTGRES", "x"),
            ("OPENHEARTH_SERVICE_HOST", "10.0.0.1"),
            ("OPENHEARTH_SERVICE_PORT_HTTP", "80"),
            ("OPENHEARTH_DB_PORT", "tcp://10.0.0.1:5432"),
            ("OPENHEARTH_DB_PORT_5432_TCP_ADDR", "10.0.0.1"),
            ("PATH", "x"),
        ] {
            assert_eq!(said(name, value), "", "{name}");
        }
    }
}
