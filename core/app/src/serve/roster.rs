//! Who is looked after, for those who are not the crew.

use std::sync::PoisonError;

use respaldo_engine::ports::EventLevel;
use serde_json::Value;

use super::crew::{Crew, Member, Members};
use super::state_file::Standing;

/// The databases that are looked after.
#[derive(Clone)]
pub struct Roster(Members);

impl Roster {
    /// Those of a crew.
    pub fn of(crew: &Crew) -> Self {
        Self(crew.members())
    }

    fn with<T>(&self, name: &str, tell: impl FnOnce(&Member) -> T) -> Option<T> {
        let members = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        members.iter().find(|member| member.name == name).map(tell)
    }

    /// Their names.
    pub fn names(&self) -> Vec<String> {
        let members = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        members.iter().map(|member| member.name.clone()).collect()
    }

    /// The name in `[[databases]]`, where there are several.
    pub fn key(&self, name: &str) -> Option<String> {
        self.with(name, |member| member.key.clone()).flatten()
    }

    /// How one stands.
    pub fn standing(&self, name: &str) -> Option<Standing> {
        self.with(name, |member| member.state.standing()).flatten()
    }

    /// Events of one that are not recorded yet, newest first.
    pub fn events(&self, name: &str) -> Vec<(EventLevel, String, Value)> {
        let events = self.with(name, |member| member.events.clone());
        events.map(|events| events.waiting()).unwrap_or_default()
    }
}
