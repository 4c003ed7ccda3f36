//! `plugin pin`.

use std::fmt::Write;

use respaldo_contract::messages::ExitCode;
use respaldo_contract::records::PluginPinRecord;
use respaldo_plugin_host::{Description, Examined, PluginConfig, examine};
use serde_json::Value;

use crate::cli::app::App;
use crate::cli::args::PluginPinArgs;
use crate::failure::Failure;
use crate::records::described;

/// Prints the configuration that allows a library.
pub fn run(args: &PluginPinArgs, app: &App) -> Result<ExitCode, Failure> {
    let path = std::path::absolute(&args.path).unwrap_or_else(|_| args.path.clone());
    let found = examine(&path, PluginConfig::own_program())?;
    let path = path.display().to_string();
    let configuration = found
        .plugins
        .iter()
        .map(|plugin| lines(&path, &found, plugin))
        .collect::<Vec<_>>()
        .join("\n");
    let record = PluginPinRecord {
        sha256: found.sha256.to_string(),
        complementos: found
            .plugins
            .iter()
            .map(|plugin| described(name_of(plugin), plugin))
            .collect(),
        configuracion: configuration.clone(),
        ruta: path,
    };
    app.output.result(&record, |_| configuration);
    Ok(ExitCode::Done)
}

/// The last part of its id: what most would call it.
fn name_of(plugin: &Description) -> &str {
    plugin.id.rsplit('.').next().unwrap_or(&plugin.id)
}

fn lines(path: &str, found: &Examined, plugin: &Description) -> String {
    let name = name_of(plugin);
    let mut text = format!(
        "# {} {}, {}\n[plugins.{name}]\npath = {path:?}\nid = {:?}\nsha256 = \"{}\"\n",
        plugin.name,
        plugin.version,
        plugin.kind.word(),
        plugin.id,
        found.sha256
    );
    if let Some(library) = found.strange_libraries() {
        let _ = writeln!(text, "allow_libraries = [{library:?}]");
    }
    for option in options(&plugin.options_schema) {
        let _ = writeln!(text, "# options.{option}");
    }
    text
}

/// `name = type`, and what it is for.
fn options(schema: &str) -> Vec<String> {
    let schema: Value = serde_json::from_str(schema).unwrap_or_default();
    let required: Vec<&str> = schema["required"]
        .as_array()
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let Some(properties) = schema["properties"].as_object() else {
        return Vec::new();
    };
    let line = |(name, about): (&String, &Value)| {
        let kind = about["type"].as_str().unwrap_or("value");
        let must = match required.contains(&name.as_str()) {
            true => "",
            false => ", optional",
        };
        let words = about["description"].as_str().unwrap_or_default();
        format!("{name} = ... ({kind}{must}) {words}")
            .trim_end()
            .to_owned()
    };
    properties.iter().map(line).collect()
}
