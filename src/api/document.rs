//! What the document of the API says of all routes alike.

use utoipa::Modify;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};

use super::access::credential::COOKIE;
use super::schemas::{bytes_are_bytes, write_out};
use super::transport::problem::Problem;

/// What is the document's own; routes add theirs.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "scanner",
        description = "A 3D-scanner rig: scans, live views, captures. Errors are problem documents (RFC 9457) with a \
            stable `type`. Every operation wants a token, as `Authorization: Bearer TOKEN` or in the cookie that \
            `POST /api/v1/login` sets, but for those that say otherwise. A token that may only look (`scanner token --look-only`) \
            is refused by whatever captures or changes something.",
    ),
    tags(
        (name = "rig", description = "What the rig is doing; its axes and lights; stopping what is under way."),
        (name = "scans", description = "Scans on the disk: begun, gone on with, looked at, removed."),
        (name = "plans", description = "What a scan would take, and where."),
        (name = "calibration", description = "What the rig has measured of itself, by the printed board and by its axes' swing; measuring it anew."),
        (name = "captures", description = "Single photographs, between scans."),
        (name = "cameras", description = "Cameras and what can be set."),
        (name = "live", description = "Live views of the cameras."),
        (name = "events", description = "What happens, as it happens."),
        (name = "setup", description = "The rig set up: questions, its parts tried, what comes of it put in force."),
        (name = "session", description = "Logging a browser in and out."),
        (name = "configuration", description = "What the configuration says and could say; changing it, and taking changes back."),
        (name = "operation", description = "For those who look after the machine."),
    ),
    // What the router knows by another path.
    paths(super::scans::exports::export),
    components(schemas(Problem, crate::model::ExportFormat)),
    security(("bearer" = []), ("cookie" = [])),
    modifiers(&Schemes),
)]
pub(super) struct Document;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.description = Some("What `scanner token` prints.".to_owned());
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        let cookie = ApiKeyValue::with_description(
            COOKIE,
            "For browsers: `POST /api/v1/login` sets it; behind its name stands the port, as in `scanner_session_8080`, and before it `__Host-` over HTTPS. A page can neither read nor \
             set it itself. It ends with `POST /api/v1/logout`, with its token, after 30 days without use, and after 180 days.",
        );
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}

/// Adds the answers that any route can give, since they come before it or in its place.
pub(super) fn complete(mut document: OpenApi) -> OpenApi {
    write_out(&mut document);
    for item in document.paths.paths.values_mut() {
        let operations = [
            &mut item.get,
            &mut item.put,
            &mut item.post,
            &mut item.delete,
            &mut item.options,
            &mut item.head,
            &mut item.patch,
            &mut item.trace,
        ];
        for operation in operations.into_iter().flatten() {
            bytes_are_bytes(operation);
            let is_open = is_open(operation);
            let mut add = |status: &str, description: &str| {
                let responses = &mut operation.responses.responses;
                responses.entry(status.to_owned()).or_insert_with(|| problem(description));
            };
            add(
                "403",
                "The request is for another host, or from a page of another one; or the token may only look.",
            );
            add("500", "A defect of the program: its log says more.");
            if !is_open {
                add("401", "No token, or none that is valid.");
            }
        }
    }
    document
}

/// Whether it wants no token.
fn is_open(operation: &Operation) -> bool {
    operation.security.as_ref().is_some_and(|wanted| wanted.contains(&SecurityRequirement::default()))
}

fn problem(description: &str) -> RefOr<Response> {
    let body = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let response = ResponseBuilder::new().description(description);
    RefOr::T(response.content("application/problem+json", body).build())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;

    use crate::api::access::auth::OPEN;
    use crate::api::openapi;

    /// What an operation is called begins with what it does.
    const VERBS: [&str; 26] = [
        "change", "check", "restore", "begin", "cancel", "clear", "collect", "delete", "describe", "extend",
        "get", "home", "jog", "list", "log", "pause", "preview", "resume", "retake", "run", "set", "start",
        "stream", "switch", "take", "verify",
    ];

    /// Method, path and operation of each.
    fn operations(document: &Value) -> Vec<(String, String, Value)> {
        let paths = document["paths"].as_object().unwrap();
        let of = |(path, item): (&String, &Value)| -> Vec<_> {
            let item = item.as_object().unwrap();
            item.iter().map(|(method, operation)| (method.clone(), path.clone(), operation.clone())).collect()
        };
        paths.iter().flat_map(of).collect()
    }

    #[test]
    fn every_operation_has_a_name_of_its_own_a_summary_and_a_tag_that_is_described() {
        let document = serde_json::to_value(openapi()).unwrap();
        let tags = document["tags"].as_array().unwrap().iter();
        let described: HashSet<&str> = tags
            .filter(|tag| tag["description"].as_str().is_some_and(|text| text.ends_with('.')))
            .map(|tag| tag["name"].as_str().unwrap())
            .collect();
        let operations = operations(&document);
        let (mut ids, mut used) = (HashSet::new(), HashSet::new());
        for (method, path, operation) in &operations {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id), "{method} {path}: another operation is called {id}, too");
            let verb = id.split('_').next().unwrap();
            assert!(VERBS.contains(&verb) && id.contains('_'), "{method} {path}: {id} is no verb and noun");
            assert!(operation["summary"].as_str().is_some_and(|text| text.len() > 5), "{method} {path}");
            let tags = operation["tags"].as_array().unwrap();
            assert_eq!(tags.len(), 1, "{method} {path}");
            let tag = tags[0].as_str().unwrap();
            assert!(described.contains(tag), "{method} {path}: nothing describes the tag {tag}");
            used.insert(tag);
        }
        assert!(operations.len() > 40, "{} operations", operations.len());
        assert_eq!(used, described, "tags that nothing has");
    }

    /// What some generators of clients drop without a word.
    #[test]
    fn nothing_in_the_document_is_beyond_generators_of_clients() {
        fn walk(value: &Value, place: &str) {
            if let Value::Object(object) = value {
                assert!(!object.contains_key("allOf"), "{place}: put together");
                let composed = object.contains_key("$ref") || object.contains_key("oneOf");
                assert!(
                    !composed || !object.contains_key("default"),
                    "{place}: a default of what is elsewhere"
                );
            }
            match value {
                Value::Object(object) => {
                    object.iter().for_each(|(key, value)| walk(value, &format!("{place}/{key}")));
                }
                Value::Array(items) => items.iter().for_each(|value| walk(value, place)),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        let document = serde_json::to_value(openapi()).unwrap();
        walk(&document, "");
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let variants = |name: &str| schemas[name]["oneOf"].as_array().unwrap();
        // What is common to all is in each.
        for (name, common) in [("Control", "name"), ("Shot", "attempts"), ("PreflightFinding", "check")] {
            for variant in variants(name) {
                assert!(variant["properties"].as_object().unwrap().len() > 1, "{name}: {variant}");
                assert!(
                    variant["required"].as_array().unwrap().iter().any(|key| key == common),
                    "{name}: {variant}"
                );
            }
        }
        assert!(schemas["ScanDetail"]["properties"]["plan"].is_object());
        let events =
            variants("StreamMessage").iter().filter(|variant| variant["properties"]["number"].is_object());
        assert!(events.count() > 10);
    }

    #[test]
    fn every_operation_says_how_it_fails_and_whether_it_wants_a_token() {
        let document = serde_json::to_value(openapi()).unwrap();
        assert!(document["components"]["schemas"]["Problem"].is_object());
        for (method, path, operation) in operations(&document) {
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.keys().any(|status| status.starts_with(['1', '2'])), "{method} {path}");
            for status in ["403", "500"] {
                assert!(responses.contains_key(status), "{method} {path}: no {status}");
            }
            let is_open = operation["security"] == serde_json::json!([{}]);
            assert_eq!(is_open, OPEN.contains(&path.as_str()), "{method} {path}");
            assert_eq!(is_open && path != "/api/v1/login", !responses.contains_key("401"), "{method} {path}");
            for (status, response) in responses.iter().filter(|(status, _)| status.starts_with(['4', '5'])) {
                if path == "/readyz" && status == "503" {
                    continue;
                }
                let schema = &response["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/Problem", "{method} {path}: {status}");
            }
        }
    }
}
