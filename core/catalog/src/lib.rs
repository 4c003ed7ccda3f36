//! The catalog in schema seguridad.
