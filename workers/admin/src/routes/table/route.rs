//! What a route of the table says of itself, and short ways to say it.

use super::Handler;

/// What answers a change: done, or waiting for a second word or its time.
pub(super) const CHANGE: &[(u16, &str)] = &[(200, "Changed"), (202, "Waits")];

/// A parameter of the query: name, schema type, what it is.
pub(crate) type Query = (&'static str, Kind, &'static str);

/// The type of a query's parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Category,
    Status,
    Cohort,
    State,
    Text(u32),
    /// The `next` of the page before.
    Cursor,
    Limit(u32),
    Number,
    Boolean,
    Day,
    Days,
    VariantId,
    /// One that the request cannot do without.
    Needed(&'static Kind),
}

/// One route.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    /// With `{parameters}`.
    pub(crate) path: &'static str,
    pub(crate) handler: Handler,
    pub(crate) summary: &'static str,
    pub(crate) query: &'static [Query],
    /// The body's schema, for what changes something.
    pub(crate) body: Option<&'static str>,
    /// Whether `If-Match` names the version that is changed.
    pub(crate) versioned: bool,
    /// Statuses of success and the schemas of their bodies.
    pub(crate) answers: &'static [(u16, &'static str)],
}

pub(super) const fn read(
    path: &'static str,
    handler: Handler,
    summary: &'static str,
    query: &'static [Query],
    schema: &'static [(u16, &'static str)],
) -> Route {
    Route {
        method: "GET",
        path,
        handler,
        summary,
        query,
        body: None,
        versioned: false,
        answers: schema,
    }
}

pub(super) const fn write(
    path: &'static str,
    handler: Handler,
    summary: &'static str,
    body: &'static str,
    answers: &'static [(u16, &'static str)],
) -> Route {
    Route {
        method: "POST",
        path,
        handler,
        summary,
        query: &[],
        body: Some(body),
        versioned: false,
        answers,
    }
}

pub(super) const fn versioned(
    path: &'static str,
    handler: Handler,
    summary: &'static str,
    body: &'static str,
) -> Route {
    Route {
        versioned: true,
        ..write(path, handler, summary, body, CHANGE)
    }
}
