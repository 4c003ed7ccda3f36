//! What changes definitions, and what does not.

/// Objects of several owners, and roles to give them to.
pub const BEFORE: &str = "
    CREATE ROLE reads; CREATE ROLE otro; GRANT reads, otro TO dueno;
    GRANT CREATE ON DATABASE live TO otro; GRANT CREATE, USAGE ON SCHEMA public TO dueno, otro;
    SET ROLE dueno;
    CREATE TABLE public.t (id serial PRIMARY KEY, a text DEFAULT 'x', g int GENERATED ALWAYS AS IDENTITY);
    INSERT INTO public.t (a) SELECT 'row ' || n FROM generate_series(1, 20) n;
    CREATE SEQUENCE public.never_called START 7; CREATE SEQUENCE public.\"odd ' name, 1\";
    SELECT setval('public.\"odd '' name, 1\"', 5, false);
    CREATE TABLE public.parts (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
    CREATE TABLE public.part1 PARTITION OF public.parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    INSERT INTO public.parts VALUES (1, '2026-06-01');
    CREATE FUNCTION public.fires() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER on_parts AFTER INSERT ON public.parts FOR EACH ROW EXECUTE FUNCTION public.fires();
    CREATE TABLE public.refers (id int, at date, FOREIGN KEY (id, at) REFERENCES public.parts);
    CREATE MATERIALIZED VIEW public.sums AS SELECT count(*) AS n FROM public.t;
    CREATE MATERIALIZED VIEW public.of_sums AS SELECT n FROM public.sums;
    CREATE MATERIALIZED VIEW public.empty AS SELECT 1 AS n WITH NO DATA;
    RESET ROLE;
    CREATE FUNCTION public.noted() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
";

/// After each of these definitions must be written anew. Each may use what the ones before made.
pub const CHANGES: &[&str] = &[
    "CREATE TABLE public.made (i int); ALTER TABLE public.made OWNER TO dueno",
    "ALTER TABLE public.t ADD COLUMN x int",
    "ALTER TABLE public.t ALTER x SET DEFAULT 3",
    "ALTER TABLE public.t RENAME x TO y",
    "ALTER TABLE public.t ALTER y SET STATISTICS 50",
    "ALTER TABLE public.t ALTER a SET STORAGE EXTERNAL",
    "ALTER TABLE public.t SET (fillfactor = 70)",
    "ALTER TABLE public.t SET (toast.autovacuum_enabled = false)",
    "COMMENT ON TABLE public.t IS 'a table'",
    "COMMENT ON COLUMN public.t.a IS 'a column'",
    "GRANT SELECT ON public.t TO reads",
    "GRANT UPDATE (a) ON public.t TO reads",
    "REVOKE SELECT ON public.t FROM reads",
    "ALTER TABLE public.made OWNER TO otro",
    "ALTER TABLE public.made OWNER TO dueno",
    "CREATE INDEX i ON public.t (a)",
    "CREATE INDEX CONCURRENTLY c ON public.t (y)",
    "ALTER TABLE public.t CLUSTER ON i",
    "ALTER TABLE public.t REPLICA IDENTITY FULL",
    "ALTER INDEX public.i RENAME TO j",
    "ALTER TABLE public.t ADD CONSTRAINT k CHECK (id > 0) NOT VALID",
    "ALTER TABLE public.t VALIDATE CONSTRAINT k",
    "ALTER TABLE public.t ALTER a SET NOT NULL",
    "CREATE VIEW public.v AS SELECT id FROM public.t; ALTER VIEW public.v OWNER TO dueno",
    "CREATE OR REPLACE VIEW public.v AS SELECT id FROM public.t WHERE id > 1",
    "REFRESH MATERIALIZED VIEW public.empty",
    "REFRESH MATERIALIZED VIEW public.empty WITH NO DATA",
    "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 2'",
    "ALTER FUNCTION public.f() COST 7",
    "CREATE TYPE public.e AS ENUM ('a')",
    "ALTER TYPE public.e ADD VALUE 'b'",
    "ALTER TYPE public.e RENAME VALUE 'b' TO 'c'",
    "CREATE DOMAIN public.d AS int CHECK (VALUE > 0)",
    "ALTER DOMAIN public.d SET DEFAULT 4",
    "CREATE SEQUENCE public.s; ALTER SEQUENCE public.s OWNER TO dueno",
    "ALTER SEQUENCE public.s INCREMENT 5",
    "ALTER SEQUENCE public.s OWNED BY public.t.y",
    "CREATE TRIGGER g BEFORE UPDATE ON public.t FOR EACH ROW EXECUTE FUNCTION public.fires()",
    "ALTER TABLE public.t DISABLE TRIGGER g",
    "CREATE RULE r AS ON DELETE TO public.v DO INSTEAD NOTHING",
    "CREATE POLICY p ON public.t USING (id > 0)",
    "ALTER TABLE public.made ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE public.parts DETACH PARTITION public.part1",
    "ALTER TABLE public.parts ATTACH PARTITION public.part1 FOR VALUES FROM ('2025-01-01') TO ('2027-01-01')",
    "ALTER TABLE public.made SET UNLOGGED",
    "CREATE SCHEMA z AUTHORIZATION otro",
    "GRANT USAGE ON SCHEMA z TO reads",
    "ALTER SCHEMA z RENAME TO zz",
    "DROP SCHEMA zz",
    "ALTER DEFAULT PRIVILEGES FOR ROLE dueno GRANT SELECT ON TABLES TO reads",
    "ALTER ROLE reads RENAME TO readers",
    "ALTER DATABASE live SET work_mem = '5MB'",
    "ALTER ROLE readers IN DATABASE live SET work_mem = '6MB'",
    "COMMENT ON DATABASE live IS 'a database'",
    "GRANT TEMPORARY ON DATABASE live TO readers",
    "ALTER DATABASE live CONNECTION LIMIT 50",
    "COMMENT ON EXTENSION plpgsql IS 'an extension'",
    "COMMENT ON ROLE readers IS 'a role'",
    "CREATE STATISTICS public.st ON a, y FROM public.t",
    "ALTER STATISTICS public.st SET STATISTICS 20",
    "CREATE PUBLICATION pub FOR TABLE public.t",
    "ALTER PUBLICATION pub SET (publish = 'insert')",
    "CREATE COLLATION public.co FROM \"C\"",
    "CREATE TEXT SEARCH CONFIGURATION public.ts (COPY = simple)",
    "ALTER TEXT SEARCH CONFIGURATION public.ts ALTER MAPPING FOR word WITH english_stem",
    "CREATE AGGREGATE public.ag (int) (SFUNC = int4pl, STYPE = int)",
    "CREATE CAST (public.e AS int) WITH INOUT",
    "CREATE EVENT TRIGGER ev ON ddl_command_end EXECUTE FUNCTION public.noted()",
    "ALTER EVENT TRIGGER ev DISABLE",
    "CREATE FOREIGN DATA WRAPPER w",
    "CREATE SERVER far FOREIGN DATA WRAPPER w; GRANT USAGE ON FOREIGN SERVER far TO dueno",
    "CREATE USER MAPPING FOR dueno SERVER far OPTIONS (place 'x')",
    "ALTER USER MAPPING FOR dueno SERVER far OPTIONS (SET place 'y')",
    "CREATE FOREIGN TABLE public.ft (i int) SERVER far; ALTER TABLE public.ft OWNER TO dueno",
    "CREATE SUBSCRIPTION sub CONNECTION 'dbname=none' PUBLICATION p WITH (connect = false)",
    "ALTER TABLE public.t DROP COLUMN y CASCADE",
    "DROP TABLE public.made",
];

/// After these they may be taken over: what they change is no definition.
pub const NO_CHANGES: &[&str] = &[
    "INSERT INTO public.t (a) VALUES ('more')",
    "UPDATE public.t SET a = 'other' WHERE id = 2",
    "ANALYZE",
    "VACUUM",
    "VACUUM FREEZE",
    "SELECT nextval('public.never_called')",
    "SELECT setval('public.\"odd '' name, 1\"', 9, true)",
    "SELECT setval('public.never_called', 40, false)",
    "BEGIN; CREATE TABLE public.no (i int); DROP TABLE public.refers; ROLLBACK",
    "CREATE DATABASE beside",
    "ALTER ROLE otro PASSWORD 'changed'",
];
