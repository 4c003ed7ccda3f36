-- What the golden archives hold: a bit of everything whose entry or block looks different.
SET standard_conforming_strings = on;
CREATE TABLE plain (id integer PRIMARY KEY, note text DEFAULT 'x');
INSERT INTO plain SELECT g, repeat(md5(g::text), g % 4) FROM generate_series(1, 120) g;
COMMENT ON TABLE plain IS 'it''s a "table"';
CREATE TABLE empty_one (id integer REFERENCES plain, "weird ""column""" bytea);
CREATE SCHEMA "Weird schema";
CREATE TABLE "Weird schema"."tab	with
newline, ñ and \ backslash" (a text, b text);
INSERT INTO "Weird schema"."tab	with
newline, ñ and \ backslash" VALUES (E'\\.', NULL), ('', E'a\nb\tc\\'), (E'\\N', 'ñandú');
CREATE TABLE parts (k integer, v text) PARTITION BY LIST (k);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
INSERT INTO parts VALUES (1, 'one');
CREATE SEQUENCE counter START 7;
SELECT nextval('counter');
CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM plain;
CREATE VIEW seen AS SELECT id FROM plain;
CREATE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE INDEX plain_note ON plain (note);
GRANT SELECT ON plain TO PUBLIC;
SELECT lo_from_bytea(16500, 'large object'), lo_from_bytea(3000000000, ''), lo_from_bytea(16501, repeat('0123456789', 200)::bytea);
COMMENT ON LARGE OBJECT 16500 IS 'a comment';
