//! Server-sent events, the reading side (WHATWG HTML, "Parsing an event stream").
//!
//! Invariant: any split of the bytes gives the same events.

use alloc::string::String;
use alloc::vec::Vec;

/// Longest line and longest event, in bytes: what comes after is dropped, so that a hostile peer cannot fill the memory.
const MAX_EVENT: usize = 1 << 20;

/// Collects bytes into the data of events.
#[derive(Debug, Default)]
pub struct Decoder {
    line: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    after_cr: bool,
}

impl Decoder {
    /// Takes bytes and gives the data of each event that is whole now.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut events = Vec::new();
        let mut rest = bytes;
        while let Some(first) = rest.first() {
            if self.after_cr && *first == b'\n' {
                rest = rest.split_first().map_or(&[], |(_, after)| after);
            }
            self.after_cr = false;
            let Some(at) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
                self.extend_line(rest);
                break;
            };
            let (line, after) = rest.split_at_checked(at).unwrap_or((rest, &[]));
            self.extend_line(line);
            self.end_line(&mut events);
            self.after_cr = after.first() == Some(&b'\r');
            rest = after.split_first().map_or(&[], |(_, after)| after);
        }
        events
    }

    fn extend_line(&mut self, bytes: &[u8]) {
        let room = MAX_EVENT.saturating_sub(self.line.len());
        self.line.extend(bytes.iter().take(room));
    }

    fn end_line(&mut self, events: &mut Vec<String>) {
        let line = core::mem::take(&mut self.line);
        if line.is_empty() {
            if self.has_data {
                let data = core::mem::take(&mut self.data);
                events.push(String::from_utf8_lossy(&data).into_owned());
            }
            self.has_data = false;
            return;
        }
        // Comments, ids, retries and event names carry nothing that the model protocols need.
        if let Some(value) = line.strip_prefix(b"data:")
            && self.data.len() + value.len() <= MAX_EVENT
        {
            if self.has_data {
                self.data.push(b'\n');
            }
            self.data.extend_from_slice(value.strip_prefix(b" ").unwrap_or(value));
            self.has_data = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(text: &str) -> Vec<String> {
        Decoder::default().push(text.as_bytes())
    }

    #[test]
    fn events() {
        for (text, expected) in [
            ("data: a\n\n", &["a"][..]),
            ("data:a\r\ndata: b\r\n\r\n", &["a\nb"]),
            (": comment\nid: 1\nevent: x\ndata: {}\rdata\r\r", &["{}"]),
            ("\n\ndata: cut", &[]),
            ("data:\n\n", &[""]),
        ] {
            assert_eq!(all(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_hostile_peer_cannot_fill_the_memory() {
        let mut decoder = Decoder::default();
        let line = alloc::format!("data: {}\n", "x".repeat(1 << 16));
        for _ in 0..64 {
            assert!(decoder.push(line.as_bytes()).is_empty());
        }
        let events = decoder.push(b"\n");
        assert!(events.len() == 1 && events[0].len() <= MAX_EVENT + 1);
        let mut decoder = Decoder::default();
        decoder.push(&alloc::vec![b'x'; 3 * MAX_EVENT]);
        assert_eq!(decoder.line.len(), MAX_EVENT);
    }

    proptest! {
        #[test]
        fn splits_do_not_matter(text in "(data: [aé{}]{0,5}|: c|id: 1|\n|\r\n|\r){0,30}", cuts in proptest::collection::vec(0_usize..200, 0..10)) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().filter(|at| *at <= bytes.len()).collect();
            cuts.push(0);
            cuts.push(bytes.len());
            cuts.sort_unstable();
            let mut decoder = Decoder::default();
            let pieces: Vec<String> = cuts.windows(2).flat_map(|pair| decoder.push(&bytes[pair[0]..pair[1]])).collect();
            prop_assert_eq!(pieces, all(&text));
        }
    }
}
