//! `[log]`: shape and amount of the log.

use serde::Deserialize;

/// `[log]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// Text for people, JSON for collectors.
    pub format: LogFormat,
    /// A `tracing` filter.
    pub filter: String,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// A readable sentence with fields.
    Text,
    /// One JSON object a line.
    Json,
}
