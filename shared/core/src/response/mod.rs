//! Formatting of answers: sentences of a stream, Markdown as speech, a title.

mod sentences;
mod speech;

pub use sentences::SentenceBuffer;
pub use speech::{to_speech, to_title};
