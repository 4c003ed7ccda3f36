//! Partitioned tables, restored by stock pg_restore with several jobs: what their archives say beyond
//! what pg_dump would.

use respaldo_tests::{Cluster, Respaldo};

use super::chain::OWNER;
use super::stock;

/// The trigger of the parent fires in every partition. While the large one is loaded, pg_restore has
/// nothing else left to do than to make it.
const COUNTED: &str = "
    CREATE TABLE public.counted (id int, kind int, seen int DEFAULT 0) PARTITION BY LIST (kind);
    CREATE TABLE public.counted_large PARTITION OF public.counted FOR VALUES IN (1) PARTITION BY RANGE (id);
    CREATE TABLE public.counted_leaf PARTITION OF public.counted_large DEFAULT;
    CREATE TABLE public.counted_small PARTITION OF public.counted DEFAULT;
    CREATE FUNCTION public.count_it() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN NEW.seen := NEW.seen + 1; RETURN NEW; END $$;
    CREATE TRIGGER count_it BEFORE INSERT ON public.counted FOR EACH ROW EXECUTE FUNCTION public.count_it();
    INSERT INTO public.counted SELECT g, CASE WHEN g % 100 = 0 THEN 2 ELSE 1 END FROM generate_series(1, 300000) g;
";

#[test]
fn a_trigger_of_a_partitioned_table_does_not_fire_for_rows_that_a_restore_loads_side_by_side() {
    let cluster = Cluster::start();
    cluster.owned_database("live", OWNER);
    cluster.psql("live", COUNTED);
    for dumper in ["pg-dump", "parallel"] {
        let respaldo = Respaldo::new(&cluster, "live").env("RESPALDO_DUMPER__USE", dumper);
        let made = respaldo.ok(&["backup", "full", "--json"]).json();
        let archive = respaldo.folder().join("backups_incrementales");
        let archive = archive.join("full").join(made["nombre"].as_str().unwrap());
        let export = respaldo.folder().join("export.dump");
        respaldo.ok(&["export", "--at", "latest", "-o", export.to_str().unwrap()]);
        for file in [archive, export] {
            cluster.owned_database("copy", OWNER);
            let mut restore = cluster.tool("pg_restore");
            restore.args(["--exit-on-error", "-j4", "-d", &cluster.url("copy")]);
            stock::succeed(restore.arg(&file));
            let seen = "SELECT count(*), min(seen), max(seen) FROM public.counted";
            assert_eq!(
                cluster.psql("copy", seen),
                "300000|1|1",
                "{dumper}: {}",
                file.display()
            );
            cluster.drop_database("copy");
        }
    }
}
