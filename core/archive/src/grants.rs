//! Grants that another role gave, which pg_restore with several jobs may try too early.
//!
//! Such a grant is made as that role (`SET SESSION AUTHORIZATION`), who needs the schema's USAGE for it. That is an entry of its own,
//! of the same pass, and nothing says which of the two comes first. Seen with pg_restore 15: permission denied for the schema.

use std::collections::HashMap;

use crate::entry::Entry;
use crate::text::Text;
use crate::toc::Toc;

const BY_ANOTHER_ROLE: &str = "SET SESSION AUTHORIZATION";

impl Toc {
    /// Makes grants that other roles gave wait for the grants on their schema.
    pub fn wait_for_grants(&mut self) {
        wait(&mut self.entries);
    }
}

fn wait(entries: &mut [Entry]) {
    let on_schemas: HashMap<String, i32> = entries
        .iter()
        .filter(|entry| entry.is("ACL"))
        .filter_map(|entry| {
            let schema = entry.tag.as_str()?.strip_prefix("SCHEMA ")?;
            Some((unquoted(schema), entry.dump_id))
        })
        .collect();
    if on_schemas.is_empty() {
        return;
    }
    for entry in entries.iter_mut().filter(|entry| is_by_another_role(entry)) {
        let schema = entry.namespace.as_ref().and_then(Text::as_str);
        let needed = schema.and_then(|schema| on_schemas.get(schema)).copied();
        let new = needed.filter(|id| *id != entry.dump_id && !entry.dependencies.contains(id));
        entry.dependencies.extend(new);
    }
}

/// pg_dump quotes the name in the tag where SQL asks for it.
fn unquoted(name: &str) -> String {
    let quoted = name
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    quoted.map_or_else(|| name.to_owned(), |inner| inner.replace("\"\"", "\""))
}

fn is_by_another_role(entry: &Entry) -> bool {
    let definition = entry.defn.as_ref().and_then(Text::as_str);
    entry.is("ACL") && definition.is_some_and(|sql| sql.contains(BY_ANOTHER_ROLE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::entry;

    fn grant(dump_id: i32, tag: &str, namespace: &str, sql: &str, dependencies: &[i32]) -> Entry {
        Entry {
            namespace: Some(namespace.into()),
            defn: Some(sql.into()),
            ..entry(dump_id, "ACL", tag, dependencies)
        }
    }

    #[test]
    fn a_grant_by_another_role_waits_for_the_grants_on_its_schema() {
        let as_other = "SET SESSION AUTHORIZATION o; GRANT SELECT ON TABLE s.t TO r; RESET SESSION AUTHORIZATION;";
        let mut entries = [
            grant(1, "TABLE t", "s", as_other, &[7]),
            grant(2, "TABLE u", "s", "GRANT SELECT ON TABLE s.u TO r;", &[8]),
            grant(3, "SCHEMA s", "-", "GRANT USAGE ON SCHEMA s TO o;", &[9]),
            grant(4, "TABLE t", "other", as_other, &[7]),
            grant(5, "SCHEMA \"O \"\"S\"\"\"", "-", "GRANT USAGE", &[]),
            grant(6, "TABLE t", "O \"S\"", as_other, &[]),
        ];
        wait(&mut entries);
        let dependencies = entries.map(|entry| entry.dependencies);
        assert_eq!(
            dependencies,
            [vec![7, 3], vec![8], vec![9], vec![7], vec![], vec![5]]
        );
    }
}
