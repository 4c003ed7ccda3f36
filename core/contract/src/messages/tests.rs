use std::collections::HashSet;

use respaldo_domain::changes::Reason;
use respaldo_domain::validation::FindingCode;

use super::*;
use crate::labels::{Label, OpenLabel};

const SAMPLE: &str = "<value>";

/// All texts of one table in both languages.
fn pairs<M>(samples: &[M], text: impl Fn(&M, Lang) -> String) -> Vec<(String, String)> {
    samples
        .iter()
        .map(|message| (text(message, Lang::En), text(message, Lang::Es)))
        .collect()
}

fn all_messages() -> Vec<(String, String)> {
    let mut all = pairs(&Outcome::samples(&SAMPLE), Outcome::text);
    all.extend(pairs(&Progress::samples(&SAMPLE), Progress::text));
    all.extend(pairs(&Doctor::samples(&SAMPLE), Doctor::text));
    all.extend(pairs(&Alert::samples(&SAMPLE), Alert::text));
    all.extend(pairs(&Demo::samples(&SAMPLE), Demo::text));
    all
}

#[test]
fn both_languages_say_something_and_not_the_same() {
    for (english, spanish) in all_messages() {
        assert!(!english.trim().is_empty() && !spanish.trim().is_empty());
        let only_arguments = english
            .replace(SAMPLE, "")
            .chars()
            .all(|c| !c.is_alphabetic());
        assert!(english != spanish || only_arguments, "{english}");
    }
}

#[test]
fn both_languages_use_each_argument_equally_often_and_leave_no_placeholder() {
    for (english, spanish) in all_messages() {
        let count = |text: &str| text.matches(SAMPLE).count();
        assert_eq!(count(&english), count(&spanish), "{english} / {spanish}");
        for text in [&english, &spanish] {
            assert!(!text.contains('{') || text.contains("{ env ="), "{text}");
        }
    }
}

#[test]
fn every_error_has_a_title_an_explanation_and_a_hint_in_both_languages() {
    for code in ErrorCode::ALL {
        let (english, spanish) = (code.text(Lang::En), code.text(Lang::Es));
        assert_ne!(english.title, spanish.title);
        for text in [english, spanish] {
            assert!(!text.title.ends_with('.'), "{}", text.title);
            assert!(text.explanation.ends_with('.'), "{}", text.explanation);
            assert!(text.hint.ends_with('.'), "{}", text.hint);
        }
        let word = code.label();
        assert!(
            word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
            "{word}"
        );
    }
}

#[test]
fn error_codes_are_unique_and_read_back() {
    let words: HashSet<_> = ErrorCode::ALL.iter().map(|code| code.label()).collect();
    assert_eq!(words.len(), ErrorCode::ALL.len());
    for code in ErrorCode::ALL {
        assert_eq!(ErrorCode::from_label(code.label()), Ok(*code));
    }
}

#[test]
fn every_failure_exit_code_has_an_error_that_leads_to_it() {
    let reached: HashSet<_> = ErrorCode::ALL
        .iter()
        .map(|code| code.exit_code().number())
        .collect();
    assert_eq!(reached, HashSet::from([1, 2, 10, 11, 12, 13, 14, 15, 130]));
}

#[test]
fn a_plugins_reason_is_shown_as_it_is() {
    assert_eq!(
        Reason::from_label("acme_quiet").spoken(Lang::Es),
        "acme_quiet"
    );
    assert_eq!(
        FindingCode::from_label("acme_virus").spoken(Lang::En),
        "acme_virus"
    );
}

#[test]
fn headings_exist_in_both_languages() {
    for header in Header::ALL {
        assert!(
            Lang::ALL
                .iter()
                .all(|lang| !header.spoken(*lang).is_empty())
        );
    }
}

#[test]
fn arguments_land_in_their_places() {
    let outcome = Outcome::ValidatedAll {
        total: &3,
        valid: &2,
        invalid: &1,
    };
    assert_eq!(
        outcome.text(Lang::En),
        "backups validated: 3, valid: 2, invalid: 1"
    );
    assert_eq!(
        outcome.text(Lang::Es),
        "respaldos validados: 3, válidos: 2, inválidos: 1"
    );
}

#[test]
fn the_flag_takes_both_languages_and_no_third() {
    assert_eq!("ES".parse(), Ok(Lang::Es));
    assert_eq!("en".parse(), Ok(Lang::En));
    assert!("fr".parse::<Lang>().is_err());
}
