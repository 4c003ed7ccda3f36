//! What the catalog alone says of a table, compared with the base. Pure.

use respaldo_domain::changes::{Reason, Verdict};
use respaldo_domain::table::{Fragility, Readability, TableFacts};
use respaldo_engine::ports::{BaseReading, LineageStatus};

use crate::evidence::{Evidence, decode};

/// What a scan hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Basis {
    /// Transaction ids of the row versions: comparable within one lineage.
    Xmin,
    /// The rows' text: comparable always.
    Content,
}

/// The catalog's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Signal {
    /// To be dumped whatever its rows say.
    Dump(Verdict, Reason),
    /// Rows decide, against this evidence.
    Compare(Evidence),
}

/// Judges a table with rows. Renaming it is no change; whatever alters what COPY prints, or
/// whether the printed data can be loaded again, is.
pub(crate) fn judge(
    facts: &TableFacts,
    base: Option<&BaseReading>,
    detector: &str,
    basis: Basis,
) -> Signal {
    if facts.readable != Readability::All {
        return Signal::Dump(Verdict::Unknown, Reason::Unreadable);
    }
    let Some(base) = base else {
        return changed(Reason::Full);
    };
    let Some(then) = base.readings.tables.get(&facts.oid) else {
        return changed(Reason::New);
    };
    if let Some(reason) = definition_differs(facts, &then.facts, basis) {
        return changed(reason);
    }
    if basis == Basis::Xmin && base.lineage == LineageStatus::Broken {
        return Signal::Dump(Verdict::Unknown, Reason::Lineage);
    }
    match decode(then.evidence.as_ref()).filter(|_| base.readings.detector == detector) {
        Some(evidence) => Signal::Compare(evidence),
        None => Signal::Dump(Verdict::Unknown, Reason::NoReading),
    }
}

fn changed(reason: Reason) -> Signal {
    Signal::Dump(Verdict::Changed, reason)
}

fn definition_differs(now: &TableFacts, then: &TableFacts, basis: Basis) -> Option<Reason> {
    if now.columns_hash != then.columns_hash {
        return Some(Reason::Columns);
    }
    if now.extension_condition != then.extension_condition {
        return Some(Reason::ExtensionCondition);
    }
    // The rows' text contains whatever a type or another object's name did to it.
    if basis == Basis::Content {
        return None;
    }
    match now.fragility {
        _ if now.types_hash != then.types_hash => Some(Reason::Types),
        Some(Fragility::NamesOtherObjects) => Some(Reason::Fragile),
        Some(Fragility::ForeignAccessMethod) => Some(Reason::AccessMethod),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use respaldo_domain::readings::{Readings, TableReading};
    use respaldo_domain::table::{Oid, Persistence, RelationKind, TableName};

    use super::*;

    fn facts() -> TableFacts {
        TableFacts {
            oid: Oid(16384),
            name: TableName::new("public", "t"),
            kind: RelationKind::Table,
            persistence: Persistence::Permanent,
            relfilenode: 16384,
            pages_hint: 0,
            columns: Arc::default(),
            columns_hash: "c".to_owned(),
            types_hash: "t".to_owned(),
            fragility: None,
            extension_condition: None,
            extension_member: false,
            load_via: None,
            readable: Readability::All,
        }
    }

    fn base(facts: TableFacts, lineage: LineageStatus) -> BaseReading {
        let evidence = crate::evidence::encode(&Evidence::default());
        let facts = Arc::new(facts);
        let tables = BTreeMap::from([(facts.oid, TableReading { facts, evidence })]);
        let readings = Readings {
            detector: "d".to_owned(),
            tables,
            ..Readings::default()
        };
        BaseReading {
            lineage,
            readings,
            learnt: BTreeMap::new(),
        }
    }

    fn word(now: &TableFacts, lineage: LineageStatus, basis: Basis) -> Option<Reason> {
        match judge(now, Some(&base(facts(), lineage)), "d", basis) {
            Signal::Dump(_, reason) => Some(reason),
            Signal::Compare(_) => None,
        }
    }

    #[test]
    fn whatever_alters_the_text_of_rows_is_a_change() {
        use LineageStatus::Same;
        let with = |alter: fn(&mut TableFacts)| {
            let mut altered = facts();
            alter(&mut altered);
            altered
        };
        let columns = with(|f| f.columns_hash.push('x'));
        let types = with(|f| f.types_hash.push('x'));
        let condition = with(|f| f.extension_condition = Some(String::new()));
        let fragile = with(|f| f.fragility = Some(Fragility::NamesOtherObjects));
        let method = with(|f| f.fragility = Some(Fragility::ForeignAccessMethod));
        for basis in [Basis::Xmin, Basis::Content] {
            assert_eq!(word(&columns, Same, basis), Some(Reason::Columns));
            assert_eq!(
                word(&condition, Same, basis),
                Some(Reason::ExtensionCondition)
            );
        }
        assert_eq!(word(&types, Same, Basis::Xmin), Some(Reason::Types));
        assert_eq!(word(&fragile, Same, Basis::Xmin), Some(Reason::Fragile));
        assert_eq!(word(&method, Same, Basis::Xmin), Some(Reason::AccessMethod));
        for exact in [types, fragile, method] {
            assert_eq!(word(&exact, Same, Basis::Content), None);
        }
    }

    #[test]
    fn a_name_or_a_file_is_not_content() {
        let mut moved = facts();
        moved.name = TableName::new("other", "u");
        moved.relfilenode += 1;
        assert_eq!(word(&moved, LineageStatus::Same, Basis::Xmin), None);
    }

    #[test]
    fn a_broken_lineage_leaves_only_the_content_as_evidence() {
        use LineageStatus::{Broken, Witnessed};
        assert_eq!(word(&facts(), Broken, Basis::Xmin), Some(Reason::Lineage));
        assert_eq!(word(&facts(), Broken, Basis::Content), None);
        assert_eq!(word(&facts(), Witnessed, Basis::Xmin), None);
    }

    #[test]
    fn no_reading_or_anothers_reading_is_no_proof() {
        let reading = base(facts(), LineageStatus::Same);
        let unknown = Signal::Dump(Verdict::Unknown, Reason::NoReading);
        assert_eq!(
            judge(&facts(), Some(&reading), "other", Basis::Xmin),
            unknown
        );
        let mut lost = reading.clone();
        lost.readings
            .tables
            .values_mut()
            .for_each(|table| table.evidence = None);
        assert_eq!(judge(&facts(), Some(&lost), "d", Basis::Xmin), unknown);
        assert_eq!(
            judge(&facts(), None, "d", Basis::Xmin),
            changed(Reason::Full)
        );
        let mut other = facts();
        other.oid = Oid(99);
        assert_eq!(
            judge(&other, Some(&reading), "d", Basis::Xmin),
            changed(Reason::New)
        );
    }
}
