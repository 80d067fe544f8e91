use super::*;
use serde::Deserialize;
use std::vec;

extern crate std;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

fn credentials(token: Option<&str>) -> Credentials {
    Credentials {
        access_key_id: "AKIDEXAMPLE".into(),
        secret_access_key: Secret::new(SECRET),
        session_token: token.map(Secret::new),
    }
}

/// A case of the AWS signing test suite (testdata/README.md names the source).
#[derive(Deserialize)]
struct Case {
    name: String,
    normalize: bool,
    sign_body: bool,
    token: Option<String>,
    request: String,
    header_canonical_request: String,
    header_signature: String,
    query_canonical_request: String,
    query_signature: String,
}

impl Case {
    /// Method, path with query, headers, body. A line that begins with a blank continues a header.
    fn parse(&self) -> (&str, &str, Vec<(&str, String)>, &str) {
        let (head, body) = self.request.split_once("\n\n").unwrap_or((&self.request, ""));
        let mut lines = head.lines();
        let (method, rest) = lines.next().unwrap().split_once(' ').unwrap();
        let path = rest.rsplit_once(' ').unwrap().0;
        let mut headers: Vec<(&str, String)> = vec![];
        for line in lines {
            match line.split_once(':') {
                Some((name, value)) if !line.starts_with(' ') => headers.push((name, value.into())),
                _ => headers.last_mut().unwrap().1.push_str(line),
            }
        }
        (method, path, headers, body)
    }
}

/// 2015-08-30T12:36:00Z, the suite's moment.
const SUITE_MS: u64 = 1_440_938_160_000;

#[test]
fn the_aws_signing_test_suite() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../../../testdata/aws/sigv4-suite.json")).unwrap();
    assert_eq!(cases.len(), 37);
    for case in &cases {
        let (method, path, headers, body) = case.parse();
        let credentials = credentials(case.token.as_deref());
        let signer = Signer {
            credentials: &credentials,
            region: "us-east-1",
            service: "service",
            now_ms: SUITE_MS,
            paths: if case.normalize {
                Paths::Normalized
            } else {
                Paths::Encoded
            },
            content_sha256: case.sign_body,
        };
        let host = &headers.iter().find(|(name, _)| *name == "Host").unwrap().1;
        let url = format!("https://{host}{path}");
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .filter(|(name, _)| !["X-Amz-Date", "X-Amz-Security-Token"].contains(name))
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let request = Request {
            method,
            url: &url,
            headers: &headers,
            payload: Payload::Bytes(if case.sign_body { body.as_bytes() } else { b"" }),
        };
        let added = signer.sign(&request);
        let authorization = &added.last().unwrap().1;
        // Which headers take part is read off the canonical request, so that a signature cannot agree by chance.
        let names = case.header_canonical_request.lines().rev().nth(1).unwrap();
        assert!(
            authorization.contains(&format!("SignedHeaders={names},")),
            "{}: {authorization}",
            case.name
        );
        assert!(
            authorization.ends_with(&format!("Signature={}", case.header_signature)),
            "{}: {authorization}",
            case.name
        );
        let signed = signer.presign(&request, 3_600);
        let query = case.query_canonical_request.lines().nth(2).unwrap();
        assert!(signed.contains(query), "{}: {signed}", case.name);
        assert!(
            signed.ends_with(&format!("&X-Amz-Signature={}", case.query_signature)),
            "{}: {signed}",
            case.name
        );
    }
}

/// 2026-11-21T05:00:00Z.
const NOW_MS: u64 = 1_795_237_200_000;

fn signer<'a>(credentials: &'a Credentials, service: &'a str, region: &'a str) -> Signer<'a> {
    let storage = service == "s3";
    Signer {
        credentials,
        region,
        service,
        now_ms: NOW_MS,
        paths: if storage { Paths::Verbatim } else { Paths::Normalized },
        content_sha256: storage,
    }
}

/// The same requests signed by botocore 1.44.5 (`SigV4Auth`, `S3SigV4Auth`, `S3SigV4QueryAuth`).
#[test]
fn as_botocore_signs() {
    let temporary = credentials(Some("TOKEN/+="));
    let lasting = credentials(None);
    let authorization = |signer: Signer<'_>, request: Request<'_>| signer.sign(&request).pop().unwrap().1;
    let bedrock = Request {
        method: "POST",
        url: "https://bedrock-runtime.eu-central-1.amazonaws.com/model/anthropic.claude-sonnet-4-20250514-v1%3A0/converse-stream",
        headers: &[("content-type", "application/json")],
        payload: Payload::Bytes(br#"{"messages":[]}"#),
    };
    assert_eq!(
        authorization(signer(&temporary, "bedrock", "eu-central-1"), bedrock),
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/eu-central-1/bedrock/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, \
         Signature=ffb8774becca68291844f05a3a2885027f1355c81a156bb4c3f78c1391fce63b"
    );
    let list = Request {
        method: "GET",
        url: "https://bedrock.us-east-1.amazonaws.com/inference-profiles?maxResults=1",
        headers: &[],
        payload: Payload::Bytes(b""),
    };
    assert!(
        authorization(signer(&lasting, "bedrock", "us-east-1"), list)
            .ends_with("Signature=44b0b009de2fd2629cfe8611ab4a5c6cc1c05d1aa26b1bbc8d1387221412f7fd")
    );
    let put = Request {
        method: "PUT",
        url: "https://bucket.account.r2.cloudflarestorage.com/audio/x.wav",
        headers: &[("content-type", "audio/wav")],
        payload: Payload::Bytes(b"abc"),
    };
    assert!(
        authorization(signer(&lasting, "s3", "auto"), put)
            .ends_with("Signature=6e83927f725848c89cb1d8476a7a184e9612df21df765f7ffb0a2a3944b6b55f")
    );
    let get = Request {
        method: "GET",
        url: "https://bucket.account.r2.cloudflarestorage.com/audio/a%20b/%C3%BC..//x.wav?versionId=1%2F2",
        headers: &[],
        payload: Payload::Unsigned,
    };
    let url = signer(&lasting, "s3", "auto").presign(&get, 600);
    assert!(url.starts_with("https://bucket.account.r2.cloudflarestorage.com/audio/a%20b/%C3%BC..//x.wav?"));
    assert!(
        url.ends_with("X-Amz-Signature=8696687b9520e08f048a45518f0a8b4e4dbbca31904e9a5af5e3d352fa4aa541"),
        "{url}"
    );
}

#[test]
fn secrets_are_not_shown() {
    let shown = format!("{:?}", signer(&credentials(Some("TOKEN")), "bedrock", "us-east-1"));
    assert!(!shown.contains(SECRET) && !shown.contains("TOKEN"), "{shown}");
}
