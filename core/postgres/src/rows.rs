//! Reading columns of a row.

use sqlx::postgres::PgRow;
use sqlx::{Decode, Postgres, Row, Type};

use crate::session::PgError;

/// The value of the column `name`.
pub fn field<T>(row: &PgRow, name: &str) -> Result<T, PgError>
where
    T: for<'r> Decode<'r, Postgres> + Type<Postgres>,
{
    row.try_get(name)
        .map_err(|error| PgError::new(format!("reading the column {name}"), error))
}
