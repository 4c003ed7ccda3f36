//! Which pg_dumps are run, with which arguments.

use std::collections::{BTreeSet, HashMap};

use respaldo_domain::table::TableName;
use respaldo_engine::ports::{DumpRequest, Fault, FaultKind};

use super::catalog::Relations;
use super::names;

/// Runs wait for each other with an open connection and locks: a few, not dozens.
const MAX_RUNS: usize = 12;
/// So many tables at most are dumped by name beside definitions that are there: in a database of
/// 10,000 that takes a fourth of the time of a run of everything.
const MAX_NAMED: usize = 100;
/// Tables of a schema from which on one pattern for all of them is worth reading sequences for.
const MANY: usize = 100;
/// Encodings for which there is no conversion to UTF-8: those dumps stay in the database's own.
const NOT_CONVERTED: [&str; 2] = ["SQL_ASCII", "MULE_INTERNAL"];

/// Schemas of many tables none of whose rows pg_dump is to write: one pattern tells it so, where it would ask the
/// server several times for each name. That leaves out the values of their sequences as well, which are to
/// be added. Refreshes of materialized views would be left out, too: what order those need pg_dump knows best.
pub(super) fn bare_schemas<'a>(
    scope: impl Iterator<Item = &'a TableName>,
    relations: &'a Relations,
) -> BTreeSet<String> {
    let mut names: HashMap<&str, usize> = HashMap::new();
    for (_, table) in &relations.excluded {
        *names.entry(&table.schema).or_default() += 1;
    }
    let with_data = relations.views.iter().chain(&relations.configuration);
    // How pg_dump writes a backslash depends on a setting.
    let is_odd = |name: &&TableName| name.schema.contains('\\') || name.name.contains('\\');
    let odd = relations.sequences.iter().filter(is_odd);
    for name in with_data.chain(scope).chain(odd) {
        names.remove(name.schema.as_str());
    }
    let many = names.into_iter().filter(|(_, count)| *count >= MANY);
    many.map(|(schema, _)| schema.to_owned()).collect()
}

/// The arguments of one run that writes everything, of `bare` schemas definitions alone; `None` where
/// the names that are left do not fit.
pub(super) fn in_one(
    request: &DumpRequest,
    relations: &Relations,
    bare: &BTreeSet<String>,
    argument_bytes: usize,
) -> Option<Vec<String>> {
    let whole = whole(request, relations, bare);
    (names::space(&whole) <= argument_bytes).then_some(whole)
}

/// The arguments of several runs; the first one writes the definitions, the others all rows in
/// scope and all values of sequences.
pub(super) fn in_several(
    request: &DumpRequest,
    relations: &Relations,
    argument_bytes: usize,
) -> Result<Vec<Vec<String>>, Fault> {
    let runs = split(request, relations, argument_bytes);
    let fit = runs.iter().all(|run| names::space(run) <= argument_bytes);
    if fit && runs.len() <= MAX_RUNS {
        return Ok(runs);
    }
    let what =
        format!("naming all relations takes more than argument_bytes = {argument_bytes} allows");
    Err(Fault::bare(FaultKind::Invalid, what))
}

/// The arguments of runs for data alone, where definitions are there: none where nothing is to be
/// dumped. `None` where a run of everything is cheaper.
pub(super) fn of_data(
    request: &DumpRequest,
    relations: &Relations,
    argument_bytes: usize,
) -> Option<Vec<Vec<String>>> {
    let scope = request.tables.iter().map(|table| &table.name);
    let names: Vec<&TableName> = relations.configuration.iter().chain(scope).collect();
    match names.len() {
        0 => Some(Vec::new()),
        1..=MAX_NAMED => {
            let mut run = of_data_alone(request);
            run.extend(names.iter().map(|name| names::of_relation("table", name)));
            (names::space(&run) <= argument_bytes).then(|| vec![run])
        }
        _ => None,
    }
}

/// One run that is told whose rows to leave out.
fn whole(request: &DumpRequest, relations: &Relations, bare: &BTreeSet<String>) -> Vec<String> {
    let mut arguments = definitions(request, relations);
    let option = "exclude-table-data";
    arguments.extend(bare.iter().map(|schema| names::of_all_in(option, schema)));
    let tables = relations.excluded.iter().map(|(_, name)| name);
    let without_data = tables.chain(&relations.unreadable_sequences);
    let named = without_data.filter(|name| !bare.contains(&name.schema));
    arguments.extend(named.map(|name| names::of_relation(option, name)));
    arguments
}

/// Definitions without any data but large objects, then runs which are told whose data to dump.
/// They are not `--data-only`: that would leave out the refreshes of materialized views.
fn split(request: &DumpRequest, relations: &Relations, argument_bytes: usize) -> Vec<Vec<String>> {
    let mut first = definitions(request, relations);
    first.push("--exclude-table-data=*.*".to_owned());
    let mut runs = vec![first];
    let start = || of_data_alone(request);
    let mut run = start();
    // Views first, so that all are in one run, which knows what order their refreshes need.
    let views = relations.views.iter().chain(&relations.configuration);
    let scope = request.tables.iter().map(|table| &table.name);
    for name in views.chain(&relations.sequences).chain(scope) {
        let argument = names::of_relation("table", name);
        let is_full = names::space(&run) + names::space([&argument]) > argument_bytes;
        if is_full && !relations.views.contains(name) {
            runs.push(std::mem::replace(&mut run, start()));
        }
        run.push(argument);
    }
    runs.push(run);
    runs
}

fn definitions(request: &DumpRequest, relations: &Relations) -> Vec<String> {
    let mut arguments = common(request);
    arguments.push(if request.large_objects { "-b" } else { "-B" }.to_owned());
    let schemas = request.exclude_schemas.iter();
    arguments.extend(schemas.map(|schema| names::of_schema("exclude-schema", schema)));
    let left_out: &[TableName] = &relations.left_out;
    arguments.extend(
        left_out
            .iter()
            .map(|name| names::of_relation("exclude-table", name)),
    );
    arguments
}

/// To be followed by the names of relations.
fn of_data_alone(request: &DumpRequest) -> Vec<String> {
    [common(request), vec!["-B".to_owned()]].concat()
}

fn common(request: &DumpRequest) -> Vec<String> {
    let mut arguments = vec![
        "--format=custom".to_owned(),
        "--compress=0".to_owned(),
        format!("--snapshot={}", request.snapshot),
        format!("--lock-wait-timeout={}", request.lock_timeout_ms),
    ];
    // Blocks are loaded by sessions that speak UTF-8, and patterns are in it.
    let encoding = request.target.facts.properties.encoding.as_str();
    if !NOT_CONVERTED.contains(&encoding) {
        arguments.push("--encoding=UTF8".to_owned());
    }
    arguments
}

#[cfg(test)]
mod tests {
    use respaldo_domain::table::Oid;

    use super::*;

    /// Three schemas, each of as many tables as are many.
    fn relations() -> Relations {
        let of = |schema: &'static str| {
            (0..MANY).map(move |n| (Oid(1), TableName::new(schema, format!("t{n}"))))
        };
        Relations {
            excluded: ["a", "b", "c"].into_iter().flat_map(of).collect(),
            ..Relations::default()
        }
    }

    fn bare(scope: &[TableName], relations: &Relations) -> Vec<String> {
        bare_schemas(scope.iter(), relations).into_iter().collect()
    }

    #[test]
    fn schemas_of_many_tables_are_bare() {
        let mut relations = relations();
        relations.excluded.pop();
        relations.sequences = vec![TableName::new("a", "s"), TableName::new("c", "s")];
        relations.unreadable_sequences = vec![TableName::new("b", "s")];
        assert_eq!(bare(&[], &relations), ["a", "b"]);
    }

    #[test]
    fn no_schema_is_bare_that_has_what_pg_dump_must_write() {
        let in_b = vec![TableName::new("b", "x")];
        assert_eq!(bare(&in_b, &relations()), ["a", "c"]);
        let views = Relations {
            views: in_b.clone(),
            ..relations()
        };
        let configuration = Relations {
            configuration: in_b,
            ..relations()
        };
        let sequences = Relations {
            sequences: vec![TableName::new("b", "back\\slash")],
            ..relations()
        };
        for relations in [views, configuration, sequences] {
            assert_eq!(bare(&[], &relations), ["a", "c"]);
        }
    }
}
