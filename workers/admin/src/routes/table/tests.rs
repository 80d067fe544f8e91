//! Paths are told apart, and what changes something has a body.

use super::*;

#[test]
fn paths_are_told_apart() {
    let (route, values) = find("POST", "/admin/v1/variants/LLM_MODEL/x.1/rollout").unwrap();
    assert_eq!((route.handler, values), (Handler::Rollout, vec!["LLM_MODEL", "x.1"]));
    assert_eq!(
        find("GET", "/admin/v1/audit/verify").unwrap().0.handler,
        Handler::VerifyAudit
    );
    assert_eq!(find("DELETE", "/admin/v1/variants").err().unwrap(), ["GET", "POST"]);
    assert_eq!(find("POST", "/admin/v1/audit/verify").err().unwrap(), ["GET"]);
    for path in [
        "/admin/v1/variants/",
        "/admin/v1",
        "/admin/v1/variants/LLM_MODEL//rollout",
    ] {
        assert_eq!(find("GET", path).err().unwrap(), [""; 0], "{path}");
    }
}

#[test]
fn what_changes_something_has_a_body_with_a_reason_and_nothing_else_has() {
    for route in ROUTES {
        assert_eq!(route.method != "GET", route.body.is_some(), "{}", route.path);
    }
}
