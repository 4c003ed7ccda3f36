//! Spanish at the edge only: the words of the existing system's columns, keys and labels are
//! spelled in core/contract, in the catalog's SQL and in the migrations. Inside they are values.

use super::sources::product;
use super::{literals, none};

/// Where the wire's words may not occur in any text of the program.
const INSIDE: [&str; 6] = [
    "core/domain/",
    "core/engine/",
    "core/postgres/",
    "core/archive/",
    "plugins/",
    "legacy/",
];

/// Words of the wire that are no English words too.
const WORDS: [&str; 32] = [
    "archivo",
    "base_destino",
    "cadena",
    "cobertura",
    "completado",
    "destinos",
    "diferencial",
    "duracion",
    "en_progreso",
    "estado",
    "exitoso",
    "faltantes",
    "fallido",
    "fecha",
    "filas",
    "hallazgos",
    "inicio",
    "invalidos",
    "lsn_inicio",
    "mensaje",
    "motivo",
    "nivel",
    "pendiente",
    "restaurando",
    "tabla",
    "tablas",
    "tamano",
    "tipo",
    "validando",
    "validos",
    "valido",
    "volcada",
];

/// The parts of a text that could be a word or a key: letters and underscores.
fn words(text: &str) -> impl Iterator<Item = String> {
    let parts = text.split(|c: char| !c.is_alphabetic() && c != '_');
    parts.map(str::to_lowercase)
}

fn is_spanish(word: &str) -> bool {
    WORDS.contains(&word) || word.split('_').any(|part| WORDS.contains(&part))
}

#[test]
fn spanish_is_spoken_at_the_edge_only() {
    let inside = |path: &str| INSIDE.iter().any(|folder| path.starts_with(folder));
    let mut offenders = Vec::new();
    for source in product().into_iter().filter(|source| inside(&source.path)) {
        let tests = source
            .text
            .find("\n#[cfg(test)]")
            .unwrap_or(source.text.len());
        for (line, text) in literals::of(&source.text[..tests]) {
            let spanish = words(&text).find(|word| is_spanish(word));
            offenders.extend(spanish.map(|word| format!("{}:{line}: {word}", source.path)));
        }
    }
    none(&offenders, "the wire's words inside");
}

#[test]
fn a_key_is_known_alone_in_text_and_as_part_of_a_longer_one() {
    for text in [
        "tipo",
        "{\"Estado\": 1}",
        "tamano_bytes",
        "SELECT duracion_segundos",
    ] {
        assert!(words(text).any(|word| is_spanish(&word)), "{text}");
    }
    for text in ["respaldo", "type", "estadox", "prototipos"] {
        assert!(!words(text).any(|word| is_spanish(&word)), "{text}");
    }
}
