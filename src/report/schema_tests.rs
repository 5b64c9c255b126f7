//! The JSON Schema of the report: generated from the types, published in `docs/`, and held against real reports.

use super::{Report, SCHEMA};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn schema() -> Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<Report>().to_value();
    if let Some(map) = schema.as_object_mut() {
        map.insert("title".to_owned(), "Report of pgretro".into());
        map.insert("$comment".to_owned(), format!("schema {SCHEMA}").into());
    }
    schema
}

#[test]
fn the_published_schema_is_that_of_the_types() {
    let path = root().join("docs/report.schema.json");
    let text = serde_json::to_string_pretty(&schema()).expect("JSON") + "\n";
    if std::env::var_os("PGRETRO_BLESS").is_some() {
        std::fs::write(&path, &text).expect("written");
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        published == text,
        "docs/report.schema.json is not that of the types: PGRETRO_BLESS=1 cargo test writes it"
    );
}

fn of(folders: &[PathBuf]) -> Value {
    let snapshots = crate::ingest::read(folders, &crate::ingest::Options::default()).expect("reads");
    let snapshots = snapshots.into_iter().map(std::sync::Arc::new).collect();
    let chain = crate::diff::chain(snapshots, &crate::diff::Options::default()).expect("a chain");
    let advice = crate::advisor::run(&chain, &crate::advisor::Config::default());
    let report = super::build(&chain, &advice, &super::Options::default()).expect("a report");
    serde_json::to_value(report).expect("JSON")
}

#[test]
fn real_reports_fit_the_schema() {
    let schema = schema();
    let fixture = |name: &str| root().join("fixtures").join(name);
    let golden = std::fs::read_to_string(fixture("report/golden.json")).expect("there");
    let mut reports = vec![("golden", serde_json::from_str(&golden).expect("JSON"))];
    for name in ["shop", "pg18-standby", "pg15-crash"] {
        reports.push((name, of(&[fixture(name).join("before"), fixture(name).join("after")])));
    }
    reports.push(("classic", of(&[fixture("classic")])));
    for (name, report) in reports {
        let mut found = Vec::new();
        check(&schema, &schema, &report, name, &mut found);
        assert!(found.is_empty(), "{}", found.join("\n"));
    }
}

/// Makes a report wrong.
type Spoil = fn(&mut Map<String, Value>);

#[test]
fn what_does_not_fit_is_found() {
    let schema = schema();
    let golden = std::fs::read_to_string(root().join("fixtures/report/golden.json")).expect("there");
    let spoilers: [(&str, Spoil); 4] = [
        ("no title", |r| drop(r.remove("title"))),
        ("a title that is a number", |r| drop(r.insert("title".to_owned(), 1.into()))),
        ("a severity of its own", |r| r["findings"][0]["severity"] = "awful".into()),
        ("a block of its own", |r| r["sections"][0]["blocks"][0] = serde_json::json!({"type": "poem"})),
    ];
    for (what, spoil) in spoilers {
        let mut report: Value = serde_json::from_str(&golden).expect("JSON");
        spoil(report.as_object_mut().expect("an object"));
        let mut found = Vec::new();
        check(&schema, &schema, &report, "golden", &mut found);
        assert!(!found.is_empty(), "{what}");
    }
}

/// Holds a value against a schema: the words that schemars writes, and no others.
fn check(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let Some(map) = schema.as_object() else {
        if schema == &Value::Bool(false) {
            found.push(format!("{at}: nothing fits here"));
        }
        return;
    };
    let fits = |schema: &Value| {
        let mut inner = Vec::new();
        check(root, schema, value, at, &mut inner);
        inner.is_empty()
    };
    for (word, rule) in map {
        let good = match word.as_str() {
            "$schema" | "$defs" | "$comment" | "title" | "description" | "format" | "default" => true,
            "$ref" => {
                let pointer = rule.as_str().and_then(|r| r.strip_prefix('#')).unwrap_or("?");
                match root.pointer(pointer) {
                    Some(target) => check(root, target, value, at, found),
                    None => found.push(format!("{at}: {rule} leads nowhere")),
                }
                true
            }
            "type" => match rule {
                Value::Array(types) => types.iter().any(|t| is(t, value)),
                one => is(one, value),
            },
            "enum" => rule.as_array().is_some_and(|list| list.contains(value)),
            "const" => rule == value,
            "minimum" => value.as_f64().is_none_or(|v| Some(v) >= rule.as_f64()),
            "maximum" => value.as_f64().is_none_or(|v| Some(v) <= rule.as_f64()),
            "minItems" => value.as_array().is_some_and(|a| a.len() as u64 >= rule.as_u64().unwrap_or(0)),
            "maxItems" => value.as_array().is_some_and(|a| a.len() as u64 <= rule.as_u64().unwrap_or(0)),
            "anyOf" => rule.as_array().is_some_and(|list| list.iter().any(fits)),
            "oneOf" => rule.as_array().is_some_and(|list| list.iter().filter(|s| fits(s)).count() == 1),
            "required" => rule
                .as_array()
                .is_some_and(|names| names.iter().all(|n| value.get(n.as_str().unwrap_or_default()).is_some())),
            "properties" => {
                for (name, inner) in rule.as_object().into_iter().flatten() {
                    if let Some(part) = value.get(name) {
                        check(root, inner, part, &format!("{at}/{name}"), found);
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = map.get("properties").and_then(Value::as_object);
                for (name, part) in value.as_object().into_iter().flatten() {
                    if known.is_none_or(|k| !k.contains_key(name)) {
                        check(root, rule, part, &format!("{at}/{name}"), found);
                    }
                }
                true
            }
            "items" | "prefixItems" => {
                for (i, part) in value.as_array().into_iter().flatten().enumerate() {
                    let inner = if word == "items" { Some(rule) } else { rule.get(i) };
                    if let Some(inner) = inner {
                        check(root, inner, part, &format!("{at}/{i}"), found);
                    }
                }
                true
            }
            other => {
                found.push(format!("{at}: the check does not know `{other}`"));
                true
            }
        };
        if !good {
            found.push(format!(
                "{at}: `{word}` is not kept by {}",
                value.to_string().chars().take(80).collect::<String>()
            ));
        }
    }
}

fn is(kind: &Value, value: &Value) -> bool {
    match kind.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        _ => false,
    }
}
