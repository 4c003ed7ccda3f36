-- Things that break catalog queries which do not qualify every name: an optional last part.
\set ON_ERROR_STOP on
SET client_min_messages = error;
CREATE CAST (bigint AS text) WITH INOUT AS IMPLICIT;
CREATE CAST ("char" AS regclass) WITH INOUT AS ASSIGNMENT;
CREATE FUNCTION public.format(text, text) RETURNS text LANGUAGE sql AS $$ SELECT 'attack'::text $$;
CREATE FUNCTION public.count_all() RETURNS bigint LANGUAGE sql AS $$ SELECT -1::bigint $$;
CREATE FUNCTION public.never(varchar, varchar) RETURNS boolean LANGUAGE sql AS 'SELECT false';
CREATE OPERATOR public.= (FUNCTION = public.never, LEFTARG = varchar, RIGHTARG = varchar);
CREATE TABLE public.pg_class (oid oid, relname text);
CREATE TABLE public.pg_namespace (nspname text);
