//! What a verified signature vouches for, held against the configuration.

use crate::error::ApiError;
use crate::token::moment;
use chrono::Duration;
use jwt_compact::{TimeOptions, UntrustedToken};
use serde_json::{Map, Value};
use silent_core::registry::{Actor, ActorKind};

/// How far clocks may be apart, seconds.
const LEEWAY_S: i64 = 30;

/// What a token has to say.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// `iss`.
    pub issuer: String,
    /// One of `aud`.
    pub audience: String,
    /// Groups that may administer; none means whoever Access lets in.
    pub groups: Vec<String>,
    /// Where the groups are: a name, or a path with dots such as `custom.groups`.
    pub group_claim: String,
    /// Where the second factor is named, such as `amr`; none leaves it to the policy of Access.
    pub mfa_claim: Option<String>,
    /// Values of which one has to be there; none takes any.
    pub mfa_values: Vec<String>,
}

/// A verified admin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who.
    pub actor: Actor,
    /// The groups that the token names.
    pub groups: Vec<String>,
}

/// Reads the claims of a token whose signature was verified.
pub(super) fn identity(token: &UntrustedToken<'_>, rules: &Rules, now_ms: u64) -> Result<Identity, ApiError> {
    let claims = token
        .deserialize_claims_unchecked::<Map<String, Value>>()
        .map_err(|_| ApiError::Unauthorized)?;
    let options = TimeOptions::new(Duration::seconds(LEEWAY_S), || moment(now_ms));
    claims
        .validate_expiration(&options)
        .map_err(|_| ApiError::Unauthorized)?;
    // A token without `nbf` is valid from the start.
    if claims.not_before.is_some() {
        claims.validate_maturity(&options).map_err(|_| ApiError::Unauthorized)?;
    }
    let custom = &claims.custom;
    let issuer = custom
        .get("iss")
        .and_then(Value::as_str)
        .map(|iss| iss.trim_end_matches('/'));
    if issuer != Some(rules.issuer.as_str()) || !texts(custom.get("aud")).contains(&rules.audience) {
        return Err(ApiError::Unauthorized);
    }
    let groups = texts(at(custom, &rules.group_claim));
    let actor = actor(custom)?;
    // A service token is let in by a policy of its own; it belongs to no group and has no second factor.
    if actor.kind == ActorKind::User {
        if !rules.groups.is_empty() && !rules.groups.iter().any(|group| groups.contains(group)) {
            return Err(ApiError::Forbidden("you are in none of the admin groups".into()));
        }
        if let Some(claim) = &rules.mfa_claim {
            let factors = texts(at(custom, claim));
            let is_enough = if rules.mfa_values.is_empty() {
                !factors.is_empty()
            } else {
                rules.mfa_values.iter().any(|value| factors.contains(value))
            };
            if !is_enough {
                return Err(ApiError::Forbidden("sign in with a second factor".into()));
            }
        }
    }
    Ok(Identity { actor, groups })
}

/// A person by their address; a service token, whose `sub` is empty, by its name.
fn actor(custom: &Map<String, Value>) -> Result<Actor, ApiError> {
    let field = |name: &str| {
        let text = custom.get(name).and_then(Value::as_str).map(str::trim);
        text.filter(|text| (1..=254).contains(&text.len()) && !text.chars().any(char::is_control))
    };
    match (field("email"), field("common_name"), field("sub")) {
        (Some(email), _, Some(_)) => Ok(Actor {
            id: email.to_lowercase(),
            kind: ActorKind::User,
        }),
        (None, Some(name), None) => Ok(Actor {
            id: format!("service:{name}"),
            kind: ActorKind::Service,
        }),
        _ => Err(ApiError::Unauthorized),
    }
}

fn at<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let mut names = path.split('.');
    let first = claims.get(names.next()?)?;
    names.try_fold(first, |value, name| value.get(name))
}

/// A text or a list of texts, as a list; a group may also be an object with a name.
fn texts(value: Option<&Value>) -> Vec<String> {
    let one = |value: &Value| value.as_str().or_else(|| value.get("name")?.as_str()).map(String::from);
    match value {
        Some(Value::Array(values)) => values.iter().filter_map(one).collect(),
        Some(value) => one(value).into_iter().collect(),
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    const NOW_S: u64 = 1_795_237_200;

    fn rules() -> Rules {
        Rules {
            issuer: "https://team.cloudflareaccess.com".into(),
            audience: "aud-1".into(),
            groups: vec!["admins".into()],
            group_claim: "custom.groups".into(),
            mfa_claim: Some("amr".into()),
            mfa_values: vec!["mfa".into(), "hwk".into()],
        }
    }

    fn read(change: impl FnOnce(&mut Value), rules: &Rules) -> Result<Identity, ApiError> {
        let mut claims = json!({
            "iss": "https://team.cloudflareaccess.com", "aud": ["aud-0", "aud-1"], "sub": "u1", "email": "Ada@Example.org",
            "iat": NOW_S - 10, "nbf": NOW_S - 10, "exp": NOW_S + 60, "custom": {"groups": ["admins"]}, "amr": ["pwd", "mfa"],
        });
        change(&mut claims);
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let token = format!("{}.{}.c2ln", part(&json!({"alg": "RS256", "kid": "1"})), part(&claims));
        identity(&UntrustedToken::new(&token).unwrap(), rules, NOW_S * 1_000)
    }

    #[test]
    fn who_may() {
        let ada = read(|_| {}, &rules()).unwrap();
        assert_eq!(
            (ada.actor.id.as_str(), ada.actor.kind),
            ("ada@example.org", ActorKind::User)
        );
        assert_eq!(ada.groups, ["admins"]);
        let named = read(
            |claims| claims["custom"] = json!({"groups": [{"id": "7", "name": "admins"}]}),
            &rules(),
        );
        assert!(named.is_ok());
        let robot = read(
            |claims| {
                *claims = json!({"iss": claims["iss"], "aud": "aud-1", "exp": claims["exp"], "sub": "", "common_name": "ci.access"});
            },
            &rules(),
        )
        .unwrap();
        assert_eq!(
            (robot.actor.id.as_str(), robot.actor.kind),
            ("service:ci.access", ActorKind::Service)
        );
        let open = Rules {
            groups: Vec::new(),
            mfa_claim: None,
            ..rules()
        };
        assert!(read(|claims| claims["amr"] = json!(null), &open).is_ok());
    }

    #[test]
    fn who_may_not() {
        let check = |what: &str, change: fn(&mut Value), expected: &ApiError| {
            assert_eq!(read(change, &rules()).as_ref().unwrap_err(), expected, "{what}");
        };
        let unauthorized = ApiError::Unauthorized;
        check("expired", |claims| claims["exp"] = json!(NOW_S - 31), &unauthorized);
        check("no expiry", |claims| claims["exp"] = json!(null), &unauthorized);
        check("not yet", |claims| claims["nbf"] = json!(NOW_S + 31), &unauthorized);
        check(
            "other audience",
            |claims| claims["aud"] = json!(["aud-0"]),
            &unauthorized,
        );
        check(
            "other issuer",
            |claims| claims["iss"] = json!("https://evil.example"),
            &unauthorized,
        );
        check("nobody", |claims| claims["email"] = json!(""), &unauthorized);
        check("no subject", |claims| claims["sub"] = json!(""), &unauthorized);
        let forbidden = |why: &str| ApiError::Forbidden(why.into());
        check(
            "other group",
            |claims| claims["custom"]["groups"] = json!(["staff"]),
            &forbidden("you are in none of the admin groups"),
        );
        check(
            "one factor",
            |claims| claims["amr"] = json!(["pwd"]),
            &forbidden("sign in with a second factor"),
        );
        check(
            "no factor",
            |claims| claims["amr"] = json!(null),
            &forbidden("sign in with a second factor"),
        );
    }
}
