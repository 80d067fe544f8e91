//! The router on simulated time, against upstreams that do what their script says.

mod breaker;
mod matrix;
mod parts;
mod properties;
mod sim;
