//! pg_dump custom-format archives: read, write, splice.
