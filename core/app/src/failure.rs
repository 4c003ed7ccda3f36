//! How a command fails: a stable code, the cause chain, and the person's words for both.

mod codes;

use std::error::Error;

use respaldo_contract::messages::{ErrorCode, Header, Lang, Spoken};
use respaldo_contract::records::ErrorRecord;

use crate::output::Output;

pub use codes::{of_adoption, of_catalog, of_lookup, of_sink};

/// A command that failed.
#[derive(Debug, thiserror::Error)]
#[error("{}", .code.text(Lang::En).title)]
pub struct Failure {
    /// What it is, for programs.
    pub code: ErrorCode,
    /// What was being done and why it failed, outermost first.
    pub causes: Vec<String>,
    /// Statements or commands that mend it.
    pub remedies: Vec<String>,
}

impl Failure {
    /// A failure with one cause in words.
    pub fn new(code: ErrorCode, cause: impl Into<String>) -> Self {
        Self {
            code,
            causes: vec![cause.into()],
            remedies: Vec::new(),
        }
    }

    /// A failure with an error and all that caused it.
    pub fn of(code: ErrorCode, error: &dyn Error) -> Self {
        Self {
            code,
            causes: causes(error),
            remedies: Vec::new(),
        }
    }

    /// Itself and its causes, in one line.
    pub fn in_words(&self) -> String {
        let said = [self.to_string()].into_iter().chain(self.causes.clone());
        said.collect::<Vec<_>>().join(": ")
    }

    /// Says it: one document, or one sentence, the causes and a hint.
    pub fn report(&self, output: &Output) {
        if output.json {
            output.result(&self.record(output.lang), |_| String::new());
        } else {
            output.complaint(&self.text(output.lang));
        }
    }

    fn record(&self, lang: Lang) -> ErrorRecord {
        let said = self.causes.iter().chain(&self.remedies);
        ErrorRecord::of(
            self.code,
            said.cloned().collect::<Vec<_>>().join(": "),
            lang,
        )
    }

    fn text(&self, lang: Lang) -> String {
        let text = self.code.text(lang);
        let mut lines = vec![format!("{}: {}.", Header::Error.spoken(lang), text.title)];
        let because = Header::CausedBy.spoken(lang);
        lines.extend(
            self.causes
                .iter()
                .map(|cause| format!("  {because}: {cause}")),
        );
        lines.push(format!(
            "{}: {}",
            Header::Hint.spoken(lang),
            self.hint(lang)
        ));
        lines.join("\n")
    }

    fn hint(&self, lang: Lang) -> String {
        let hint = self.code.text(lang).hint;
        if self.remedies.is_empty() {
            hint.to_owned()
        } else {
            format!("{hint}\n  {}", self.remedies.join("\n  "))
        }
    }
}

/// An error with its causes, in one line.
pub fn reason_of(error: &dyn Error) -> String {
    causes(error).join(": ")
}

/// An error and its sources as words. A source that repeats what stands before it is left out.
pub fn causes(error: &dyn Error) -> Vec<String> {
    let mut said: Vec<String> = vec![error.to_string()];
    let mut next = error.source();
    while let Some(source) = next {
        let words = source.to_string();
        if said.last().is_none_or(|last| !last.contains(&words)) {
            said.push(words);
        }
        next = source.source();
    }
    said
}

#[cfg(test)]
mod tests {
    use respaldo_engine::ports::{Fault, FaultKind};

    use super::*;

    #[test]
    fn a_failure_is_one_sentence_its_causes_and_a_hint() {
        let inner = Fault::new(FaultKind::Full, "writing x", "no space left");
        let text = Failure::of(ErrorCode::SinkFull, &inner).text(Lang::En);
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[0].starts_with("error: ") && lines[0].ends_with('.'),
            "{text}"
        );
        assert_eq!(
            lines[1..3],
            ["  because: writing x", "  because: no space left"]
        );
        assert!(lines[3].starts_with("hint: "), "{text}");
    }

    #[test]
    fn a_failure_as_json_has_the_keys_that_were_promised() {
        let failure = Failure::new(ErrorCode::SinkUnavailable, "disk gone");
        let record = serde_json::to_value(failure.record(Lang::Es)).unwrap();
        assert_eq!(record["exitoso"], false);
        assert_eq!(record["error"]["codigo"], "sink-unavailable");
        assert_eq!(record["error"]["detalle"], "disk gone");
        assert!(record["error"]["sugerencia"].is_string() && record["mensaje"].is_string());
    }
}
