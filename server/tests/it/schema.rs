//! Whether a value fits a JSON Schema, for the keywords that our OpenAPI document uses. Any other keyword is a failure, so
//! that nothing in the document goes unchecked in silence.

use serde_json::{Value, json};

/// Keywords of a schema that say nothing of which values fit, or which are finer than these tests look.
const REMARKS: &[&str] =
    &["description", "examples", "default", "format", "pattern", "minimum", "maximum", "contentMediaType"];

/// What a `$ref` stands for; anything else stands for itself.
pub(crate) fn resolved<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    match value["$ref"].as_str() {
        None => value,
        Some(name) => {
            let found = document.pointer(name.strip_prefix('#').unwrap());
            resolved(document, found.unwrap_or_else(|| panic!("{name} stands for nothing")))
        }
    }
}

/// What of a value does not fit a schema, with the place in front.
pub(crate) fn misfits(document: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let schema = resolved(document, schema);
    let mut wrong = Vec::new();
    for (keyword, wanted) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "type" => {
                let kinds = wanted.as_array().cloned().unwrap_or_else(|| vec![wanted.clone()]);
                if !kinds.iter().any(|kind| is_of(value, kind.as_str().unwrap())) {
                    wrong.push(format!("{at} is {value}, not {wanted}"));
                }
            }
            "enum" if !wanted.as_array().unwrap().contains(value) => wrong.push(format!("{at} is {value}")),
            "anyOf" => {
                let fits = |option| misfits(document, option, value, at).is_empty();
                if !wanted.as_array().unwrap().iter().any(fits) {
                    wrong.push(format!("{at} is {value}, none of {wanted}"));
                }
            }
            "required" => {
                for name in wanted.as_array().unwrap() {
                    if value.get(name.as_str().unwrap()).is_none() {
                        wrong.push(format!("{at} has no {name}"));
                    }
                }
            }
            "properties" => {
                for (name, schema) in wanted.as_object().unwrap() {
                    if let Some(member) = value.get(name) {
                        wrong.extend(misfits(document, schema, member, &format!("{at}.{name}")));
                    }
                }
            }
            "additionalProperties" => {
                assert_eq!(*wanted, json!(false));
                for name in value.as_object().into_iter().flat_map(|members| members.keys()) {
                    if schema["properties"].get(name).is_none() {
                        wrong.push(format!("{at} has {name} besides"));
                    }
                }
            }
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    wrong.extend(misfits(document, wanted, item, &format!("{at}[]")));
                }
            }
            "enum" => {}
            other => assert!(REMARKS.contains(&other), "{at}: `{other}` is not checked"),
        }
    }
    wrong
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("`{other}` is no kind"),
    }
}
