//! The look that the schedule asks for: at every backup, and deeper into the newest, once a day or once a week.

use chrono::{DateTime, Utc};
use respaldo_domain::report::Validation;
use respaldo_domain::validation::ValidationLevel;

use super::{ValidateError, ValidateRequest, validate};
use crate::parts::Parts;
use crate::ports::Context;
use crate::schedule::{is_week_since_weekly, note_weekly};
use crate::selector::Selector;

/// How deep the newest backup is looked into; every backup is looked at with its chain in any case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deeper {
    /// Each time.
    pub daily: Option<ValidationLevel>,
    /// Where that was a week ago.
    pub weekly: Option<ValidationLevel>,
}

/// Looks at every backup, and deeper into the newest.
pub(crate) fn on_schedule(
    parts: &Parts,
    now: DateTime<Utc>,
    cx: &Context,
) -> Result<Vec<Validation>, ValidateError> {
    let every = ValidateRequest {
        selectors: None,
        level: ValidationLevel::Chain,
        scratch_server: None,
    };
    let mut validations = validate(parts, &every, cx)?;
    let deeper = parts.settings.validate_on_schedule;
    let weekly = deeper.weekly.filter(|_| is_week_since_weekly(parts, now));
    let deepest = deeper.daily.max(weekly);
    let Some(level) = deepest.filter(|level| *level > every.level && !validations.is_empty())
    else {
        return Ok(validations);
    };
    let newest = ValidateRequest {
        selectors: Some(vec![Selector::Latest]),
        level,
        ..every
    };
    validations.extend(validate(parts, &newest, cx)?);
    if weekly.is_some() {
        note_weekly(parts, now);
    }
    Ok(validations)
}
