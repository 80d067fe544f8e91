//! Voice without IO: sound, when somebody speaks, what to say when, what was heard. No vendor, no clock.

pub mod audio;
pub mod chunker;
pub mod endpoint;
pub mod live;
pub mod phrases;
pub mod playback;
pub mod port;
pub mod vad;
