//! `multipart/form-data` (RFC 7578).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// A form with fields and one file.
pub(super) struct Form<'a> {
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) file_name: String,
    pub(super) media_type: &'static str,
    pub(super) file: &'a [u8],
}

impl Form<'_> {
    /// The content type and the body.
    pub(super) fn write(&self) -> (String, Vec<u8>) {
        let boundary = self.boundary();
        let mut body = Vec::with_capacity(self.file.len() + 1_024);
        for (name, value) in &self.fields {
            let head = format!("--{boundary}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(head.as_bytes());
        }
        let head = format!(
            "--{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{}\"\r\ncontent-type: {}\r\n\r\n",
            self.file_name, self.media_type
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(self.file);
        body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        (format!("multipart/form-data; boundary={boundary}"), body)
    }

    /// One that occurs in none of the parts, which anybody can have made.
    fn boundary(&self) -> String {
        let mut number = 0_u32;
        loop {
            let boundary = format!("silent-infinity-{number:08x}");
            let in_file = self
                .file
                .windows(boundary.len())
                .any(|part| part == boundary.as_bytes());
            if !in_file && !self.fields.iter().any(|(_, value)| value.contains(&boundary)) {
                return boundary;
            }
            number += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boundary_is_in_no_part() {
        let form = |file: &'static [u8], prompt: &str| Form {
            fields: alloc::vec![("prompt", prompt.into())],
            file_name: "a.wav".into(),
            media_type: "audio/wav",
            file,
        };
        let (kind, body) = form(b"RIFF", "hi").write();
        assert_eq!(kind, "multipart/form-data; boundary=silent-infinity-00000000");
        let expected = "--silent-infinity-00000000\r\ncontent-disposition: form-data; name=\"prompt\"\r\n\r\nhi\r\n\
            --silent-infinity-00000000\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\
            content-type: audio/wav\r\n\r\nRIFF\r\n--silent-infinity-00000000--\r\n";
        assert_eq!(core::str::from_utf8(&body), Ok(expected));
        let (kind, _) = form(b"x--silent-infinity-00000000y", "silent-infinity-00000001").write();
        assert!(kind.ends_with("00000002"));
    }
}
