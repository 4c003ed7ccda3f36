//! What a file's name says: an object, or one on its way to become one.

use respaldo_domain::object::ObjectKey;

/// No key begins with a dot, so none of these is ever taken for an object.
const CLAIM: &str = ".respaldo-claim.";
const PARKED: &str = ".respaldo-parked.";
const PROBE: &str = ".respaldo-probe";

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Role {
    /// The object of this key.
    Object(ObjectKey),
    /// Whole, and about to become the object of this key.
    Claim(ObjectKey),
    /// Whole, and waiting for claims of others to be decided.
    Parked(ObjectKey),
    /// Written to see whether that goes.
    Probe,
}

impl Role {
    /// The role that a name tells; `None` where the file is not ours.
    pub(super) fn of(name: &str) -> Option<Self> {
        let key = |text: &str| ObjectKey::parse(text).ok();
        if let Some(text) = name.strip_prefix(CLAIM) {
            key(text).map(Self::Claim)
        } else if let Some(text) = name.strip_prefix(PARKED) {
            key(text).map(Self::Parked)
        } else if name == PROBE {
            Some(Self::Probe)
        } else {
            key(name).map(Self::Object)
        }
    }

    /// The name that tells the role.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Object(key) => key.to_string(),
            Self::Claim(key) => format!("{CLAIM}{key}"),
            Self::Parked(key) => format!("{PARKED}{key}"),
            Self::Probe => PROBE.to_owned(),
        }
    }

    /// Whose object it is, or may become.
    pub(super) fn key(&self) -> Option<&ObjectKey> {
        match self {
            Self::Object(key) | Self::Claim(key) | Self::Parked(key) => Some(key),
            Self::Probe => None,
        }
    }

    /// Whether it is no object yet.
    pub(super) fn is_staging(&self) -> bool {
        !matches!(self, Self::Object(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_role_and_foreign_names_none() {
        let key = ObjectKey::parse("full/x.backup").unwrap();
        for role in [
            Role::Object(key.clone()),
            Role::Claim(key.clone()),
            Role::Parked(key),
            Role::Probe,
        ] {
            assert_eq!(Role::of(&role.name()), Some(role));
        }
        for foreign in [
            "",
            "My notes",
            ".respaldo-claim.",
            ".respaldo-claim.a b",
            ".hidden",
        ] {
            assert_eq!(Role::of(foreign), None, "{foreign}");
        }
    }
}
