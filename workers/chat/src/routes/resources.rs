//! Help by country.

use crate::auth;
use serde_json::json;
use silent_core::safety;
use silent_edge::error::ApiError;
use silent_edge::http;
use std::collections::BTreeSet;
use worker::{Request, Response};

/// `GET /v1/resources?country=`: help in a country; without one, in the country of the request.
pub(super) fn read(request: &Request) -> Result<Response, ApiError> {
    let url = request.url()?;
    let asked = url
        .query_pairs()
        .find(|(name, _)| name == "country")
        .map(|(_, value)| value.into_owned());
    let country = match asked {
        Some(code) => Some(
            http::country(&code)
                .ok_or_else(|| ApiError::Invalid("country is a code of two letters, such as DE".into()))?,
        ),
        None => auth::region(request),
    };
    let resources = safety::for_country(country.as_deref());
    let known: BTreeSet<String> = safety::all_resources()
        .into_iter()
        .map(|entry| entry.country)
        .filter(|code| code != "*")
        .collect();
    let response = Response::from_json(&json!({"country": country, "countries": known, "resources": resources}))?;
    response.headers().set("cache-control", "no-store")?;
    Ok(response)
}
