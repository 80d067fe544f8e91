//! One request whose answer is decoded as it comes.

use crate::llm::http::{AbortOnDrop, send};
use futures::future::{Either, select};
use futures::{Stream, StreamExt};
use silent_core::voice::port::SpeechError;
use silent_providers::http::HttpRequest;
use silent_providers::speech::{Decode, ResponseHead};
use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::time::Duration;
use worker::{Delay, Response};

type Bytes = Pin<Box<dyn Stream<Item = worker::Result<Vec<u8>>>>>;

/// Events of an answer. Dropping it ends the request upstream.
pub(super) struct Answer<E> {
    bytes: Bytes,
    decoder: Box<dyn Decode<E>>,
    ready: VecDeque<Result<E, SpeechError>>,
    idle: Duration,
    is_over: bool,
    _abort: AbortOnDrop,
}

/// Name and value of each header.
pub(super) fn head(response: &Response) -> ResponseHead {
    ResponseHead {
        status: response.status_code(),
        headers: response.headers().entries().collect(),
    }
}

/// Sends a request; `idle` bounds the wait for the head and each wait for bytes.
pub(super) async fn ask<E>(
    request: HttpRequest,
    idle: Duration,
    decoder: impl FnOnce(&ResponseHead) -> Box<dyn Decode<E>>,
) -> Result<Answer<E>, SpeechError> {
    let abort = AbortOnDrop::default();
    let asked = pin!(send(request, abort.signal()));
    let mut response = match select(asked, pin!(Delay::from(idle))).await {
        Either::Left((response, _)) => response.map_err(|_| SpeechError::Unreachable)?,
        Either::Right(_) => return Err(SpeechError::TimedOut("first byte")),
    };
    let decoder = decoder(&head(&response));
    let bytes: Bytes = match response.stream() {
        Ok(stream) => Box::pin(stream),
        // An answer without a body.
        Err(_) => Box::pin(futures::stream::empty()),
    };
    Ok(Answer {
        bytes,
        decoder,
        ready: VecDeque::new(),
        idle,
        is_over: false,
        _abort: abort,
    })
}

impl<E> Answer<E> {
    /// The next event, or none at the end or after an error.
    pub(super) async fn next(&mut self) -> Option<Result<E, SpeechError>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                self.is_over |= event.is_err();
                return Some(event);
            }
            if self.is_over {
                return None;
            }
            match select(self.bytes.next(), pin!(Delay::from(self.idle))).await {
                Either::Left((Some(Ok(bytes)), _)) => self.ready.extend(self.decoder.push(&bytes)),
                Either::Left((Some(Err(_)), _)) => {
                    self.is_over = true;
                    return Some(Err(SpeechError::Truncated));
                }
                Either::Left((None, _)) => {
                    self.ready.extend(self.decoder.finish());
                    if self.ready.is_empty() {
                        self.is_over = true;
                    } else {
                        // Nothing follows what the decoder said last.
                        self.bytes = Box::pin(futures::stream::empty());
                    }
                }
                Either::Right(_) => {
                    self.is_over = true;
                    return Some(Err(SpeechError::TimedOut("silence")));
                }
            }
        }
    }
}
