//! The API suite: the real server on a port of its own, over HTTP, one file per slice.
//!
//! Time, mail and workers are in each test's hand; see `support`.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod support;

mod accounts;
mod admin;
mod audit;
mod bulk_pauses;
mod coalition;
mod confirmation;
mod departures;
mod directory;
mod disclosures;
mod erasure;
mod exports;
mod field_lists;
mod fields;
mod filters;
mod groups;
mod import_cells;
mod imports;
mod intake;
mod join_page;
mod languages;
mod lists;
mod matrix;
mod merge;
mod outbox;
mod preferences;
mod recalls;
mod schema;
mod second_factor;
mod segments;
mod sessions;
mod shares;
mod sharing;
mod stats;
mod story;
mod supporters;
mod surface;
mod tags;
mod throttling;
mod tokens;
mod triage;
mod workbooks;
