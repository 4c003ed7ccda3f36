//! A new migration is no source file of this crate: without this, cargo would not see it.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
