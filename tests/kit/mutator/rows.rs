//! Changes to rows.

use super::{Change, Kind, Mutator, Table, kind};

pub(super) const KINDS: &[Kind] = &[
    kind("insert few", |m| {
        with_any(m, |m, t| Some(vec![m.insert(t, 3)]))
    }),
    kind("insert many", |m| {
        with_any(m, |m, t| Some(vec![m.insert(t, 400)]))
    }),
    kind("update few", |m| {
        with_any(m, |m, t| update(m, t, "id % 7 = 3"))
    }),
    kind("update all", |m| with_any(m, |m, t| update(m, t, "true"))),
    kind("update to the same", |m| {
        with_any(m, |m, t| {
            let c = m.column(t, "")?.name;
            Some(vec![format!(
                "UPDATE {} SET {c} = {c} WHERE id % 3 = 0",
                t.name
            )])
        })
    }),
    kind("delete few", |m| {
        with_any(m, |_, t| {
            one(format!("DELETE FROM {} WHERE id % 11 = 5", t.name))
        })
    }),
    kind("delete all", |m| {
        with_any(m, |_, t| one(format!("DELETE FROM {}", t.name)))
    }),
    kind("delete and insert the same", delete_and_insert_the_same),
    kind("upsert", upsert),
    kind("copy in", copy_in),
    kind("truncate", |m| {
        with_any(m, |_, t| one(format!("TRUNCATE {}", t.name)))
    }),
    kind("truncate cascade", |m| {
        with_any(m, |_, t| one(format!("TRUNCATE {} CASCADE", t.name)))
    }),
    kind("truncate and fill with as many", truncate_and_fill),
    kind("insert and truncate in one transaction", |m| {
        with_any(m, |m, t| {
            Some(vec![format!("{}; TRUNCATE {}", m.insert(t, 5), t.name)])
        })
    }),
    kind("truncate and restart identity", |m| {
        with_any(m, |_, t| {
            one(format!("TRUNCATE {} RESTART IDENTITY CASCADE", t.name))
        })
    }),
    kind("set nulls", |m| {
        with_any(m, |m, t| {
            let c = m.column(t, "")?.name;
            one(format!("UPDATE {} SET {c} = NULL WHERE id % 5 = 1", t.name))
        })
    }),
    kind("change ids", |m| {
        with_any(m, |_, t| {
            one(format!("UPDATE {} SET id = -id WHERE id % 13 = 2", t.name))
        })
    }),
    kind("update every.customer", |m| {
        every(m, |n| {
            format!(
                "UPDATE every.customer SET name = 'changed {n}', mood = 'happy' WHERE id % 35 = {} ",
                n % 7 * 5
            )
        })
    }),
    kind("insert every.customer", |m| {
        every(m, |n| {
            format!(
                "INSERT INTO every.customer (name, tags) VALUES ('new {n}', ARRAY['x', NULL, '{n}'])"
            )
        })
    }),
    kind("insert every.invoice", |m| {
        every(m, |n| {
            format!(
                "INSERT INTO every.invoice SELECT {n}, min(id), 12.5::numeric::money FROM every.customer"
            )
        })
    }),
    kind("delete every.invoice", |m| {
        every(m, |n| {
            format!("DELETE FROM every.invoice WHERE number % 17 = {}", n % 17)
        })
    }),
    kind("insert every.sale", |m| {
        every(m, |n| {
            format!(
                "INSERT INTO every.sale (id, day, amount) VALUES ({n}, date '2023-01-01' + {}, 1.5)",
                n % 1500
            )
        })
    }),
    kind("move every.sale", |m| {
        every(m, |n| {
            format!(
                "UPDATE every.sale SET day = day + 200 WHERE id > 1000 AND id % 3 = {} AND NOT EXISTS \
             (SELECT FROM every.sale_line l WHERE l.id = sale.id)",
                n % 3
            )
        })
    }),
    kind("insert every.by_hash", |m| {
        every(m, |n| {
            format!("INSERT INTO every.by_hash VALUES ({n}, 'x'), (-{n}, NULL)")
        })
    }),
    kind("update every.by_mood", |m| {
        every(m, |n| {
            format!(
                "UPDATE every.by_mood SET m = (ARRAY['sad', 'ok', NULL])[{}]::every.mood WHERE id % 9 = {}",
                1 + n % 3,
                n % 9
            )
        })
    }),
    kind("update every.toasted", |m| {
        every(m, |n| {
            format!(
                "UPDATE every.toasted SET external = repeat('{n} ', 3000) WHERE id = {}",
                1 + n % 5
            )
        })
    }),
    kind("insert every.parent and child", |m| {
        every(m, |n| {
            format!(
                "INSERT INTO every.parent VALUES ({n}); INSERT INTO every.child (a, d) VALUES ({n}, 3)"
            )
        })
    }),
    kind("insert every.no_columns", |m| {
        every(m, |_| "INSERT INTO every.no_columns DEFAULT VALUES".into())
    }),
    kind("update every.guarded", |m| {
        every(m, |n| {
            format!("UPDATE every.guarded SET secret = '{n}' WHERE id % 2 = 0")
        })
    }),
];

#[expect(clippy::unnecessary_wraps, reason = "plans give a Change")]
pub(super) fn one(statement: String) -> Change {
    Some(vec![statement])
}

pub(super) fn with_any(
    m: &mut Mutator,
    plan: impl FnOnce(&mut Mutator, &Table) -> Change,
) -> Change {
    let table = m.any_table()?;
    plan(m, &table)
}

fn every(m: &mut Mutator, statement: impl FnOnce(u64) -> String) -> Change {
    let n = m.fresh();
    m.every.then(|| vec![statement(n)])
}

fn update(m: &mut Mutator, t: &Table, condition: &str) -> Change {
    let column = m.column(t, "")?;
    let value = m.value(&column.kind);
    let shuffled = value
        .replace("g ", "id ")
        .replace("g)", "id)")
        .replace("g,", "id,");
    one(format!(
        "UPDATE {} SET {} = {shuffled} WHERE {condition}",
        t.name, column.name
    ))
}

fn delete_and_insert_the_same(m: &mut Mutator) -> Change {
    let t = m.table()?;
    let names: String = t.columns.iter().map(|c| format!(", {}", c.name)).collect();
    one(format!(
        "CREATE TEMP TABLE kept AS SELECT id{names} FROM {t} WHERE id % 4 = 1; \
         DELETE FROM {t} WHERE id % 4 = 1; \
         INSERT INTO {t} (id{names}) OVERRIDING SYSTEM VALUE SELECT id{names} FROM kept; DROP TABLE kept",
        t = t.name
    ))
}

fn upsert(m: &mut Mutator) -> Change {
    let t = m.table()?;
    let c = m.column(&t, "")?.name;
    let insert = m
        .insert(&t, 4)
        .replace("coalesce(max(id), 0)", "coalesce(max(id), 0) - 2");
    one(format!(
        "{insert} ON CONFLICT (id) DO UPDATE SET {c} = excluded.{c}"
    ))
}

fn copy_in(m: &mut Mutator) -> Change {
    let t = m.table()?;
    let n = m.fresh();
    let rows: String = (0..5).map(|i| format!("{}\n", n * 10 + i)).collect();
    one(format!("COPY {} (id) FROM STDIN\n{rows}", t.name))
}

fn truncate_and_fill(m: &mut Mutator) -> Change {
    let t = m.table()?;
    let n = m
        .count(&format!("SELECT count(*) FROM {}", t.name))
        .min(3000);
    let fill = m.insert(&t, n);
    one(format!("TRUNCATE {}; {fill}", t.name))
}
