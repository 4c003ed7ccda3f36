//! The checks of a doctor as they are collected.

use respaldo_contract::messages::{Doctor, Lang};
use respaldo_contract::records::{CheckState, DoctorCheckRecord, DoctorRecord};

/// Checks so far.
pub struct Checks {
    lang: Lang,
    all: Vec<DoctorCheckRecord>,
}

impl Checks {
    /// None.
    pub fn new(lang: Lang) -> Self {
        Self {
            lang,
            all: Vec::new(),
        }
    }

    /// Something in order.
    pub fn good(&mut self, name: &'static str, seen: Doctor<'_>) {
        self.add(name, CheckState::Good, seen.text(self.lang), None);
    }

    /// Something that limits.
    pub fn warning(&mut self, name: &'static str, seen: Doctor<'_>) {
        self.add(name, CheckState::Warning, seen.text(self.lang), None);
    }

    /// Something that limits, and what to do about it.
    pub fn warning_with(&mut self, name: &'static str, seen: Doctor<'_>, advice: String) {
        self.add(
            name,
            CheckState::Warning,
            seen.text(self.lang),
            Some(advice),
        );
    }

    /// Something that makes backups fail.
    pub fn bad(&mut self, name: &'static str, seen: Doctor<'_>) {
        self.add(name, CheckState::Bad, seen.text(self.lang), None);
    }

    /// Something that makes backups fail, and what mends it.
    pub fn bad_with(&mut self, name: &'static str, seen: Doctor<'_>, remedy: String) {
        self.add(name, CheckState::Bad, seen.text(self.lang), Some(remedy));
    }

    /// The language of the person.
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// All of them.
    pub fn record(self) -> DoctorRecord {
        DoctorRecord::of(self.all, self.lang)
    }

    fn add(
        &mut self,
        nombre: &'static str,
        estado: CheckState,
        mensaje: String,
        sugerencia: Option<String>,
    ) {
        self.all.push(DoctorCheckRecord {
            nombre,
            estado,
            mensaje,
            sugerencia,
        });
    }
}
