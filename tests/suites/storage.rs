//! Storage over networks: every kind of sink against a real server of its kind.
