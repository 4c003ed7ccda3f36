//! Restores: what they keep of a database they replace, what they refuse, what each option does,
//! and what each kind of role can do.
#![expect(clippy::unwrap_used, reason = "test code")]

#[path = "restores/binary.rs"]
mod binary;
#[path = "restores/in_place.rs"]
mod in_place;
#[path = "restores/indexes.rs"]
mod indexes;
#[path = "restores/memory.rs"]
mod memory;
#[path = "restores/options.rs"]
mod options;
#[path = "restores/roles.rs"]
mod roles;
#[path = "restores/sessions.rs"]
mod sessions;

/// For `make soak`.
mod soak {
    #[test]
    fn a_table_of_two_gigabytes_takes_no_more_memory_than_a_small_one() {
        let peak = super::memory::of_two_gigabytes();
        assert!(peak <= super::memory::MEMORY_KIB, "{peak} KiB");
    }
}
