//! Webhooks: where a group wants its recalls sent. Each delivery holds the oldest recalls that wait, at most 100, signed
//! with the group's secret; a 2xx acknowledges them. Others are tried again for three days, then wait for staff.

mod client;
mod couriers;
mod domain;
mod queries;
mod setting;

pub(super) use client::Client;
pub(super) use couriers::Couriers;
pub use setting::{WebhookForm, WebhookSecret, WebhookView};
