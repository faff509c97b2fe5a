//! Openhearth: the backend a campaign coalition runs for itself.
//!
//! Slices over a thin kernel; `ARCHITECTURE.md` has the map and the walkthroughs.

// Values.
pub mod clock;
pub mod contact;
pub mod id;
pub mod keys;
pub mod object;
pub mod time_bound;

// The kernel: what has one instance and knows no feature.
pub mod audit;
pub mod config;
pub mod counts;
pub mod error;
pub mod files;
pub mod http;
pub mod kernel;
pub mod mail;
pub mod metrics;
pub mod outbox;
pub mod periodic;
pub mod seldom;
pub mod site;
pub mod speech;
pub mod store;
pub mod telemetry;
pub mod tls;
pub mod wake;

// The slices.
pub mod disclosures;
pub mod exports;
pub mod forms;
pub mod groups;
pub mod imports;
pub mod preferences;
pub mod signups;
pub mod staff;
pub mod stats;
pub mod supporters;

// What puts them together.
pub mod app;
pub mod cli;
pub mod ops;
pub mod server;
pub mod workers;
