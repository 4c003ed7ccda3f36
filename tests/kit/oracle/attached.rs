//! Owners and grants of objects of every kind, by one query per catalog.

use crate::Client;

/// A catalog whose objects have an owner: its name, the columns with the schema, the owner and the
/// grants ("" where it has none), the letter of its default grants, and which of its rows are
/// objects of their own.
struct Catalog {
    name: &'static str,
    schema: &'static str,
    owner: &'static str,
    grants: &'static str,
    defaults: &'static str,
    objects: &'static str,
}

const TABLE_LIKE: &str = "o.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND o.relpersistence <> 't'";
const OWN_TYPES: &str = "(o.typrelid = 0 OR EXISTS (SELECT FROM pg_class r WHERE r.oid = o.typrelid \
    AND r.relkind = 'c')) AND o.typtype <> 'm' AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = o.oid)";
const OWN_ROUTINES: &str = "NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass \
    AND d.objid = o.oid AND d.deptype = 'i')";

#[rustfmt::skip]
const CATALOGS: [Catalog; 18] = [
    Catalog { name: "pg_namespace", schema: "", owner: "nspowner", grants: "nspacl", defaults: "'n'", objects: "true" },
    Catalog { name: "pg_class", schema: "relnamespace", owner: "relowner", grants: "relacl",
        defaults: "CASE o.relkind WHEN 'S' THEN 's' ELSE 'r' END::\"char\"", objects: TABLE_LIKE },
    Catalog { name: "pg_type", schema: "typnamespace", owner: "typowner", grants: "typacl", defaults: "'T'", objects: OWN_TYPES },
    Catalog { name: "pg_proc", schema: "pronamespace", owner: "proowner", grants: "proacl", defaults: "'f'", objects: OWN_ROUTINES },
    Catalog { name: "pg_language", schema: "", owner: "lanowner", grants: "lanacl", defaults: "'l'", objects: "true" },
    Catalog { name: "pg_foreign_data_wrapper", schema: "", owner: "fdwowner", grants: "fdwacl", defaults: "'F'", objects: "true" },
    Catalog { name: "pg_foreign_server", schema: "", owner: "srvowner", grants: "srvacl", defaults: "'S'", objects: "true" },
    Catalog { name: "pg_operator", schema: "oprnamespace", owner: "oprowner", grants: "", defaults: "", objects: "o.oprcode <> 0" },
    Catalog { name: "pg_opclass", schema: "opcnamespace", owner: "opcowner", grants: "", defaults: "", objects: "true" },
    Catalog { name: "pg_opfamily", schema: "opfnamespace", owner: "opfowner", grants: "", defaults: "", objects: "true" },
    Catalog { name: "pg_collation", schema: "collnamespace", owner: "collowner", grants: "", defaults: "", objects: "true" },
    Catalog { name: "pg_conversion", schema: "connamespace", owner: "conowner", grants: "", defaults: "", objects: "true" },
    Catalog { name: "pg_ts_dict", schema: "dictnamespace", owner: "dictowner", grants: "", defaults: "", objects: "true" },
    Catalog { name: "pg_ts_config", schema: "cfgnamespace", owner: "cfgowner", grants: "", defaults: "", objects: "true" },
    Catalog { name: "pg_statistic_ext", schema: "stxnamespace", owner: "stxowner", grants: "", defaults: "", objects: "true" },
    Catalog { name: "pg_event_trigger", schema: "", owner: "evtowner", grants: "", defaults: "", objects: "true" },
    Catalog { name: "pg_publication", schema: "", owner: "pubowner", grants: "", defaults: "", objects: "true" },
    Catalog { name: "pg_subscription", schema: "", owner: "subowner", grants: "", defaults: "", objects: "true" },
];

/// Rows (schema, relation, key, value) of every owner of an object of ours. An extension belongs to
/// whoever created it, in a restored copy to whoever restored, so its owner is not told.
pub(super) fn owners(client: &mut Client) -> Vec<Vec<Option<String>>> {
    CATALOGS
        .iter()
        .flat_map(|catalog| client.rows(&owner_query(catalog)))
        .collect()
}

/// Rows (schema, relation, key, value) of all grants that are not the system's or an extension's.
pub(super) fn grants(client: &mut Client) -> Vec<Vec<Option<String>>> {
    let with_grants = CATALOGS.iter().filter(|catalog| !catalog.grants.is_empty());
    with_grants
        .flat_map(|catalog| client.rows(&grant_query(catalog)))
        .collect()
}

impl Catalog {
    /// Schema, relation and key of a row `o`, and the FROM clause that gives them.
    fn head(&self) -> String {
        let schema = match self.schema {
            "" if self.name == "pg_namespace" => "o.nspname".to_owned(),
            "" => "''".to_owned(),
            column => format!("(SELECT n.nspname FROM pg_namespace n WHERE n.oid = o.{column})"),
        };
        let relation = if self.name == "pg_class" {
            "o.relname"
        } else {
            "''"
        };
        format!("{schema}, {relation}, format('%s %s', i.type, i.identity)")
    }

    fn from(&self) -> String {
        let name = self.name;
        format!("{name} o, pg_identify_object('{name}'::regclass, o.oid, 0) i")
    }

    fn ours(&self) -> String {
        let name = self.name;
        let public = if name == "pg_namespace" {
            "o.nspname = 'public' OR"
        } else {
            ""
        };
        let visible = match self.schema {
            "" if name == "pg_namespace" => "o.nspname NOT LIKE 'pg\\_%'".to_owned(),
            "" => "true".to_owned(),
            column => format!(
                "(SELECT n.nspname NOT LIKE 'pg\\_temp%' AND n.nspname NOT LIKE 'pg\\_toast%' \
                 FROM pg_namespace n WHERE n.oid = o.{column})"
            ),
        };
        format!(
            "({public} (o.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.deptype = 'e' \
             AND e.classid = '{name}'::regclass AND e.objid = o.oid))) AND {visible}"
        )
    }
}

fn owner_query(catalog: &Catalog) -> String {
    let (head, from, ours) = (catalog.head(), catalog.from(), catalog.ours());
    let objects = catalog.objects;
    let mine = match catalog.name {
        "pg_subscription" => {
            "o.subdbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())"
        }
        _ => &ours,
    };
    format!(
        "SELECT {head}, pg_get_userbyid(o.{}) FROM {from} WHERE {objects} AND {mine}",
        catalog.owner
    )
}

/// Grants as they are for objects of ours; for system objects and members of extensions only where
/// somebody changed them.
fn grant_query(catalog: &Catalog) -> String {
    let (head, from, ours) = (catalog.head(), catalog.from(), catalog.ours());
    let Catalog {
        name,
        owner,
        grants,
        defaults,
        objects,
        ..
    } = catalog;
    format!(
        "SELECT {head},
                (SELECT coalesce(string_agg(format('%s=%s%s/%s', coalesce(g.rolname, 'PUBLIC'),
                        a.privilege_type, CASE WHEN a.is_grantable THEN '*' END,
                        pg_get_userbyid(a.grantor)), ' '
                        ORDER BY g.rolname COLLATE \"C\" NULLS FIRST, a.privilege_type COLLATE \"C\",
                                 pg_get_userbyid(a.grantor)), '(none)')
                   FROM aclexplode(coalesce(o.{grants}, acldefault({defaults}, o.{owner}))) a
                   LEFT JOIN pg_roles g ON g.oid = a.grantee)
           FROM {from}
          WHERE {objects} AND (({ours}) OR
                coalesce(o.{grants}, acldefault({defaults}, o.{owner})) IS DISTINCT FROM
                coalesce((SELECT p.initprivs FROM pg_init_privs p WHERE p.objsubid = 0
                             AND p.classoid = '{name}'::regclass AND p.objoid = o.oid),
                         acldefault({defaults}, o.{owner})))
            AND i.identity NOT LIKE 'pg\\_temp%' AND i.identity NOT LIKE 'pg\\_toast%'"
    )
}
