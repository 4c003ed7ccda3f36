//! The manifest and readings files: written, read back, and refused where they are not sound.

use std::sync::Arc;

use crate::sample::{FULL, INC, archive, column, data, manifest, name};
use proptest::prelude::*;
use respaldo_contract::manifest_file::{
    ManifestFileError, decode, decode_header, encode, encode_header,
};
use respaldo_contract::stats_file;
use respaldo_domain::changes::Reason;
use respaldo_domain::manifest::{Contents, LargeObjects, Manifest, TableEntry};
use respaldo_domain::object::Sha256;
use respaldo_domain::readings::{Evidence, Readings, TableReading};
use respaldo_domain::table::{Oid, Persistence, Readability, RelationKind, TableFacts, TableName};
use serde_json::{Value, json};

/// Written by the first version. It must be readable for ever; it is never regenerated.
const GOLDEN: &[u8] = include_bytes!("../golden/manifest_v1.json");

#[test]
fn a_manifest_of_the_first_version_is_read_for_ever() {
    assert_eq!(decode(GOLDEN).unwrap(), manifest());
}

#[test]
fn this_version_writes_what_the_first_one_wrote() {
    let written = String::from_utf8(encode(&manifest()).unwrap()).unwrap();
    assert_eq!(written, String::from_utf8_lossy(GOLDEN));
}

#[test]
fn a_manifest_says_whose_definitions_its_archive_has() {
    for taken_from in [None, Some(name(FULL))] {
        let mut later = manifest();
        later.contents = Some(Contents {
            key: Sha256([3; 32]),
            size_bytes: 4_000,
            sha256: Sha256([4; 32]),
            taken_from,
        });
        assert_eq!(decode(&encode(&later).unwrap()).unwrap(), later);
    }
}

#[test]
fn any_single_changed_byte_is_noticed() {
    for position in 0..GOLDEN.len() {
        let mut changed = GOLDEN.to_vec();
        changed[position] ^= 1;
        assert!(decode(&changed).is_err(), "byte {position}");
    }
}

#[test]
fn a_manifest_cut_off_anywhere_is_refused() {
    for length in 0..GOLDEN.len() {
        assert!(decode(&GOLDEN[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn an_edited_manifest_says_that_it_was_edited() {
    let edited = String::from_utf8_lossy(GOLDEN).replace("\"filas\":24", "\"filas\":25");
    assert!(matches!(
        decode(edited.as_bytes()),
        Err(ManifestFileError::SealBroken)
    ));
}

#[test]
fn a_manifest_without_a_seal_is_refused() {
    let mut document: Value = serde_json::from_slice(GOLDEN).unwrap();
    document.as_object_mut().unwrap().remove("sello");
    let bytes = serde_json::to_vec(&document).unwrap();
    assert!(matches!(decode(&bytes), Err(ManifestFileError::NoSeal)));
}

#[test]
fn a_newer_format_is_refused_by_name_before_its_seal_is_looked_at() {
    let newer = String::from_utf8_lossy(GOLDEN).replace("\"formato\":1,", "\"formato\":3,");
    let refused = decode(newer.as_bytes()).unwrap_err();
    assert!(matches!(
        refused,
        ManifestFileError::NewerFormat { found: 3, known: 2 }
    ));
}

#[test]
fn a_table_in_an_archive_that_is_not_described_is_refused() {
    let mut broken = manifest();
    broken
        .header
        .archives
        .retain(|facts| facts.name != name(FULL));
    let refused = decode(&encode(&broken).unwrap()).unwrap_err();
    assert!(matches!(refused, ManifestFileError::ArchiveNotListed(text) if text == FULL));
}

#[test]
fn keys_of_a_later_version_of_the_same_format_are_ignored() {
    use sha2::{Digest, Sha256};
    let text = String::from_utf8_lossy(GOLDEN);
    let content = &text[..text.find("\"sello\"").unwrap()];
    let content = content.replacen(
        "\"archivo\":",
        "\"venidero\":{\"x\":[1]},\n \"archivo\":",
        1,
    );
    let digest: [u8; 32] = Sha256::digest(content.as_bytes()).into();
    let hash = respaldo_domain::object::Sha256(digest);
    let later = format!("{content}\"sello\":\"{hash}\"\n}}\n");
    assert_eq!(decode(later.as_bytes()).unwrap(), manifest());
}

#[test]
fn one_table_is_one_line_and_five_thousand_tables_are_a_few_megabytes() {
    let mut large = manifest();
    let columns = (0..12)
        .map(|n| column(&format!("columna_{n}"), "text"))
        .collect::<Arc<[_]>>();
    large.tables = (0..5_000)
        .map(|n| TableEntry {
            columns: Arc::clone(&columns),
            ..table(n, "tabla_larga", INC)
        })
        .collect();
    let bytes = encode(&large).unwrap();
    assert!(bytes.len() < 4_000_000, "{}", bytes.len());
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(
        text.lines()
            .filter(|line| line.starts_with("  {\"oid\":"))
            .count(),
        5_000
    );
}

fn table(oid: u32, table: &str, archive: &str) -> TableEntry {
    TableEntry {
        oid: Oid(oid),
        name: TableName::new("público", table),
        kind: RelationKind::Table,
        columns: Arc::default(),
        load_via: None,
        reason: Reason::Full,
        data: Some(data(archive, 1)),
    }
}

fn any_table() -> impl Strategy<Value = TableEntry> {
    let place = (
        any::<bool>(),
        any::<i32>(),
        any::<[u64; 4]>(),
        any::<u128>(),
        any::<[u8; 32]>(),
    );
    let names = (
        ".{0,20}",
        ".{1,20}",
        prop::collection::vec((".{0,10}", ".{0,10}"), 0..4),
    );
    (
        any::<u32>(),
        names,
        prop::option::of(place),
        prop::option::of((".*", ".*")),
        "[a-z_]{1,12}",
    )
        .prop_map(|(oid, (schema, name, columns), place, via, reason)| {
            let mut entry = table(oid, &name, INC);
            entry.name.schema = schema;
            entry.columns = columns
                .iter()
                .map(|(name, kind)| column(name, kind))
                .collect();
            entry.load_via = via.map(|(schema, name)| TableName { schema, name });
            entry.reason = respaldo_contract::labels::OpenLabel::from_label(&reason);
            entry.data = place.map(|(own, dump_id, [offset, length, rows, bytes], sum, hash)| {
                let mut data = data(if own { INC } else { FULL }, 0);
                data.block.dump_id = dump_id;
                data.block.offset = offset;
                data.block.length = length;
                data.block.sha256.0 = hash;
                data.plain_bytes = bytes;
                data.fingerprint.rows = rows;
                data.fingerprint.sum = sum;
                data
            });
            entry
        })
}

fn any_manifest() -> impl Strategy<Value = Manifest> {
    let texts = prop::collection::vec(".*", 0..3);
    let tables = prop::collection::vec(any_table(), 0..8);
    (
        tables,
        prop::option::of(".*"),
        texts,
        any::<u64>(),
        any::<u64>(),
        0_i64..4_000_000_000,
    )
        .prop_map(|(tables, label, texts, sequence, system, micros)| {
            let mut manifest = manifest();
            manifest.tables = tables;
            manifest.header.label = label;
            manifest.header.excluded.clone_from(&texts);
            manifest.roles.clone_from(&texts);
            manifest.schemas = texts;
            manifest.header.sequence = sequence;
            manifest.header.source.lineage.system_identifier = system;
            manifest.header.snapshot_at += chrono::TimeDelta::microseconds(micros);
            manifest.counted()
        })
}

proptest! {
    #[test]
    fn every_manifest_is_read_back_as_it_was(manifest in any_manifest()) {
        let bytes = encode(&manifest).unwrap();
        prop_assert_eq!(decode(&bytes).unwrap(), manifest);
    }

    #[test]
    fn junk_is_refused_and_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(decode(&bytes).is_err());
        prop_assert!(stats_file::decode(&bytes).is_err());
    }

    #[test]
    fn readings_are_read_back_as_they_were(
        tables in prop::collection::btree_map(any::<u32>(), (".*", any::<Option<i64>>()), 0..6),
    ) {
        let readings = readings(tables);
        let bytes = stats_file::encode(&readings).unwrap();
        prop_assert_eq!(stats_file::decode(&bytes).unwrap(), readings);
    }
}

fn readings(tables: std::collections::BTreeMap<u32, (String, Option<i64>)>) -> Readings {
    let reading = |(oid, (name, counter)): (u32, (String, Option<i64>))| {
        let evidence =
            counter.map(|counter| evidence(&json!({"ins": counter, "xmin": "4294967295"})));
        (
            Oid(oid),
            TableReading {
                facts: Arc::new(facts(oid, name)),
                evidence,
            },
        )
    };
    Readings {
        detector: "pg-stat".into(),
        tables: tables.into_iter().map(reading).collect(),
        large_objects: Some(evidence(&json!({"hash": "ab"}))),
        figures: [("escaneadas".to_owned(), json!(3))].into(),
    }
}

fn evidence(value: &Value) -> Evidence {
    Evidence::of(value).unwrap()
}

fn facts(oid: u32, name: String) -> TableFacts {
    TableFacts {
        oid: Oid(oid),
        name: TableName::new("app", name),
        kind: RelationKind::Table,
        persistence: Persistence::Permanent,
        relfilenode: oid,
        pages_hint: 10,
        columns: [column("id", "bigint")].into(),
        columns_hash: "aa".into(),
        types_hash: "bb".into(),
        fragility: None,
        extension_condition: None,
        extension_member: false,
        load_via: None,
        readable: Readability::All,
    }
}

#[test]
fn the_existing_system_finds_no_counter_of_its_own_in_our_readings() {
    let bytes = stats_file::encode(&readings([(1, ("t".to_owned(), Some(1)))].into())).unwrap();
    let document: Value = serde_json::from_slice(&bytes).unwrap();
    for (key, value) in document.as_object().unwrap() {
        assert!(!key.contains('.') && !value.is_number(), "{key}");
    }
}

#[test]
fn readings_of_another_format_are_refused_by_name() {
    let refused = stats_file::decode(br#"{"formato": "respaldo-lecturas/2"}"#).unwrap_err();
    assert!(refused.to_string().contains("respaldo-lecturas/2"));
    let legacy = stats_file::decode(br#"{"app.documento": 12}"#).unwrap_err();
    assert!(matches!(legacy, stats_file::StatsFileError::Unreadable(_)));
}

#[test]
fn a_database_without_large_objects_or_tables_has_a_manifest_too() {
    let mut empty = manifest();
    empty.tables.clear();
    empty.header.archives = vec![archive(INC, 1, 1)];
    empty.large_objects = LargeObjects {
        count: 0,
        reason: Reason::NoData,
        archive: None,
        fingerprint: None,
    };
    let empty = empty.counted();
    assert_eq!(decode(&encode(&empty).unwrap()).unwrap(), empty);
}

#[test]
fn the_header_of_an_encrypted_manifest_is_read_alone_and_is_no_manifest() {
    let mut sealed = manifest();
    sealed.header.archive = sealed.header.archive.encrypted();
    sealed.header.archives = vec![respaldo_domain::manifest::ArchiveFacts {
        name: sealed.header.archive.clone(),
        ..archive(INC, 1, 1)
    }];
    let header = sealed.header.public();
    let bytes = encode_header(&header).unwrap();
    assert_eq!(decode_header(&bytes).unwrap(), header);
    assert!(matches!(decode(&bytes), Err(ManifestFileError::HeaderOnly)));
    let text = String::from_utf8(bytes).unwrap();
    for table in &sealed.tables {
        assert!(!text.contains(&table.name.name), "{text}");
    }
    let changed = text.replace("\"secuencia\":24", "\"secuencia\":25");
    assert!(matches!(
        decode_header(changed.as_bytes()),
        Err(ManifestFileError::SealBroken)
    ));
    assert_eq!(decode_header(GOLDEN).unwrap(), manifest().header);
}
