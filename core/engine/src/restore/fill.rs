//! Rows, indexes and constraints: each table is loaded once, largest first, several at a time, and
//! its indexes are made as soon as its rows are there. What compares tables comes last.

mod crew;

use std::collections::{BTreeMap, BTreeSet};

use respaldo_domain::restore_plan::{RestorePlan, TableLoad};
use respaldo_domain::table::TableName;
use respaldo_postgres::{ConnInfo, Session, SessionOptions, sql};
use sqlx::Row;

use self::crew::Crew;
use super::load::Manner;
use super::makings::Making;
use super::schedule::{Rank, Task, TaskId};
use super::{Restore, RestoreError, SchemaFiles};
use crate::ports::{Fault, FaultKind};

/// Up to this size, in stored bytes, a table takes longer to begin and end than to load.
const SMALL_BYTES: u64 = 64 * 1024;

/// What a task is.
enum Work<'a> {
    /// A table's rows.
    Rows(&'a TableLoad, Manner),
    /// Sequence values and large objects.
    Beside,
    /// Nothing: what needs the rows of all tables needs this.
    AllRows,
    /// An index or a constraint.
    Making(&'a Making),
}

/// Loads every table of the plan and makes what was taken out of the definitions.
pub(super) fn fill(
    restore: &Restore<'_>,
    plan: &RestorePlan,
    files: &SchemaFiles,
    database: &ConnInfo,
) -> Result<(), RestoreError> {
    restore
        .enter("restore.load")
        .map_err(RestoreError::Definitions)?;
    let own = frozen_at_will(database).map_err(RestoreError::Server)?;
    let (tasks, works) = tasks(plan, files, &own);
    Crew::new(restore, plan, files, database, tasks, works)?.run()
}

/// Tables that can be emptied and filled with rows which all see: the restore alone has touched
/// them, nothing of an extension's is in them, and nothing hangs on them yet.
fn frozen_at_will(database: &ConnInfo) -> Result<BTreeSet<TableName>, Fault> {
    let mut session = Session::connect(database, &SessionOptions::default())?;
    let rows = session.rows(sql("SELECT n.nspname::text, c.relname::text \
         FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind = 'r' AND n.nspname::text !~ '^pg_' \
           AND pg_catalog.has_table_privilege(c.oid, 'TRUNCATE') \
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.deptype = 'e' \
             AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid) \
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid) \
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.confrelid = c.oid)"))?;
    let name = |row: &sqlx::postgres::PgRow| {
        let (schema, name): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        Ok(TableName::new(schema, name))
    };
    let names: Result<_, sqlx::Error> = rows.iter().map(name).collect();
    names.map_err(|e| Fault::new(FaultKind::Internal, "reading the tables made", e))
}

/// All there is to do, and what each needs of the others.
fn tasks<'a>(
    plan: &'a RestorePlan,
    files: &'a SchemaFiles,
    own: &BTreeSet<TableName>,
) -> (Vec<Task>, Vec<Work<'a>>) {
    let mut list = List::default();
    for load in &plan.loads {
        list.add_rows(load, own);
    }
    if files.has_data {
        list.add(Work::Beside, simple(Rank::First, Vec::new()));
    }
    let rows = list.rows.values().flatten().map(|(id, _)| *id).collect();
    let all_rows = list.add(Work::AllRows, simple(Rank::First, rows));
    list.add_makings(&files.makings, all_rows);
    (list.tasks, list.works)
}

/// The tasks while they are put together.
#[derive(Default)]
struct List<'a> {
    tasks: Vec<Task>,
    works: Vec<Work<'a>>,
    /// By the table they are loaded through: the loads, and their sizes.
    rows: BTreeMap<&'a TableName, Vec<(TaskId, u64)>>,
    /// Tables that are loaded through another one.
    via: BTreeMap<&'a TableName, &'a TableName>,
}

impl<'a> List<'a> {
    fn add(&mut self, work: Work<'a>, task: Task) -> TaskId {
        self.works.push(work);
        self.tasks.push(task);
        self.tasks.len() - 1
    }

    fn add_rows(&mut self, load: &'a TableLoad, own: &BTreeSet<TableName>) {
        let through = load.entry.load_via.as_ref().unwrap_or(&load.entry.name);
        let light = load.data.block.length <= SMALL_BYTES;
        let manner = match !light && load.entry.load_via.is_none() && own.contains(through) {
            true => Manner::Frozen,
            false => Manner::Plain,
        };
        let task = Task {
            weight: load.data.plain_bytes,
            light,
            ..simple(Rank::Rows, Vec::new())
        };
        let weight = task.weight;
        let id = self.add(Work::Rows(load, manner), task);
        self.rows.entry(through).or_default().push((id, weight));
        self.via.insert(&load.entry.name, through);
    }

    fn add_makings(&mut self, makings: &'a [Making], all_rows: TaskId) {
        let first = self.tasks.len();
        let ids: BTreeMap<i32, TaskId> = makings.iter().map(|m| m.dump_id).zip(first..).collect();
        for making in makings {
            let loads = making
                .tables
                .iter()
                .flat_map(|(_, name)| self.loads_of(name));
            let (mut needs, weights): (Vec<_>, Vec<_>) = loads.unzip();
            needs.extend(making.needs.iter().filter_map(|id| ids.get(id)));
            needs.extend(making.after_all_rows.then_some(all_rows));
            let rank = match making.is_foreign_key {
                true => Rank::Last,
                false => Rank::First,
            };
            let task = Task {
                weight: weights.iter().sum(),
                locks: making
                    .tables
                    .iter()
                    .map(|(id, _)| (*id, making.lock))
                    .collect(),
                alone: making.alone,
                ..simple(rank, needs)
            };
            self.add(Work::Making(making), task);
        }
    }

    fn loads_of(&self, table: &TableName) -> impl Iterator<Item = (TaskId, u64)> + use<'_> {
        let through = self.via.get(table).copied();
        let loads = self.rows.get(through.unwrap_or(table));
        loads.into_iter().flatten().copied()
    }
}

fn simple(rank: Rank, needs: Vec<TaskId>) -> Task {
    Task {
        rank,
        weight: 0,
        light: false,
        needs,
        locks: Vec::new(),
        alone: false,
    }
}
