-- What only a superuser can create; on top of owner.sql.
\set ON_ERROR_STOP on
SET client_min_messages = error;
SELECT current_setting('server_version_num')::int >= 150000 AS v15 \gset

DO $$ BEGIN CREATE ROLE "rol raro
;--DROP" NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;

CREATE SCHEMA super;
GRANT USAGE ON SCHEMA super TO escritor;
COMMENT ON EXTENSION citext IS 'a comment of our own on an extension';

-- A base type, with its array, operators, families and classes ------------------------------------
CREATE TYPE super.undefined_shell;
CREATE TYPE super.whole;
CREATE FUNCTION super.whole_in(cstring) RETURNS super.whole LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION super.whole_out(super.whole) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE TYPE super.whole (INPUT = super.whole_in, OUTPUT = super.whole_out, LIKE = int4, CATEGORY = 'N', DEFAULT = '8');
COMMENT ON TYPE super.whole IS 'a base type';
CREATE FUNCTION super.whole_lt(super.whole, super.whole) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4lt';
CREATE FUNCTION super.whole_le(super.whole, super.whole) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4le';
CREATE FUNCTION super.whole_eq(super.whole, super.whole) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4eq';
CREATE FUNCTION super.whole_ge(super.whole, super.whole) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4ge';
CREATE FUNCTION super.whole_gt(super.whole, super.whole) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4gt';
CREATE FUNCTION super.whole_cmp(super.whole, super.whole) RETURNS int LANGUAGE internal IMMUTABLE STRICT AS 'btint4cmp';
CREATE OPERATOR super.< (FUNCTION = super.whole_lt, LEFTARG = super.whole, RIGHTARG = super.whole, COMMUTATOR = OPERATOR(super.>), NEGATOR = OPERATOR(super.>=));
CREATE OPERATOR super.<= (FUNCTION = super.whole_le, LEFTARG = super.whole, RIGHTARG = super.whole, COMMUTATOR = OPERATOR(super.>=), NEGATOR = OPERATOR(super.>));
CREATE OPERATOR super.= (FUNCTION = super.whole_eq, LEFTARG = super.whole, RIGHTARG = super.whole, COMMUTATOR = OPERATOR(super.=), MERGES);
CREATE OPERATOR super.>= (FUNCTION = super.whole_ge, LEFTARG = super.whole, RIGHTARG = super.whole, COMMUTATOR = OPERATOR(super.<=), NEGATOR = OPERATOR(super.<));
CREATE OPERATOR super.> (FUNCTION = super.whole_gt, LEFTARG = super.whole, RIGHTARG = super.whole, COMMUTATOR = OPERATOR(super.<), NEGATOR = OPERATOR(super.<=));
CREATE OPERATOR FAMILY super.whole_family USING btree;
COMMENT ON OPERATOR FAMILY super.whole_family USING btree IS 'a family';
CREATE OPERATOR CLASS super.whole_class DEFAULT FOR TYPE super.whole USING btree FAMILY super.whole_family AS
    OPERATOR 1 super.<, OPERATOR 2 super.<=, OPERATOR 3 super.=, OPERATOR 4 super.>=, OPERATOR 5 super.>,
    FUNCTION 1 super.whole_cmp(super.whole, super.whole);
COMMENT ON OPERATOR CLASS super.whole_class USING btree IS 'a class';
CREATE OPERATOR FAMILY super.empty_family USING hash;
CREATE OPERATOR CLASS super.other_int FOR TYPE int USING btree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int, int);
CREATE CAST (super.whole AS int) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE CAST (int AS super.whole) WITHOUT FUNCTION;
CREATE TABLE super.wholes (w super.whole PRIMARY KEY, ws super.whole[]);
INSERT INTO super.wholes SELECT g::super.whole, ARRAY[g::super.whole, NULL] FROM generate_series(1, 20) g;
CREATE INDEX wholes_other ON super.wholes ((w::int) super.other_int);

-- Languages, transforms, access methods, text search ----------------------------------------------
CREATE FUNCTION super.pl_call() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE FUNCTION super.pl_inline(internal) RETURNS void LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_inline_handler';
CREATE FUNCTION super.pl_check(oid) RETURNS void LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_validator';
CREATE TRUSTED LANGUAGE pl_own HANDLER super.pl_call INLINE super.pl_inline VALIDATOR super.pl_check;
COMMENT ON LANGUAGE pl_own IS 'a language';
REVOKE USAGE ON LANGUAGE pl_own FROM PUBLIC;
GRANT USAGE ON LANGUAGE pl_own TO lector;
CREATE FUNCTION super.in_own_language() RETURNS int LANGUAGE pl_own AS 'BEGIN RETURN 1; END';
CREATE TRANSFORM FOR int LANGUAGE sql
    (FROM SQL WITH FUNCTION prsd_lextype(internal), TO SQL WITH FUNCTION int4recv(internal));
COMMENT ON TRANSFORM FOR int LANGUAGE sql IS 'a transform';
CREATE FUNCTION super.transformed(int) RETURNS int TRANSFORM FOR TYPE int LANGUAGE sql AS 'SELECT $1';
CREATE ACCESS METHOD heap_again TYPE TABLE HANDLER heap_tableam_handler;
COMMENT ON ACCESS METHOD heap_again IS 'an access method';
CREATE ACCESS METHOD gist_again TYPE INDEX HANDLER gisthandler;
CREATE TABLE super.on_heap_again (a int, b text) USING heap_again;
INSERT INTO super.on_heap_again SELECT g, 'x' || g FROM generate_series(1, 15) g;
CREATE TEXT SEARCH PARSER super.parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end,
    HEADLINE = prsd_headline, LEXTYPES = prsd_lextype);
COMMENT ON TEXT SEARCH PARSER super.parser IS 'a parser';
CREATE TEXT SEARCH TEMPLATE super.template (INIT = dsimple_init, LEXIZE = dsimple_lexize);
COMMENT ON TEXT SEARCH TEMPLATE super.template IS 'a template';
CREATE TEXT SEARCH DICTIONARY super.dictionary (TEMPLATE = super.template);
CREATE TEXT SEARCH CONFIGURATION super.configuration (PARSER = super.parser);
ALTER TEXT SEARCH CONFIGURATION super.configuration ADD MAPPING FOR word, asciiword WITH super.dictionary, simple;
CREATE FUNCTION super.leak(int) RETURNS int LANGUAGE sql LEAKPROOF AS 'SELECT $1';
CREATE FUNCTION super.supported(int) RETURNS int LANGUAGE sql SUPPORT generate_series_int4_support AS 'SELECT $1';

-- Foreign data ------------------------------------------------------------------------------------
CREATE FOREIGN DATA WRAPPER dummy OPTIONS (debug 'true');
COMMENT ON FOREIGN DATA WRAPPER dummy IS 'a wrapper';
GRANT USAGE ON FOREIGN DATA WRAPPER dummy TO lector;
CREATE SERVER far_away TYPE 't' VERSION '1' FOREIGN DATA WRAPPER dummy OPTIONS (host 'h''h', port '1');
COMMENT ON SERVER far_away IS 'a server';
GRANT USAGE ON FOREIGN SERVER far_away TO lector;
CREATE USER MAPPING FOR PUBLIC SERVER far_away OPTIONS (user 'u');
CREATE USER MAPPING FOR lector SERVER far_away OPTIONS (user 'l', secret 'x y');
CREATE FOREIGN TABLE super.foreign_table (a int OPTIONS (name 'b') NOT NULL DEFAULT 1, b text) SERVER far_away OPTIONS (table 't');
COMMENT ON FOREIGN TABLE super.foreign_table IS 'a foreign table';
GRANT SELECT ON super.foreign_table TO lector;

-- Event triggers: would stop any DDL or be seen while restoring -----------------------------------
CREATE TABLE super.ddl_log (id serial, tag text);
CREATE FUNCTION super.on_ddl() RETURNS event_trigger LANGUAGE plpgsql
    AS $$ BEGIN INSERT INTO super.ddl_log (tag) VALUES (tg_tag); END $$;
CREATE EVENT TRIGGER log_ddl ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE') EXECUTE FUNCTION super.on_ddl();
COMMENT ON EVENT TRIGGER log_ddl IS 'an event trigger';
ALTER EVENT TRIGGER log_ddl ENABLE REPLICA;
CREATE EVENT TRIGGER off ON sql_drop EXECUTE FUNCTION super.on_ddl();
ALTER EVENT TRIGGER off DISABLE;

-- Publications and a subscription that is not connected -------------------------------------------
CREATE PUBLICATION super_all FOR ALL TABLES WITH (publish = 'insert, truncate');
\if :v15
CREATE PUBLICATION super_schemas FOR TABLES IN SCHEMA super, every WITH (publish = 'insert');
\endif
CREATE SUBSCRIPTION super_subscription CONNECTION 'dbname=nowhere host=127.0.0.1 port=1' PUBLICATION p, q
    WITH (connect = false, slot_name = NONE, enabled = false);
COMMENT ON SUBSCRIPTION super_subscription IS 'a subscription';

-- Owners, grants by others, grants on what is the system's or an extension's -----------------------
CREATE TABLE super.owned_by_odd (a int);
INSERT INTO super.owned_by_odd VALUES (1);
ALTER TABLE super.owned_by_odd OWNER TO "rol raro
;--DROP";
GRANT SELECT ON super.owned_by_odd TO PUBLIC;
CREATE TABLE super.granted_by_other (a int);
GRANT ALL ON super.granted_by_other TO escritor WITH GRANT OPTION;
SET SESSION AUTHORIZATION escritor;
GRANT SELECT ON super.granted_by_other TO lector;
RESET SESSION AUTHORIZATION;
REVOKE EXECUTE ON FUNCTION pg_sleep(float8) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pg_sleep(float8) TO lector;
GRANT SELECT (prosrc, proname) ON pg_proc TO lector;
GRANT EXECUTE ON FUNCTION ext.similarity(text, text) TO lector;
REVOKE EXECUTE ON FUNCTION ext.similarity(text, text) FROM PUBLIC;
REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;
GRANT USAGE ON LANGUAGE plpgsql TO PUBLIC, escritor;
CREATE FUNCTION super.with_extension() RETURNS int LANGUAGE sql AS 'SELECT 1';
ALTER FUNCTION super.with_extension() DEPENDS ON EXTENSION pgcrypto;
CREATE TABLE super.forced (a int);
INSERT INTO super.forced SELECT generate_series(1, 9);
ALTER TABLE super.forced ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY few ON super.forced USING (a < 3);
DO $$
DECLARE lo oid := lo_from_bytea(0, 'owned by another');
BEGIN EXECUTE format('ALTER LARGE OBJECT %s OWNER TO escritor', lo); END $$;
ALTER DEFAULT PRIVILEGES FOR ROLE escritor IN SCHEMA super REVOKE INSERT ON TABLES FROM lector;
ALTER DEFAULT PRIVILEGES FOR ROLE escritor GRANT SELECT ON TABLES TO lector;
ALTER DEFAULT PRIVILEGES FOR ROLE escritor GRANT USAGE ON SCHEMAS TO lector;
