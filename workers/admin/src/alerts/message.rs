//! What receivers get: Slack's incoming webhooks, and Standard Webhooks for everybody else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use silent_core::time::rfc3339;

/// Most characters of a section's text that Slack takes.
const SLACK_CHARS: usize = 3_000;

/// An alert as it is stored.
pub(super) struct Stored {
    pub(super) message_id: String,
    pub(super) at_ms: u64,
    pub(super) kind: String,
    pub(super) subject: String,
    pub(super) detail: Value,
}

/// The message's id: the receiver's key against doubles, and so the same for every attempt.
pub(super) fn message_id(alert_id: &str) -> String {
    let digest = Sha256::digest(alert_id);
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("alr_{hex}")
}

impl Stored {
    /// For people, on one line.
    pub(super) fn text(&self) -> String {
        let of = |name: &str| self.detail.get(name);
        if let Some(Value::String(text)) = of("text") {
            return text.clone();
        }
        match (self.kind.as_str(), of("budget"), of("percent"), of("period")) {
            ("budget", Some(Value::String(budget)), Some(percent), Some(Value::String(period))) => {
                format!("Budget {budget}: {percent} % of {period} is spent")
            }
            _ => format!("{} {}: {}", self.kind, self.subject, self.detail),
        }
    }

    /// `text` is the notification, `blocks` what the channel shows.
    pub(super) fn slack(&self) -> Value {
        let text: String = self.text().chars().take(SLACK_CHARS).collect();
        let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let about = format!("{} · {} · {}", self.kind, self.subject, rfc3339(self.at_ms));
        json!({
            "text": escaped,
            "blocks": [
                {"type": "section", "text": {"type": "mrkdwn", "text": escaped}},
                {"type": "context", "elements": [{"type": "plain_text", "text": about}]},
            ],
        })
    }

    /// The body of <https://www.standardwebhooks.com>: type, time, data.
    pub(super) fn webhook(&self) -> Value {
        json!({
            "type": format!("alert.{}", self.kind),
            "timestamp": rfc3339(self.at_ms),
            "data": {"id": self.message_id, "subject": self.subject, "text": self.text(), "detail": self.detail},
        })
    }
}

/// The `webhook-signature` of a body: `v1,` and HMAC-SHA256 over id, time and body. None where the secret is not `whsec_` and
/// base 64.
pub(super) fn signature(secret: &str, id: &str, timestamp_s: u64, body: &str) -> Option<String> {
    let key = STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(format!("{id}.{timestamp_s}.{body}").as_bytes());
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_unchanged() {
        // From the specification of Standard Webhooks, as its libraries test it.
        let signed = signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signed.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(signature("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg", 1, ""), None);
    }

    #[test]
    fn budgets_that_were_written_before_have_words() {
        let stored = Stored {
            message_id: message_id("budget:all:total:2026-11:80"),
            at_ms: 0,
            kind: "budget".into(),
            subject: "total".into(),
            detail: json!({"budget": "total", "period": "2026-11", "percent": 80}),
        };
        assert_eq!(stored.text(), "Budget total: 80 % of 2026-11 is spent");
        assert_eq!(stored.slack()["text"], stored.text());
        assert_eq!(stored.webhook()["type"], "alert.budget");
    }
}
