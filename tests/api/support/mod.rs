//! What every test of this suite starts from: [`TestApp`], its clients, and the mails it sent.

mod answer;
mod app;
mod backend;
#[path = "../../support/certificate.rs"]
mod certificate;
mod client;
mod coalition;
mod groups;
mod mail;
mod receiver;
mod records;
pub mod routes;
mod rows;
mod staff;

pub use answer::Answer;
pub use app::TestApp;
pub use client::{Client, person};
pub use groups::{Member, application};
pub use mail::Mail;
pub use receiver::{Receiver, Says};
pub use staff::PASSWORD;

use std::time::Duration;

pub const MINUTE: Duration = Duration::from_secs(60);
pub const HOUR: Duration = Duration::from_secs(3600);
pub const DAY: Duration = Duration::from_secs(86_400);
