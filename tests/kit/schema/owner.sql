-- Every kind of object that the owner of a database can create without being a superuser.
-- Runs through psql: parts that need a newer server stand between \if and \endif.
\set ON_ERROR_STOP on
SET client_min_messages = error;
SELECT current_setting('server_version_num')::int >= 140000 AS v14,
       current_setting('server_version_num')::int >= 150000 AS v15 \gset

-- Extensions that are trusted, in a schema of their own -------------------------------------------
CREATE SCHEMA ext;
CREATE EXTENSION pgcrypto;
CREATE EXTENSION pg_trgm SCHEMA ext;
CREATE EXTENSION citext SCHEMA ext;
CREATE EXTENSION hstore SCHEMA ext;

CREATE SCHEMA every;
CREATE SCHEMA "Weird ""Schema"" ñ$1 %";
COMMENT ON SCHEMA every IS E'every kind of object\nin two lines; ''quoted'' and \\ with backslash';
GRANT USAGE ON SCHEMA every TO lector;
GRANT ALL ON SCHEMA every TO escritor WITH GRANT OPTION;
\if :v15
COMMENT ON SCHEMA public IS NULL;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO lector;
\endif

-- Types -------------------------------------------------------------------------------------------
CREATE TYPE every.mood AS ENUM ('sad', 'ok', 'happy', 'it''s "odd"', 'ñandú');
ALTER TYPE every.mood ADD VALUE 'so-so' BEFORE 'ok';
COMMENT ON TYPE every.mood IS 'an enumeration';
REVOKE USAGE ON TYPE every.mood FROM PUBLIC;
GRANT USAGE ON TYPE every.mood TO lector;
CREATE TYPE every.pair AS (a text, b int, "c d" numeric(8,2), m every.mood);
COMMENT ON COLUMN every.pair.a IS 'first of the pair';
CREATE TYPE every.nested AS (p every.pair, ps every.pair[]);
CREATE DOMAIN every.positive AS int DEFAULT 7 CONSTRAINT positive_check CHECK (VALUE > 0);
COMMENT ON DOMAIN every.positive IS 'above zero';
COMMENT ON CONSTRAINT positive_check ON DOMAIN every.positive IS 'the check of it';
CREATE DOMAIN every.positives AS every.positive[];
CREATE DOMAIN every.code AS varchar(10) COLLATE "C" CHECK (VALUE ~ '^[A-Z]*$');
CREATE FUNCTION every.minutes_between(timestamp, timestamp) RETURNS float8
    LANGUAGE sql IMMUTABLE AS $$ SELECT extract(epoch FROM $1 - $2)::float8 / 60 $$;
CREATE TYPE every.stay AS RANGE (subtype = timestamp, subtype_diff = every.minutes_between);
COMMENT ON TYPE every.stay IS 'a range of our own';

-- Collation, conversion, text search, casts, operators --------------------------------------------
CREATE COLLATION every.plain (provider = libc, locale = 'C');
COMMENT ON COLLATION every.plain IS 'byte order';
CREATE CONVERSION every.latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
COMMENT ON CONVERSION every.latin IS 'a conversion';
CREATE TEXT SEARCH DICTIONARY every.words (TEMPLATE = simple, stopwords = english, accept = false);
COMMENT ON TEXT SEARCH DICTIONARY every.words IS 'a dictionary';
CREATE TEXT SEARCH CONFIGURATION every.search (COPY = spanish);
ALTER TEXT SEARCH CONFIGURATION every.search
    ALTER MAPPING FOR asciiword, word WITH every.words, spanish_stem;
COMMENT ON TEXT SEARCH CONFIGURATION every.search IS 'a configuration';
CREATE FUNCTION every.pair_text(every.pair) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ($1).a';
CREATE CAST (every.pair AS text) WITH FUNCTION every.pair_text(every.pair) AS IMPLICIT;
COMMENT ON CAST (every.pair AS text) IS 'an implicit cast to text, which makes || ambiguous';
CREATE CAST (every.mood AS varchar) WITH INOUT;
CREATE FUNCTION every.near(int, int) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT
    AS 'SELECT abs($1 - $2) < 10';
CREATE FUNCTION every.far(int, int) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT
    AS 'SELECT abs($1 - $2) >= 10';
CREATE OPERATOR every.=~= (FUNCTION = every.near, LEFTARG = int, RIGHTARG = int,
    COMMUTATOR = OPERATOR(every.=~=), NEGATOR = OPERATOR(every.!~!), RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE OPERATOR every.!~! (FUNCTION = every.far, LEFTARG = int, RIGHTARG = int,
    COMMUTATOR = OPERATOR(every.!~!), NEGATOR = OPERATOR(every.=~=));
COMMENT ON OPERATOR every.=~= (int, int) IS 'about equal';

-- Routines ----------------------------------------------------------------------------------------
CREATE FUNCTION every.add_up(a int, b int DEFAULT 2, VARIADIC rest int[] DEFAULT '{}') RETURNS bigint
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 42 SET search_path = every, pg_temp SECURITY DEFINER
    AS $body$ BEGIN RETURN a + b + coalesce((SELECT sum(x) FROM unnest(rest) x), 0); END $body$;
COMMENT ON FUNCTION every.add_up(int, int, int[]) IS 'adds';
REVOKE ALL ON FUNCTION every.add_up(int, int, int[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION every.add_up(int, int, int[]) TO lector;
CREATE FUNCTION every.several(n int) RETURNS TABLE (i int, "Odd name" text) LANGUAGE sql ROWS 7
    AS $$ SELECT g, g::text FROM generate_series(1, n) g $$;
CREATE PROCEDURE every.do_it(INOUT x int) LANGUAGE plpgsql AS $$ BEGIN x := x * 2; COMMIT; END $$;
COMMENT ON PROCEDURE every.do_it(int) IS 'a procedure';
CREATE AGGREGATE every.join_all(text) (SFUNC = textcat, STYPE = text, INITCOND = '>', PARALLEL = SAFE);
COMMENT ON AGGREGATE every.join_all(text) IS 'an aggregate';
CREATE FUNCTION every.touch() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN NEW.touched := coalesce(NEW.touched, 0) + 1; RETURN NEW; END $$;
CREATE FUNCTION every.refuse() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'this trigger must not fire while loading'; END $$;
CREATE TYPE every."a type whose name is long enough to fill a line of the contents" AS (a int);
DO $$ -- its signature is longer than 1,024 characters
BEGIN
    EXECUTE 'CREATE FUNCTION every.many_arguments(' ||
        (SELECT string_agg('every."a type whose name is long enough to fill a line of the contents"', ', ')
           FROM generate_series(1, 20)) || ') RETURNS int LANGUAGE sql AS ''SELECT 1''';
END $$;
\if :v14
CREATE FUNCTION every.standard_body(a int) RETURNS int LANGUAGE sql
    BEGIN ATOMIC SELECT a + 1; SELECT a + 2; END;
\endif

-- Plain tables ------------------------------------------------------------------------------------
CREATE TABLE every.customer (
    id bigint GENERATED ALWAYS AS IDENTITY (START 100 INCREMENT 5) PRIMARY KEY,
    name text NOT NULL,
    "E-Mail" ext.citext UNIQUE,
    mood every.mood DEFAULT 'ok',
    age every.positive,
    pair every.pair,
    tags text[] DEFAULT '{}',
    attributes ext.hstore,
    document jsonb,
    doubled int GENERATED ALWAYS AS ((age)::int * 2) STORED,
    touched int,
    created timestamptz DEFAULT '2026-01-02 03:04:05+00',
    CONSTRAINT name_not_empty CHECK (name <> ''));
COMMENT ON TABLE every.customer IS E'customers\n-- \\connect nowhere\n;DROP TABLE every.customer;';
COMMENT ON COLUMN every.customer."E-Mail" IS 'citext from an extension';
COMMENT ON CONSTRAINT name_not_empty ON every.customer IS 'a check';
COMMENT ON INDEX every.customer_pkey IS 'the key';
INSERT INTO every.customer (name, "E-Mail", mood, age, pair, tags, attributes, document)
SELECT 'customer ' || g, 'C' || g || '@Example.org',
       (enum_range(NULL::every.mood))[1 + g % 6], g, ROW('p' || g, g, g / 3.0, 'happy')::every.pair,
       ARRAY['t' || g, NULL, 'x,y "z"'], ext.hstore('k' || g, CASE WHEN g % 2 = 0 THEN 'v' END),
       jsonb_build_object('n', g, 'deep', jsonb_build_array(1, NULL, 'ñ'))
  FROM generate_series(1, 60) g;
GRANT SELECT ON every.customer TO lector;
GRANT INSERT, UPDATE (name, age), SELECT (id) ON every.customer TO escritor WITH GRANT OPTION;
REVOKE DELETE ON every.customer FROM CURRENT_USER;
ALTER TABLE every.customer ALTER name SET STATISTICS 321, ALTER name SET (n_distinct = -0.25);
ALTER TABLE every.customer ALTER document SET STORAGE EXTERNAL;
ALTER TABLE every.customer SET (fillfactor = 71, autovacuum_enabled = off, toast.autovacuum_enabled = off);
CREATE INDEX customer_lower ON every.customer (lower(name) DESC NULLS LAST, age) INCLUDE (mood) WHERE age > 3;
ALTER INDEX every.customer_lower ALTER COLUMN 1 SET STATISTICS 99;
CREATE INDEX customer_trigram ON every.customer USING gin (name ext.gin_trgm_ops);
CREATE INDEX customer_search ON every.customer USING gin (to_tsvector('every.search', name));
CREATE INDEX customer_hash ON every.customer USING hash (mood);
CREATE INDEX customer_brin ON every.customer USING brin (created) WITH (pages_per_range = 4);
CLUSTER every.customer USING customer_pkey;
CREATE STATISTICS every.customer_statistics (ndistinct, dependencies) ON age, mood FROM every.customer;
ALTER STATISTICS every.customer_statistics SET STATISTICS 55;
COMMENT ON STATISTICS every.customer_statistics IS 'statistics';
\if :v14
CREATE STATISTICS every.customer_expression ON lower(name), (age % 7) FROM every.customer;
ALTER TABLE every.customer ALTER tags SET COMPRESSION pglz;
\endif
\if :v15
CREATE TABLE every.nulls_equal (a int, UNIQUE NULLS NOT DISTINCT (a));
INSERT INTO every.nulls_equal VALUES (NULL), (1);
\endif

CREATE TABLE every.invoice (
    number int PRIMARY KEY, customer_id bigint REFERENCES every.customer ON DELETE CASCADE DEFERRABLE
        INITIALLY DEFERRED, total money, note text, touched int);
INSERT INTO every.invoice SELECT g, 100 + 5 * (g % 60), (g * 1.25)::numeric::money, repeat('n', g), 0
  FROM generate_series(1, 80) g;
ALTER TABLE every.invoice REPLICA IDENTITY FULL;
CREATE TABLE every.follows (a int PRIMARY KEY, b int REFERENCES every.follows);
INSERT INTO every.follows VALUES (1, 2), (2, 3), (3, 1);
CREATE TABLE every.hen (id int PRIMARY KEY, egg int);
CREATE TABLE every.egg (id int PRIMARY KEY, hen int REFERENCES every.hen DEFERRABLE);
ALTER TABLE every.hen ADD FOREIGN KEY (egg) REFERENCES every.egg DEFERRABLE;
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
INSERT INTO every.hen VALUES (1, 1);
INSERT INTO every.egg VALUES (1, 1);
COMMIT;

CREATE TABLE every.no_columns ();
INSERT INTO every.no_columns DEFAULT VALUES;
INSERT INTO every.no_columns DEFAULT VALUES;
CREATE TABLE every.only_generated (g int GENERATED ALWAYS AS (40 + 2) STORED);
INSERT INTO every.only_generated DEFAULT VALUES;
CREATE TABLE every.dropped_in_the_middle (a int, gone text, g int GENERATED ALWAYS AS (a + 1) STORED, b text);
INSERT INTO every.dropped_in_the_middle (a, gone, b) SELECT g, 'gone', 'b' || g FROM generate_series(1, 9) g;
ALTER TABLE every.dropped_in_the_middle DROP gone, ADD later int DEFAULT 5, ADD random_time timestamptz;
UPDATE every.dropped_in_the_middle SET later = 6 WHERE a = 3;
CREATE TABLE every.identity_by_default (id smallint GENERATED BY DEFAULT AS IDENTITY, v text);
INSERT INTO every.identity_by_default (v) VALUES ('a'), ('b');
INSERT INTO every.identity_by_default VALUES (30, 'given');
CREATE TABLE every.of_type OF every.pair (b WITH OPTIONS NOT NULL DEFAULT 3, PRIMARY KEY (a));
INSERT INTO every.of_type VALUES ('x', 1, 2.5, NULL);
CREATE UNLOGGED TABLE every.unlogged (id serial PRIMARY KEY, v text);
INSERT INTO every.unlogged (v) SELECT 'u' || g FROM generate_series(1, 20) g;
CREATE TABLE every.empty (a int, b text);
CREATE TABLE every.no_key (a int, b text);
INSERT INTO every.no_key SELECT 1, 'same' FROM generate_series(1, 5);
CREATE TABLE every.replica_index (a int NOT NULL, b int);
CREATE UNIQUE INDEX replica_index_a ON every.replica_index (a);
ALTER TABLE every.replica_index REPLICA IDENTITY USING INDEX replica_index_a;
CREATE TABLE every.toasted (id int PRIMARY KEY, compressed text, external text);
ALTER TABLE every.toasted ALTER external SET STORAGE EXTERNAL;
INSERT INTO every.toasted
SELECT g, repeat('compress me ', 2000), (SELECT string_agg(md5((g * 1000 + i)::text), '') FROM generate_series(1, 300) i)
  FROM generate_series(1, 5) g;
\if :v14
CREATE TABLE every.lz4 (a text COMPRESSION pglz);
INSERT INTO every.lz4 VALUES (repeat('abc', 5000));
\endif

-- Constraints that are not as they seem -----------------------------------------------------------
CREATE TABLE every.not_valid (a int, parent int);
INSERT INTO every.not_valid VALUES (-1, 777), (2, NULL);
ALTER TABLE every.not_valid ADD CONSTRAINT positive CHECK (a > 0) NOT VALID;
ALTER TABLE every.not_valid ADD CONSTRAINT has_parent FOREIGN KEY (parent) REFERENCES every.follows NOT VALID;
CREATE DOMAIN every.short AS text;
CREATE TABLE every.of_short (s every.short);
INSERT INTO every.of_short VALUES ('far too long for it');
ALTER DOMAIN every.short ADD CONSTRAINT short_enough CHECK (length(VALUE) < 5) NOT VALID;
CREATE FUNCTION every.known(int) RETURNS boolean LANGUAGE sql STABLE
    AS 'SELECT EXISTS (SELECT FROM every.follows WHERE a = $1)';
CREATE TABLE every.checked_elsewhere (a int);
INSERT INTO every.checked_elsewhere VALUES (1), (2);
ALTER TABLE every.checked_elsewhere ADD CONSTRAINT known CHECK (every.known(a)) NOT VALID;
CREATE TABLE every.excluded (id int PRIMARY KEY, during tsrange,
    CONSTRAINT never_together EXCLUDE USING gist (during WITH &&) DEFERRABLE);
INSERT INTO every.excluded VALUES (1, '[2026-01-01,2026-01-02)'), (2, '(,2025-01-01]'), (3, 'empty');

-- Values ------------------------------------------------------------------------------------------
CREATE TABLE every.numbers (id int PRIMARY KEY, f4 float4, f8 float8, n numeric, m money, o oid, b8 bigint);
INSERT INTO every.numbers VALUES
    (1, 'NaN', 'Infinity', 'NaN', '-92233720368547758.08', 0, -9223372036854775808),
    (2, '-Infinity', '-0', '-0.000', '1234.56', 4294967295, 9223372036854775807),
    (3, 1.17549435e-38, 0.1, 123456789012345678901234567890.0123456789, 0, 1, 0),
    (4, 3.4028235e38, 4.9e-324, 1e100, NULL, NULL, NULL);
CREATE TABLE every.times (id int PRIMARY KEY, d date, t time, tz timetz, ts timestamp, tsz timestamptz, i interval);
INSERT INTO every.times VALUES
    (1, 'infinity', '24:00', '23:59:59.999999+14', 'infinity', '-infinity', '1 mon -2 days +03:04:05.678'),
    (2, '0044-03-15 BC', '00:00', '00:00-12:30', '4713-01-01 00:00:00 BC', '0001-01-01 00:00:00+00 BC', '-1 year 2 mons -3 days'),
    (3, '5874897-12-31', '12:34:56.000001', NULL, '294276-12-31 23:59:59.999999', '2026-10-25 02:30:00+02', '0');
CREATE TABLE every.texts (id int PRIMARY KEY, t text, c char(5), n name, b bytea);
INSERT INTO every.texts VALUES
    (1, '', '', '', ''), (2, NULL, NULL, NULL, NULL), (3, '\.', '\N', '\n', '\x5c2e'),
    (4, E'line\r\nfeed\ttab\\back\x08\x0b', 'a b', 'x', decode(repeat('00ff0a5c', 10), 'hex')),
    (5, E'\\connect other\n\\! echo attack\n\\.\n--', '$$', '%s', '\x'),
    (6, 'ñandú 漢字 🐘 ‮rtl', 'é', '🐘', (SELECT string_agg(decode(lpad(to_hex(i), 2, '0'), 'hex'), '' ORDER BY i) FROM generate_series(0, 255) i)),
    (7, 'NULL', 'null', 'NULL', 'NULL'), (8, E'trailing\n', '     ', ' ', '\x20');
CREATE TABLE every.composites (id int PRIMARY KEY, p every.pair, n every.nested, ps every.pair[], s every.stay, d every.positives);
INSERT INTO every.composites VALUES
    (1, ROW(NULL, NULL, NULL, NULL), NULL, '{NULL,"(a,1,,)"}', '[2026-01-01,)', '{1,2}'),
    (2, NULL, ROW(ROW('x,"y"', 1, 2, 'sad'), ARRAY[ROW(E'\\', 0, 0, NULL)::every.pair]), '{}', 'empty', '{}'),
    (3, ROW('', -1, 1.5, 'it''s "odd"'), ROW(NULL, NULL), NULL, NULL, NULL);
CREATE TABLE every.arrays (id int PRIMARY KEY, a int[], b text[][], bits bit varying, b3 bit(3));
INSERT INTO every.arrays VALUES (1, '[2:4]={1,2,3}', '{{a,NULL},{"",","}}', B'', B'101'),
    (2, '{}', '[0:0][5:6]={{x,y}}', B'1', NULL);
CREATE TABLE every.various (id int PRIMARY KEY, u uuid, i inet, c cidr, mac macaddr8, p point, poly polygon,
    v tsvector, q tsquery, x xml, j json, jb jsonb, r int4range, nr numrange, l pg_lsn, ch "char");
INSERT INTO every.various VALUES
    (1, '00000000-0000-0000-0000-000000000000', '::1/64', '10.0.0.0/8', '08:00:2b:01:02:03:04:05', '(1e300,-0)',
     '((0,0),(1,1),(2,0))', 'a:1A b:2', 'a & (b | !c)', '<a b="1">&amp;</a>', '{"a" : 1,  "a":2}', '{"b":1e2}',
     '(,)', '[1.5,2.5)', '16/B374D848', 'x'),
    (2, NULL, '192.168.0.1', NULL, NULL, '(NaN,Infinity)', NULL, '', NULL,
     '<?xml version="1.0"?><!DOCTYPE a><a/>', 'null', '"\\u00f1"', 'empty', NULL, NULL, '');
CREATE TABLE every.names_of_things (id int PRIMARY KEY, c regclass, t regtype, r regrole, n regnamespace, p regprocedure);
INSERT INTO every.names_of_things VALUES
    (1, 'every.customer', 'every.mood', 'lector', 'every', 'every.add_up(int,int,int[])'), (2, NULL, 'int', NULL, NULL, NULL);
\if :v14
CREATE TABLE every.multiranges (id int PRIMARY KEY, m int4multirange);
\endif
\if :v14
INSERT INTO every.multiranges VALUES (1, '{[1,3),[7,9)}'), (2, '{}'), (3, NULL);
\endif

-- Names -------------------------------------------------------------------------------------------
CREATE TABLE "Weird ""Schema"" ñ$1 %"."Table ""quoted"" %s $1 \ 'x' " ("Column ""q"" " int PRIMARY KEY, "select" text, "naïve 🐘" text, "a	b\c" int);
INSERT INTO "Weird ""Schema"" ñ$1 %"."Table ""quoted"" %s $1 \ 'x' " VALUES (1, 'a', 'b', 2), (2, NULL, '', NULL);
CREATE TABLE every."line
break; DROP TABLE every.customer; --" ("a
b" int);
INSERT INTO every."line
break; DROP TABLE every.customer; --" VALUES (1), (2);
CREATE TABLE every.customer_twin AS SELECT 1 AS a;
CREATE TABLE every."CUSTOMER" AS SELECT 2 AS a;
CREATE TABLE every."Customer" AS SELECT 3 AS a;
CREATE TABLE every."with.dot" AS SELECT 4 AS a;
CREATE TABLE every."star*" AS SELECT 5 AS a;
CREATE TABLE every."with space" (a int PRIMARY KEY);
INSERT INTO every."with space" VALUES (6);
CREATE TABLE every."trailing " AS SELECT 7 AS a;
CREATE TABLE every."sixty-three bytes, which is the longest name that there can be.." AS SELECT 8 AS a;
CREATE TABLE every."table" ("user" int, "order" text);
INSERT INTO every."table" VALUES (1, 'x');
CREATE INDEX "index ""of"" it" ON every."table" ("user");
CREATE SEQUENCE "Weird ""Schema"" ñ$1 %"."Seq ""q""" START 5;
SELECT nextval('"Weird ""Schema"" ñ$1 %"."Seq ""q"""');
COMMENT ON TABLE every."table" IS 'comment with $1 %s \n and "quotes"';

-- Partitions --------------------------------------------------------------------------------------
CREATE TABLE every.sale (id int, day date NOT NULL, amount numeric(10,2), note text, touched int,
    PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
COMMENT ON TABLE every.sale IS 'several levels';
CREATE TABLE every.sale_2024 PARTITION OF every.sale FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE every.sale_2025 (touched int, note text, amount numeric(10,2), gone int, day date NOT NULL, id int NOT NULL);
ALTER TABLE every.sale_2025 DROP gone;
ALTER TABLE every.sale ATTACH PARTITION every.sale_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE every.sale_2026 PARTITION OF every.sale FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')
    PARTITION BY LIST (id);
CREATE TABLE every.sale_2026_low PARTITION OF every.sale_2026 FOR VALUES IN (1, 2, 3, 4, 5);
CREATE TABLE every.sale_2026_rest PARTITION OF every.sale_2026 DEFAULT;
CREATE TABLE every.sale_default PARTITION OF every.sale DEFAULT WITH (fillfactor = 60);
ALTER TABLE every.sale_2024 ADD CONSTRAINT only_here CHECK (amount > -1);
CREATE INDEX sale_amount ON ONLY every.sale (amount);
CREATE INDEX sale_2024_amount ON every.sale_2024 (amount);
ALTER INDEX every.sale_amount ATTACH PARTITION every.sale_2024_amount;
CREATE INDEX sale_note ON every.sale (note);
CREATE TRIGGER touch BEFORE INSERT ON every.sale FOR EACH ROW EXECUTE FUNCTION every.touch();
ALTER TABLE every.sale_2025 DISABLE TRIGGER touch;
ALTER TABLE every.sale_default ENABLE ALWAYS TRIGGER touch;
INSERT INTO every.sale (id, day, amount, note)
SELECT g, date '2023-11-01' + g * 15, g * 1.5, 'sale ' || g FROM generate_series(1, 90) g;
CREATE TABLE every.sale_line (id int, day date, line int, PRIMARY KEY (id, day, line),
    FOREIGN KEY (id, day) REFERENCES every.sale ON DELETE CASCADE);
INSERT INTO every.sale_line SELECT id, day, 1 FROM every.sale;
CREATE TABLE every.by_hash (id int, v text) PARTITION BY HASH (id);
CREATE TABLE every.by_hash_0 PARTITION OF every.by_hash FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE every.by_hash_1 PARTITION OF every.by_hash FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO every.by_hash SELECT g, 'h' || g FROM generate_series(1, 30) g;
CREATE TABLE every.by_mood (id int, m every.mood) PARTITION BY LIST (m);
CREATE TABLE every.by_mood_sad PARTITION OF every.by_mood FOR VALUES IN ('sad', 'so-so', NULL);
CREATE TABLE every.by_mood_rest PARTITION OF every.by_mood DEFAULT;
INSERT INTO every.by_mood SELECT g, (enum_range(NULL::every.mood))[1 + g % 7] FROM generate_series(1, 30) g;
\if :v14
CREATE TABLE every.by_hash_of_mood (id int, m every.mood) PARTITION BY HASH (m);
CREATE TABLE every.by_hash_of_mood_0 PARTITION OF every.by_hash_of_mood FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE every.by_hash_of_mood_1 PARTITION OF every.by_hash_of_mood FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO every.by_hash_of_mood SELECT g, (enum_range(NULL::every.mood))[1 + g % 6] FROM generate_series(1, 30) g;
\endif
CREATE TABLE every.by_expression (a text) PARTITION BY LIST (lower(a));
CREATE TABLE every.by_expression_x PARTITION OF every.by_expression FOR VALUES IN ('x');
INSERT INTO every.by_expression VALUES ('X'), ('x');
CREATE TABLE every.no_partitions (a int) PARTITION BY RANGE (a);

-- Inheritance -------------------------------------------------------------------------------------
CREATE TABLE every.parent (a int DEFAULT 1, b text, CONSTRAINT b_check CHECK (b <> 'never'));
CREATE TABLE every.other_parent (b text, c int);
CREATE TABLE every.child (d int, g int GENERATED ALWAYS AS (d * 2) STORED) INHERITS (every.parent, every.other_parent);
CREATE TABLE every.late_child (e int, b text, a int, CONSTRAINT b_check CHECK (b <> 'never'));
ALTER TABLE every.late_child INHERIT every.parent;
ALTER TABLE every.child ALTER a SET DEFAULT 9;
INSERT INTO every.parent VALUES (1, 'parent'), (2, NULL);
INSERT INTO every.child (a, b, c, d) VALUES (3, 'child', 4, 5);
INSERT INTO every.late_child VALUES (6, 'late', 7);

-- Views, rules, triggers, policies ----------------------------------------------------------------
CREATE VIEW every.v_customer WITH (security_barrier) AS SELECT id, name, mood FROM every.customer WHERE age > 2
    WITH LOCAL CHECK OPTION;
COMMENT ON VIEW every.v_customer IS 'a view';
COMMENT ON COLUMN every.v_customer.name IS 'its column';
ALTER VIEW every.v_customer ALTER name SET DEFAULT 'nobody';
GRANT SELECT ON every.v_customer TO lector;
CREATE VIEW every.v_by_key AS SELECT id, name, count(number) AS invoices
  FROM every.customer LEFT JOIN every.invoice ON customer_id = id GROUP BY id;
CREATE VIEW every.v_on_view AS SELECT name, invoices FROM every.v_by_key WHERE invoices > 0;
CREATE VIEW every.v_round AS SELECT 1 AS x;
CREATE VIEW every.v_trip AS SELECT x FROM every.v_round;
CREATE OR REPLACE VIEW every.v_round AS SELECT x FROM every.v_trip;
CREATE RECURSIVE VIEW every.v_recursive (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM v_recursive WHERE n < 5;
CREATE FUNCTION every.rows_of_view() RETURNS SETOF every.v_customer LANGUAGE sql AS 'SELECT * FROM every.v_customer';
CREATE MATERIALIZED VIEW every.m_customer AS SELECT id, name FROM every.customer;
CREATE UNIQUE INDEX m_customer_id ON every.m_customer (id);
COMMENT ON MATERIALIZED VIEW every.m_customer IS 'a stored view';
CREATE MATERIALIZED VIEW every.m_on_m AS SELECT count(*) AS n FROM every.m_customer;
CREATE MATERIALIZED VIEW every.m_empty AS SELECT number FROM every.invoice WITH NO DATA;
CREATE MATERIALIZED VIEW every.m_by_key AS SELECT id, name, count(*) AS n FROM every.customer GROUP BY id;
\if :v15
CREATE VIEW every.v_invoker WITH (security_invoker = true) AS SELECT a FROM every.empty;
\endif
CREATE TABLE every.ruled (a int, b text);
INSERT INTO every.ruled VALUES (1, 'before the rules');
CREATE RULE instead_of_insert AS ON INSERT TO every.ruled DO INSTEAD NOTHING;
CREATE RULE also_on_update AS ON UPDATE TO every.ruled WHERE NEW.a > 5 DO ALSO INSERT INTO every.empty VALUES (NEW.a);
ALTER TABLE every.ruled DISABLE RULE also_on_update;
COMMENT ON RULE instead_of_insert ON every.ruled IS 'must not fire while loading';
CREATE VIEW every.v_ruled AS SELECT a FROM every.ruled;
CREATE RULE write_through AS ON INSERT TO every.v_ruled DO INSTEAD INSERT INTO every.empty (a) VALUES (NEW.a);
CREATE TRIGGER touch BEFORE UPDATE OF name ON every.customer FOR EACH ROW
    WHEN (OLD.name IS DISTINCT FROM NEW.name) EXECUTE FUNCTION every.touch();
COMMENT ON TRIGGER touch ON every.customer IS 'a trigger';
CREATE TRIGGER replica_only BEFORE INSERT ON every.invoice FOR EACH ROW EXECUTE FUNCTION every.touch();
ALTER TABLE every.invoice ENABLE REPLICA TRIGGER replica_only;
CREATE TRIGGER always_on BEFORE INSERT ON every.invoice FOR EACH ROW WHEN (NEW.number < 0) EXECUTE FUNCTION every.touch();
ALTER TABLE every.invoice ENABLE ALWAYS TRIGGER always_on;
CREATE TRIGGER refuse BEFORE INSERT ON every.follows FOR EACH ROW EXECUTE FUNCTION every.refuse();
ALTER TABLE every.follows DISABLE TRIGGER refuse;
CREATE TRIGGER refuse AFTER INSERT ON every.not_valid REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION every.refuse();
CREATE CONSTRAINT TRIGGER late_check AFTER UPDATE ON every.follows DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION every.refuse();
CREATE TRIGGER instead INSTEAD OF DELETE ON every.v_customer FOR EACH ROW EXECUTE FUNCTION every.refuse();
CREATE TABLE every.guarded (id int PRIMARY KEY, who text DEFAULT CURRENT_USER, secret text);
INSERT INTO every.guarded SELECT g, 'lector', 's' || g FROM generate_series(1, 12) g;
ALTER TABLE every.guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_own ON every.guarded FOR SELECT TO lector USING (who = CURRENT_USER);
CREATE POLICY write_even ON every.guarded AS RESTRICTIVE FOR UPDATE USING (id % 2 = 0) WITH CHECK (secret <> '');
COMMENT ON POLICY read_own ON every.guarded IS 'a policy';
GRANT SELECT ON every.guarded TO lector;

-- Sequences ---------------------------------------------------------------------------------------
CREATE SEQUENCE every.never_called START 42 MINVALUE 40;
CREATE SEQUENCE every.down INCREMENT -3 MINVALUE -100 MAXVALUE -1 START -1 CYCLE;
SELECT nextval('every.down'), nextval('every.down');
CREATE SEQUENCE every.small AS smallint MAXVALUE 30000 CACHE 20;
SELECT setval('every.small', 7, false);
CREATE SEQUENCE every.exhausted MAXVALUE 2;
SELECT nextval('every.exhausted'), nextval('every.exhausted');
CREATE SEQUENCE every.shared;
COMMENT ON SEQUENCE every.shared IS 'used by two tables';
GRANT USAGE ON SEQUENCE every.shared TO lector;
CREATE TABLE every.uses_a (id int DEFAULT nextval('every.shared'));
CREATE TABLE every.uses_b (id int DEFAULT nextval('every.shared'), own serial);
INSERT INTO every.uses_a SELECT FROM generate_series(1, 4);
INSERT INTO every.uses_b SELECT FROM generate_series(1, 4);
CREATE SEQUENCE every.owned_elsewhere OWNED BY every.empty.a;
SELECT setval('every.owned_elsewhere', 99);

-- Large objects -----------------------------------------------------------------------------------
CREATE TABLE every.attachment (id int PRIMARY KEY, content oid);
DO $$
DECLARE lo oid;
BEGIN
    INSERT INTO every.attachment VALUES (1, lo_from_bytea(0, 'small')), (2, lo_from_bytea(0, '')),
        (3, lo_from_bytea(0, decode(repeat('00ff10', 3000), 'hex'))), (4, lo_create(0));
    PERFORM lo_put(content, 5000, 'after a hole') FROM every.attachment WHERE id = 4;
    SELECT content INTO lo FROM every.attachment WHERE id = 1;
    EXECUTE format('COMMENT ON LARGE OBJECT %s IS %L', lo, 'it''s a large object');
    EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO lector', lo);
    EXECUTE format('GRANT UPDATE ON LARGE OBJECT %s TO escritor WITH GRANT OPTION', lo);
END $$;

-- Publications (of inserts: others would refuse updates of tables without a key) and default privileges 
CREATE PUBLICATION every_some FOR TABLE every.customer, every.sale WITH (publish = 'insert');
COMMENT ON PUBLICATION every_some IS 'a publication';
\if :v15
CREATE PUBLICATION every_filtered FOR TABLE every.invoice (number, total) WHERE (number > 5), every.parent
    WITH (publish = 'insert', publish_via_partition_root = true);
\endif
ALTER DEFAULT PRIVILEGES IN SCHEMA every GRANT SELECT ON TABLES TO lector;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
-- pg_dump 14, alone of all, leaves out grants on the sequences of identity columns.
\if :v15
ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO escritor WITH GRANT OPTION;
\endif
CREATE FUNCTION every.closed_by_default() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION public.in_public() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TABLE public.in_public (a int);
INSERT INTO public.in_public VALUES (1);
