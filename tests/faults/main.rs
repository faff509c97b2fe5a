//! Faults shown on the real binary: killed, stopped, out of disk, out of relay, out of queue, badly configured.
//!
//! Each test starts `openhearth` in an empty folder, as a user would, and ends it by its own process id.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../support/certificate.rs"]
mod certificate;
#[path = "../support/smtp_server.rs"]
#[expect(dead_code, reason = "made for the tests of the dialogue, which ask for more")]
mod smtp_server;
#[path = "../support/smtp_session.rs"]
mod smtp_session;

mod load;
mod look;
mod pooler;
mod postgres;
mod support;

mod audit;
mod clocks;
mod copy;
mod crash;
mod disk;
mod imports;
mod lists;
mod logs;
mod processes;
mod queue;
mod relay;
mod replicas;
mod retries;
mod start;
mod stop;
