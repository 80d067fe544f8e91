//! JSON lines, the reading side: one value a line.
//!
//! Invariant: any split of the bytes gives the same lines. A last line without its end is not whole and not given.

use alloc::string::String;
use alloc::vec::Vec;

/// Longest line, in bytes: what comes after is dropped, so that a hostile peer cannot fill the memory.
const MAX_LINE: usize = 1 << 20;

/// Collects bytes into lines.
#[derive(Debug, Default)]
pub struct Decoder {
    line: Vec<u8>,
}

impl Decoder {
    /// Takes bytes and gives each line that is whole now, without blank ones.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = MAX_LINE.saturating_sub(self.line.len());
            self.line
                .extend(piece.iter().take_while(|byte| **byte != b'\n').take(room));
            if piece.ends_with(b"\n") {
                let line = core::mem::take(&mut self.line);
                let line = String::from_utf8_lossy(&line);
                if !line.trim().is_empty() {
                    lines.push(line.trim().into());
                }
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines() {
        let all = |text: &str| Decoder::default().push(text.as_bytes());
        assert_eq!(all("{}\r\n\n[1]\n{\"cut\":"), ["{}", "[1]"]);
        assert!(all("").is_empty());
    }

    proptest! {
        #[test]
        fn splits_do_not_matter(text in "([aé{}]{0,5}|\n|\r\n){0,30}", cuts in proptest::collection::vec(0_usize..200, 0..10)) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().filter(|at| *at <= bytes.len()).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let mut decoder = Decoder::default();
            let pieces: Vec<String> = cuts.windows(2).flat_map(|pair| decoder.push(&bytes[pair[0]..pair[1]])).collect();
            prop_assert_eq!(pieces, Decoder::default().push(bytes));
        }
    }
}
