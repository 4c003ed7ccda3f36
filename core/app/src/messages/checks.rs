//! How a check ended, in a word.

use respaldo_contract::messages::Lang;
use respaldo_contract::records::CheckState;

/// The word.
pub fn word(state: CheckState, lang: Lang) -> &'static str {
    match state {
        CheckState::Good => lang.choose("ok", "bien"),
        CheckState::Warning => lang.choose("warning", "advertencia"),
        CheckState::Bad => lang.choose("ERROR", "ERROR"),
    }
}
