//! The C header is that of `src/abi.rs`, compiles alone, and means the same bytes.
#![expect(clippy::unwrap_used, reason = "test code")]

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::mem::offset_of;
use std::path::{Path, PathBuf};
use std::process::Command;

use cbindgen::{Bindings, Builder, Config};
use respaldo_sdk::abi;

fn ours(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn config() -> Config {
    Config::from_file(ours("cbindgen.toml")).unwrap()
}

/// Compares with what is checked in, or checks it in.
fn ensure_same(path: &str, text: &str) {
    let path = ours(path);
    if env::var_os("RESPALDO_BLESS").is_some() {
        fs::write(&path, text).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "{} is not in step with src/abi.rs: look at the change, then RESPALDO_BLESS=1",
        path.display()
    );
}

fn header() -> String {
    let builder = Builder::new()
        .with_config(config())
        .with_src(ours("src/abi.rs"));
    let bindings: Bindings = builder.generate().unwrap();
    let mut text = Vec::new();
    bindings.write(&mut text);
    with_names_of_c(&String::from_utf8(text).unwrap())
}

/// Links of the documentation, such as [`Entry::create`], as names of C.
fn with_names_of_c(text: &str) -> String {
    let config = config();
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once("[`") {
        let (name, after) = link.split_once("`]").unwrap();
        out.push_str(before);
        let (name, field) = name
            .split_once("::")
            .map_or((name, None), |(a, b)| (a, Some(b)));
        let renamed = config.export.rename.get(name).cloned();
        out.push_str(&renamed.unwrap_or_else(|| format!("RESPALDO_{name}")));
        if let Some(field) = field {
            write!(out, ".{field}").unwrap();
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[test]
fn the_header_is_in_step() {
    ensure_same("include/respaldo_plugin.h", &header());
}

#[test]
fn the_ids_of_the_header_are_those_of_the_host() {
    let header = header();
    for (name, id) in [
        ("STORAGE_ID", abi::STORAGE_ID),
        ("DETECTOR_ID", abi::DETECTOR_ID),
        ("DUMPER_ID", abi::DUMPER_ID),
        ("VALIDATOR_ID", abi::VALIDATOR_ID),
        ("ENTRY_SYMBOL", abi::ENTRY_SYMBOL),
    ] {
        assert!(
            header.contains(&format!("#define RESPALDO_{name} \"{id}\"\n")),
            "{name}"
        );
    }
}

fn run(command: &mut Command) -> String {
    let output = command.output();
    let output = output
        .map_err(|error| format!("{command:?}: {error}"))
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// Compiles a C program that includes nothing of ours but the header, and returns what it prints.
fn compiled(compiler: &[&str], name: &str, text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (source, program) = (folder.path().join(name), folder.path().join("program"));
    fs::write(&source, text).unwrap();
    let mut command = Command::new(compiler[0]);
    command.args(&compiler[1..]);
    command.args(["-Wall", "-Wextra", "-Werror", "-pedantic", "-I"]);
    command
        .arg(ours("include"))
        .arg("-o")
        .arg(&program)
        .arg(&source);
    run(&mut command);
    run(&mut Command::new(program))
}

const EMPTY: &str = "#include <respaldo_plugin.h>\nint main(void) { return 0; }\n";

#[test]
fn the_header_alone_compiles_as_c99_and_as_cpp() {
    compiled(&["cc", "-std=c99"], "empty.c", EMPTY);
    compiled(&["c++", "-std=c++11"], "empty.cpp", EMPTY);
}

/// Sizes and offsets of the structs, as this compiler lays them out.
macro_rules! layout {
    ($($name:ident { $($field:ident),+ })+) => {
        [$(
            (stringify!($name), size_of::<abi::$name>(), vec![
                $((stringify!($field), offset_of!(abi::$name, $field))),+
            ])
        ),+]
    };
}

type Struct = (&'static str, usize, Vec<(&'static str, usize)>);

fn structs() -> Vec<Struct> {
    layout! {
        Str { ptr, len }
        Entry { magic, struct_size, api_min, api_max, init, count, descriptor, create }
        Descriptor {
            struct_size, kind, flags, reserved, id, name, version, vendor, license, description,
            options_schema
        }
        Instance { struct_size, flags, state, get_interface, destroy }
        Call {
            struct_size, api, ctx, is_cancelled, progress, set_error, emit, log, json_get
        }
        Error { struct_size, status, message }
        Reader { struct_size, flags, ctx, read, fill, consume }
        Writer { struct_size, flags, ctx, write, reserve, commit }
        Storage { struct_size, reserved, probe, put, get, head, list, remove, sweep }
        Detector { struct_size, reserved, baseline, verdicts }
        Dumper { struct_size, reserved, probe, dump }
        Validator { struct_size, reserved, validate }
    }
    .to_vec()
}

fn printed(structs: &[Struct]) -> String {
    let mut text = String::new();
    for (name, size, fields) in structs {
        writeln!(text, "{} {size}", name.to_lowercase()).unwrap();
        for (field, offset) in fields {
            writeln!(text, "  {field} {offset}").unwrap();
        }
    }
    text
}

/// A program that prints the same of the header's structs.
fn program(structs: &[Struct]) -> String {
    let mut lines = String::new();
    for (name, _, fields) in structs {
        let name = name.to_lowercase();
        writeln!(lines, "printf(\"{name} %zu\\n\", sizeof(respaldo_{name}));").unwrap();
        for (field, _) in fields {
            let offset = format!("offsetof(respaldo_{name}, {field})");
            writeln!(lines, "printf(\"  {field} %zu\\n\", {offset});").unwrap();
        }
    }
    format!(
        "#include <respaldo_plugin.h>\n#include <stdio.h>\nint main(void) {{\n{lines}return 0;\n}}\n"
    )
}

#[test]
fn every_struct_and_field_has_its_line_in_the_layout() {
    let source = fs::read_to_string(ours("src/abi.rs")).unwrap();
    let declared = source.lines().filter_map(|line| {
        let line = line.trim_start().strip_prefix("pub ")?;
        let (name, _) = line.split_once([':', '{'])?;
        let name = name.trim().strip_prefix("struct ").unwrap_or(name.trim());
        (!name.contains(' ')).then(|| name.to_lowercase())
    });
    let printed = printed(&structs());
    let listed = printed
        .lines()
        .map(|line| line.split_whitespace().next().unwrap());
    assert_eq!(declared.collect::<Vec<_>>(), listed.collect::<Vec<_>>());
}

/// What is here has been shipped: lines may be added behind a struct's last, none may change.
#[test]
fn the_layout_is_the_one_that_was_shipped() {
    ensure_same("tests/layout.txt", &printed(&structs()));
}

#[test]
fn a_c_compiler_lays_the_structs_out_in_the_same_way() {
    let structs = structs();
    let in_c = compiled(&["cc", "-std=c99"], "layout.c", &program(&structs));
    assert_eq!(in_c, printed(&structs));
}
