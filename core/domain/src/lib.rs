//! Pure values and decisions of respaldo: no I/O.
