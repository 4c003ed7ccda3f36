//! Many tables and much data.

use respaldo_dumpers::DumperOptions;

use crate::bench::{Bench, fingerprint};

#[test]
fn five_thousand_tables_fit_the_arguments_of_any_limit() {
    let names: Vec<String> = (0..5_000)
        .map(|i| format!("tabla \"rara\" {i:05}"))
        .collect();
    let tables = names.iter().map(|name| {
        format!(
            "CREATE TABLE {} (i int);\n",
            respaldo_domain::table::quote_identifier(name)
        )
    });
    let bench = Bench::new(&tables.collect::<String>());
    for argument_bytes in [DumperOptions::default().argument_bytes, 120_000] {
        let mut snapshot = bench.snapshot();
        let request = bench.request(&mut snapshot, |table| table.name.name.ends_with('7'));
        let options = DumperOptions {
            argument_bytes,
            ..DumperOptions::default()
        };
        let dumped = bench.dump(&request, &options).unwrap();
        assert_eq!(dumped.receipt.tables.len(), 500);
        assert_eq!(bench.listed(&dumped, "TABLE DATA").len(), 500);
        assert_eq!(bench.listed(&dumped, " TABLE public ").len(), 5_000);
    }
}

#[test]
fn memory_does_not_grow_with_the_data() {
    let bench = Bench::new(
        "CREATE TABLE grande AS SELECT i, repeat(md5(i::text), 40) AS v FROM generate_series(1, 200000) i",
    );
    let mut snapshot = bench.snapshot();
    let request = bench.request(&mut snapshot, |_| true);
    let before = peak_kib();
    let dumped = bench.dump(&request, &DumperOptions::default()).unwrap();
    let grown = peak_kib() - before;
    let table = &dumped.receipt.tables[0];
    assert!(table.plain_bytes > 200 << 20, "{}", table.plain_bytes);
    assert!(grown < 48 << 10, "{grown} KiB more than before");
    let name = &request.tables[0].name;
    drop(snapshot);
    let restored = bench.restore(&dumped, "destino");
    assert_eq!(
        table.fingerprint,
        fingerprint(&restored, name, &table.columns)
    );
}

/// The most memory this process ever had.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn names_that_fit_nowhere_are_refused_before_anything_runs() {
    let bench = Bench::new("CREATE TABLE t (i int)");
    let mut snapshot = bench.snapshot();
    let request = bench.request(&mut snapshot, |_| false);
    let options = DumperOptions {
        argument_bytes: 100,
        ..DumperOptions::default()
    };
    let fault = bench.dump(&request, &options).map(drop).unwrap_err();
    assert_eq!(
        fault.kind,
        respaldo_engine::ports::FaultKind::Invalid,
        "{fault}"
    );
}
