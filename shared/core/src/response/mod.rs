//! Formatting of answers: sentences of a stream, Markdown as speech, a title.

mod sentences;
mod speech;

pub use sentences::SentenceBuffer;
pub(crate) use sentences::sentence_end;
pub use speech::{SpeechText, to_speech, to_title};
