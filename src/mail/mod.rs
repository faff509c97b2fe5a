//! Mail: messages, transports and the templates they share. Knows no feature.

pub mod message;
pub mod render;
pub mod stencil;
pub mod transport;
pub mod words;
