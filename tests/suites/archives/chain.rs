//! Chains in which everything happens that an archive of one moment must get right: tables renamed,
//! swapped, moved and emptied after their rows were dumped, large objects that come, stay and go.

use respaldo_tests::{
    Client, Cluster, Journey, Mutator, Respaldo, RestorePoint, app_fixture, schema,
};

use super::stock;

/// The role that owns every database here.
pub const OWNER: &str = "dueno";

/// What the database holds besides the tables of this suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// Every kind of object; backed up by a superuser.
    Everything,
    /// What an owner can create; backed up by that owner.
    OwnersPart,
    /// The existing application's schema and data.
    Application,
}

/// Who writes the archives of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dumpers {
    /// One of ours by its name in the configuration.
    All(&'static str),
    /// The stock tool and ours by turns.
    Changing,
}

impl Dumpers {
    fn of(self, turn: usize) -> &'static str {
        match self {
            Self::All(name) => name,
            Self::Changing => ["pg-dump", "parallel"][turn % 2],
        }
    }
}

impl Ground {
    /// Name of its database.
    pub fn database(self) -> &'static str {
        match self {
            Self::Application => "nexoryn_tech",
            Self::Everything | Self::OwnersPart => "live",
        }
    }

    /// The role that backs it up and that restores by hand.
    pub fn role(self) -> &'static str {
        match self {
            Self::Everything => "postgres",
            Self::OwnersPart | Self::Application => OWNER,
        }
    }

    fn load(self, cluster: &Cluster) {
        let db = self.database();
        cluster.owned_database(db, OWNER);
        match self {
            Self::Everything => schema::load(cluster, db, OWNER),
            Self::OwnersPart => schema::load_owner_part(cluster, db, OWNER),
            Self::Application => app_fixture::load(cluster, db, OWNER),
        }
    }

    fn change(self, cluster: &Cluster, turn: usize, mutator: &mut Option<Mutator>) {
        if self == Self::Application {
            match turn {
                1 => app_fixture::add_activity(cluster, self.database(), OWNER),
                _ => drop(cluster.psql(self.database(), A_DAY_AT_WORK)),
            }
            return;
        }
        let url = cluster.url_as(self.role(), self.database());
        let seed = 4_000 + self as u64;
        let mutator = mutator.get_or_insert_with(|| Mutator::new(&url, seed));
        println!("{}", mutator.steps(6).join("\n"));
    }
}

/// Whether pg_dump knows that rows partitioned by the hash of an enum belong elsewhere in another
/// database: 13.4 does not, 14.23 and later do.
fn loads_through_the_root(cluster: &Cluster) -> bool {
    let version = stock::succeed(cluster.tool("pg_dump").arg("--version"));
    !String::from_utf8_lossy(&version).contains(" 13.4")
}

/// A driver for a database, writing with this dumper.
pub fn driver(cluster: &Cluster, ground: Ground, dumper: &str) -> Respaldo {
    let url = cluster.url_as(ground.role(), ground.database());
    Respaldo::for_url(cluster, &url).env("RESPALDO_DUMPER__USE", dumper)
}

const A_DAY_AT_WORK: &str = "
    UPDATE app.articulo SET stock = stock - 1 WHERE id % 3 = 0;
    INSERT INTO app.cuenta_corriente (id_entidad, concepto, monto, fecha)
        SELECT id, 'Ajuste', 1, '2026-02-01' FROM app.entidad_comercial WHERE id % 2 = 0;
    DELETE FROM app.pago WHERE id_documento % 4 = 0;
";

const TABLES: &str = "
    CREATE SCHEMA \"Far Away\";
    CREATE TABLE public.first (id int PRIMARY KEY, v text);
    CREATE TABLE public.second (id int PRIMARY KEY, v text);
    CREATE TABLE public.renamed (id int PRIMARY KEY, v text);
    CREATE TABLE public.moved (id int REFERENCES public.renamed, \"say \"\"x\"\"\" text);
    CREATE TABLE public.emptied (id int);
    CREATE TABLE public.narrowed (a int, b text, c int, d int GENERATED ALWAYS AS (a * 2) STORED);
    CREATE TABLE public.quiet (id int);
    CREATE TABLE public.no_columns ();
    CREATE TABLE public.objects (id int, content oid);
    CREATE TYPE public.colour AS ENUM ('red', 'green', 'blue');
    CREATE TABLE public.hashed (c public.colour, v int) PARTITION BY HASH (c);
    CREATE TABLE public.hashed_0 PARTITION OF public.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE public.hashed_1 PARTITION OF public.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    INSERT INTO public.first SELECT g, 'first ' || g FROM generate_series(1, 40) g;
    INSERT INTO public.second SELECT g, 'second ' || g FROM generate_series(1, 30) g;
    INSERT INTO public.renamed SELECT g, 'renamed ' || g FROM generate_series(1, 20) g;
    INSERT INTO public.moved SELECT g, 'moved ' || g FROM generate_series(1, 20) g;
    INSERT INTO public.emptied SELECT generate_series(1, 10);
    INSERT INTO public.narrowed SELECT g, 'b' || g, g FROM generate_series(1, 10) g;
    INSERT INTO public.quiet SELECT generate_series(1, 10);
    INSERT INTO public.no_columns DEFAULT VALUES;
    INSERT INTO public.hashed SELECT (enum_range(NULL::public.colour))[1 + g % 3], g FROM generate_series(1, 30) g;
    INSERT INTO public.objects VALUES (1, lo_from_bytea(0, 'one')), (2, lo_from_bytea(0, ''));
";

/// Kind of backup, and what changed before it.
const DAYS: [(&str, &str); 5] = [
    ("full", ""),
    (
        "dif",
        "ALTER TABLE public.first RENAME TO between; ALTER TABLE public.second RENAME TO first;
         ALTER TABLE public.between RENAME TO second;
         ALTER TABLE public.renamed RENAME TO \"new.\"\"name\"; ALTER TABLE public.moved SET SCHEMA \"Far Away\";
         ALTER TABLE public.hashed RENAME TO \"hashed anew\"; ALTER TABLE public.hashed_0 RENAME TO half;
         ALTER TABLE public.no_columns RENAME TO without_columns;
         TRUNCATE public.emptied; ALTER TABLE public.narrowed DROP COLUMN c;
         INSERT INTO public.objects VALUES (3, lo_from_bytea(0, decode(repeat('00ff10', 2000), 'hex')))",
    ),
    (
        "inc",
        "INSERT INTO public.second VALUES (1001, 'only here'); INSERT INTO public.emptied VALUES (7);
         INSERT INTO public.narrowed VALUES (99, 'late')",
    ),
    (
        "inc",
        "ALTER TABLE public.\"new.\"\"name\" RENAME TO renamed; ALTER TABLE public.first RENAME TO third;
         CREATE TABLE public.first AS SELECT 1 AS another;
         SELECT lo_unlink(oid) FROM pg_largeobject_metadata WHERE oid IN (SELECT content FROM public.objects WHERE id = 1);
         DO $$ DECLARE l oid := (SELECT lo_from_bytea(0, 'granted')); BEGIN
             EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO lector', l);
             EXECUTE format('COMMENT ON LARGE OBJECT %s IS ''second''', l); END $$",
    ),
    (
        "inc",
        "SELECT lo_unlink(oid) FROM pg_largeobject_metadata; DROP TABLE public.third",
    ),
];

/// Makes the chain and calls `each` with every point of it.
pub fn each_point(
    cluster: &Cluster,
    ground: Ground,
    dumpers: Dumpers,
    mut each: impl FnMut(&Journey<'_>, &RestorePoint),
) {
    let journey = make(cluster, ground, dumpers);
    for point in journey.points() {
        each(&journey, point);
    }
}

/// Makes the chain.
pub fn make(cluster: &Cluster, ground: Ground, dumpers: Dumpers) -> Journey<'_> {
    ground.load(cluster);
    let mut client = Client::connect(&cluster.url_as(ground.role(), ground.database()));
    client.exec(TABLES);
    if !loads_through_the_root(cluster) {
        // Partitioned by a number, rows lie where they lay.
        client.exec(
            "DROP TABLE public.hashed; CREATE TABLE public.hashed (c int, v int) PARTITION BY HASH (c);
             CREATE TABLE public.hashed_0 PARTITION OF public.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
             CREATE TABLE public.hashed_1 PARTITION OF public.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
             INSERT INTO public.hashed SELECT g, g FROM generate_series(1, 30) g",
        );
    }
    let mut mutator = None;
    let first = driver(cluster, ground, dumpers.of(0));
    let repository = first.folder().join("backups_incrementales");
    let mut journey = Journey::with(cluster, ground.database(), first);
    for (turn, (kind, change)) in DAYS.into_iter().enumerate() {
        client.exec(change);
        if turn > 0 {
            ground.change(cluster, turn, &mut mutator);
        }
        let dumper = dumpers.of(turn);
        let args = ["backup", kind, "--json"];
        let respaldo = journey.respaldo();
        let outcome = respaldo.run_with("RESPALDO_DUMPER__USE", dumper, &args);
        let point = journey.remember(&outcome);
        assert_eq!(dumper_of(&repository, &point), dumper);
    }
    let reused = journey.points()[2].reason("public.quiet");
    assert_ne!(reused, "completo", "the chain takes over nothing");
    journey
}

fn dumper_of(repository: &std::path::Path, point: &RestorePoint) -> String {
    let repository = respaldo_tests::Repository::at(repository);
    let manifest = repository.manifest(point.archive());
    let tools = &manifest["herramientas"];
    let dumper = tools["volcador"].as_str();
    dumper
        .unwrap_or_else(|| panic!("no dumper in {tools:#}"))
        .to_owned()
}
