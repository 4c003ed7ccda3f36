//! What a library would pull in: the pin covers one file, so that it may need the system's only.

use std::fs::File;
use std::io::{self, Read, Seek};

use object::Endianness;
use object::elf::{DT_NEEDED, DT_RPATH, DT_RUNPATH};
use object::read::elf::{Dyn, ElfFile64, FileHeader, ProgramHeader};

use crate::error::PluginErrorKind;

/// Libraries of the system that every plugin may need.
const OF_THE_SYSTEM: &[&str] = &[
    "libc.so.6",
    "libm.so.6",
    "libgcc_s.so.1",
    "libpthread.so.0",
    "libdl.so.2",
    "librt.so.1",
    "libstdc++.so.6",
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
];

/// Whether every system has it.
pub(crate) fn is_of_the_system(name: &str) -> bool {
    OF_THE_SYSTEM.contains(&name)
}

/// What the loader would read of a library.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Linkage {
    /// Libraries it needs.
    pub(crate) needed: Vec<String>,
    /// It names folders to look in.
    pub(crate) has_run_path: bool,
    /// Functions and data that others can see.
    pub(crate) exports: Vec<String>,
}

/// Fails where the library would bring in more than the system's and those allowed.
pub(crate) fn check(memory: &File, allowed: &[String]) -> Result<(), PluginErrorKind> {
    let linkage = linkage(memory)?;
    if linkage.has_run_path {
        let what =
            "it names folders to load libraries from (RPATH or RUNPATH), which no hash covers";
        return Err(PluginErrorKind::Refused(what.to_owned()));
    }
    let known = |name: &String| is_of_the_system(name) || allowed.contains(name);
    match linkage.needed.iter().find(|name| !known(name)) {
        Some(name) => Err(PluginErrorKind::Refused(format!(
            "it needs {name}, which no hash covers; link it statically, or name it in `allow_libraries`"
        ))),
        None => Ok(()),
    }
}

/// Reads the tables of the loader.
pub(crate) fn linkage(memory: &File) -> Result<Linkage, PluginErrorKind> {
    let bytes = read(memory).map_err(PluginErrorKind::System)?;
    let parsed = parse(&bytes);
    parsed.map_err(|error| {
        PluginErrorKind::Load(format!("it is no library for this machine: {error}"))
    })
}

fn parse(bytes: &[u8]) -> object::read::Result<Linkage> {
    let file = ElfFile64::<Endianness>::parse(bytes)?;
    let endian = file.endian();
    let mut linkage = Linkage {
        exports: exports(&file),
        ..Linkage::default()
    };
    let header = file.elf_header();
    for segment in header.program_headers(endian, bytes)? {
        let Some(entries) = segment.dynamic(endian, bytes)? else {
            continue;
        };
        let strings = file.elf_dynamic_symbol_table().strings();
        for entry in entries {
            match entry.tag(endian) {
                DT_NEEDED => {
                    let name = entry.string(endian, strings)?;
                    linkage
                        .needed
                        .push(String::from_utf8_lossy(name).into_owned());
                }
                DT_RPATH | DT_RUNPATH => linkage.has_run_path = true,
                _ => {}
            }
        }
    }
    Ok(linkage)
}

fn exports(file: &ElfFile64<'_, Endianness>) -> Vec<String> {
    use object::{Object, ObjectSymbol};
    let defined = file
        .dynamic_symbols()
        .filter(|symbol| symbol.is_definition() && symbol.is_global());
    defined
        .filter_map(|symbol| symbol.name().ok().map(str::to_owned))
        .collect()
}

fn read(memory: &File) -> io::Result<Vec<u8>> {
    let mut memory = memory.try_clone()?;
    memory.rewind()?;
    let mut bytes = Vec::new();
    memory.read_to_end(&mut bytes)?;
    Ok(bytes)
}
