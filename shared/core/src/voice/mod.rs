//! Voice without IO: sound, when somebody speaks, what to say when, what was heard. No vendor, no clock.

pub mod audio;
pub mod endpoint;
pub mod port;
pub mod vad;
