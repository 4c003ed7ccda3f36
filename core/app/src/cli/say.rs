//! How values look to a person.

use std::fmt::Display;

use chrono::{DateTime, FixedOffset, Local};
use respaldo_contract::messages::{ExitCode, Header, Lang, Spoken, size};
use respaldo_contract::records::WarningRecord;
use respaldo_domain::coverage::Coverage;
use respaldo_domain::report::Warning;

/// Text that is put together line by line.
#[derive(Debug, Default)]
pub struct Text(String);

impl Text {
    /// Begins with a line.
    pub fn new(line: impl Display) -> Self {
        let mut text = Self::default();
        text.line(line);
        text
    }

    /// Adds a line, or several where it has line breaks of its own.
    pub fn line(&mut self, line: impl Display) {
        self.0.push_str(&line.to_string());
        self.0.push('\n');
    }

    /// Adds `Heading: value`.
    pub fn field(&mut self, heading: Header, value: impl Display, lang: Lang) {
        self.line(format_args!("{}: {value}", heading.spoken(lang)));
    }

    /// Adds what a backup could not read, each with what would mend it.
    pub fn gaps(&mut self, coverage: &Coverage, lang: Lang) {
        for gap in &coverage.gaps {
            self.line(format_args!("  {}: {}", gap.object, gap.kind.spoken(lang)));
            self.line(format_args!("    {}", gap.remedy));
        }
    }

    /// Adds warnings under their heading, where there are any.
    pub fn warnings(&mut self, warnings: &[Warning], lang: Lang) {
        if !warnings.is_empty() {
            self.line(format_args!("{}:", Header::Warnings.spoken(lang)));
        }
        for warning in warnings {
            self.line(format_args!(
                "  {}",
                WarningRecord::of(warning, lang).mensaje
            ));
        }
    }

    /// The text.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// A time in the local zone.
pub fn time(at: DateTime<FixedOffset>) -> String {
    at.with_timezone(&Local)
        .format("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// A size, or nothing.
pub fn size_of(bytes: Option<u64>, lang: Lang) -> String {
    bytes.map(|bytes| size(bytes, lang)).unwrap_or_default()
}

/// A value, or nothing.
pub fn or_nothing(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// Yes or no.
pub fn yes_no(yes: bool, lang: Lang) -> String {
    if yes { Header::Yes } else { Header::No }
        .spoken(lang)
        .to_owned()
}

/// How a run ends that may have warnings.
pub fn exit_of(warnings: &[Warning]) -> ExitCode {
    if warnings.is_empty() {
        ExitCode::Done
    } else {
        ExitCode::Look
    }
}
