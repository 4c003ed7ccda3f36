//! What the panel tells.

use chrono::Local;
use respaldo_contract::labels::Label;
use respaldo_contract::messages::EngineState;
use respaldo_panel::ports::Pages;
use serde_json::json;

use super::crew::{Crew, Member};
use super::listener::in_contract;
use crate::metrics::{CONTENT_TYPE, Figures};

/// Told from what the crew knows.
pub struct Told {
    figures: Figures,
    members: std::sync::Arc<std::sync::Mutex<Vec<Member>>>,
}

impl Told {
    /// Of this crew.
    pub fn new(crew: &Crew) -> Self {
        Self {
            figures: crew.figures(),
            members: crew.members(),
        }
    }
}

impl Pages for Told {
    fn metrics(&self) -> (String, &'static str) {
        (
            self.figures.render(Local::now().fixed_offset()),
            CONTENT_TYPE,
        )
    }

    /// Reasons stay out of it: they may name what is nobody's business.
    fn health(&self) -> (String, bool) {
        let members = self.members.lock();
        let members = members.unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut is_well = true;
        let mut told = Vec::new();
        for member in &*members {
            let standing = member.state.standing();
            let state = standing
                .as_ref()
                .map(|standing| in_contract(&standing.state));
            is_well &= state.is_none_or(|state| state != EngineState::Stopped);
            told.push(json!({
                "base": member.name,
                "motor": state.map(Label::label),
                "lidera": standing.is_some_and(|standing| standing.leads),
            }));
        }
        (json!({ "bases": told }).to_string(), is_well)
    }
}
