//! A wrong command line in Spanish; clap itself speaks English.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// One sentence on what is wrong with the command line.
pub fn spanish(error: &clap::Error) -> String {
    let of = |kind| error.get(kind).map(plain).unwrap_or_default();
    let (arg, value) = (of(ContextKind::InvalidArg), of(ContextKind::InvalidValue));
    match error.kind() {
        ErrorKind::InvalidValue if value.is_empty() => format!("falta el valor de {arg}"),
        ErrorKind::InvalidValue => {
            format!(
                "{value:?} no es un valor de {arg}; los posibles son {}",
                of(ContextKind::ValidValue)
            )
        }
        ErrorKind::ValueValidation => format!("{value:?} no es un valor de {arg}"),
        ErrorKind::UnknownArgument => format!("{arg} no se conoce"),
        ErrorKind::InvalidSubcommand => {
            format!(
                "la orden {:?} no existe",
                of(ContextKind::InvalidSubcommand)
            )
        }
        ErrorKind::MissingRequiredArgument => format!("falta {arg}"),
        ErrorKind::MissingSubcommand => "falta la orden".to_owned(),
        ErrorKind::ArgumentConflict => {
            format!(
                "{arg} no se puede usar junto con {}",
                of(ContextKind::PriorArg)
            )
        }
        ErrorKind::TooManyValues | ErrorKind::WrongNumberOfValues | ErrorKind::TooFewValues => {
            format!("{arg} lleva otra cantidad de valores")
        }
        _ => "la línea de órdenes no se entiende".to_owned(),
    }
}

fn plain(value: &ContextValue) -> String {
    match value {
        ContextValue::Strings(texts) => texts.join(", "),
        ContextValue::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn usual_mistakes_are_told_in_spanish() {
        for (line, wanted) in [
            (
                "respaldo backup nope",
                "no es un valor de <KIND>; los posibles son full, dif",
            ),
            ("respaldo restor", "la orden \"restor\" no existe"),
            ("respaldo restore", "falta <--at <TIME>|--id <ID>>"),
            ("respaldo list --colour", "--colour no se conoce"),
            ("respaldo show x", "\"x\" no es un valor de <ID>"),
            (
                "respaldo restore --at latest --id 3",
                "no se puede usar junto con",
            ),
        ] {
            let error = Cli::command()
                .try_get_matches_from(line.split(' '))
                .unwrap_err();
            let said = spanish(&error);
            assert!(said.contains(wanted), "{line}: {said}");
        }
    }
}
