//! Options against the schema of the plugin that they are for.

use serde_json::Value;

use crate::error::PluginErrorKind;

/// Fails with every place where the options do not fit; values are not repeated, one may be a secret.
pub(crate) fn check(options: &Value, schema: &str) -> Result<(), PluginErrorKind> {
    let broken = |error: &dyn std::fmt::Display| {
        PluginErrorKind::Load(format!("the schema of its options is none: {error}"))
    };
    let schema: Value = serde_json::from_str(schema).map_err(|error| broken(&error))?;
    let validator = jsonschema::validator_for(&schema).map_err(|error| broken(&error))?;
    let problems: Vec<String> = validator
        .iter_errors(options)
        .map(|error| {
            format!(
                "{}: {}",
                place(&error.instance_path().to_string()),
                error.masked()
            )
        })
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(PluginErrorKind::Options(problems.join("; ")))
    }
}

fn place(pointer: &str) -> String {
    format!("options{}", pointer.replace('/', "."))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SCHEMA: &str = r#"{
        "type": "object",
        "properties": {"dir": {"type": "string"}, "key": {"type": "integer", "writeOnly": true}},
        "required": ["dir"],
        "additionalProperties": false
    }"#;

    fn problem(options: &Value) -> String {
        check(options, SCHEMA).map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn options_that_fit_pass() {
        assert_eq!(problem(&json!({"dir": "/backup"})), "");
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_place_and_without_its_value() {
        let told = problem(&json!({"dir": "/backup", "key": "geheim"}));
        assert!(told.contains("options.key"), "{told}");
        assert!(!told.contains("geheim"), "{told}");
        assert!(problem(&json!({})).contains("dir"));
    }

    #[test]
    fn a_schema_that_is_none_is_the_fault_of_the_plugin() {
        let error = check(&json!({}), "{").unwrap_err();
        assert!(matches!(error, PluginErrorKind::Load(_)));
    }
}
