//! The query of a request, held against its route: nothing is passed over in silence.

use std::collections::BTreeMap;

use crate::problem::Refusal;
use crate::routes::{Kind, Param, Route};

/// Parameters of every route.
const COMMON: [(&str, u32); 2] = [("base", 100), ("lang", 20)];

/// What a query gives.
#[derive(Debug, Clone, Default)]
pub struct Query(BTreeMap<String, String>);

impl Query {
    /// Reads one.
    pub fn read(text: Option<&str>, route: &Route) -> Result<Self, Refusal> {
        let mut values = BTreeMap::new();
        let wrong = |what: String| Refusal::new(400, "invalid-request", what);
        for (name, value) in url::form_urlencoded::parse(text.unwrap_or_default().as_bytes()) {
            let (name, value) = (name.into_owned(), value.into_owned());
            if value.contains('\0') {
                return Err(wrong(format!("{name}: NUL")));
            }
            check(&name, &value, route).map_err(wrong)?;
            if values.insert(name.clone(), value).is_some() {
                return Err(wrong(format!("{name}: twice")));
            }
        }
        Ok(Self(values))
    }

    /// A text that was given and is not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|text| !text.is_empty())
    }

    /// The same, to keep.
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// A number, or what holds where nothing is said.
    pub fn number(&self, name: &str, route: &Route) -> u32 {
        let given = self.get(name).and_then(|text| text.parse().ok());
        let usual = route.query.iter().find(|param| param.name == name);
        let usual = usual.map_or(0, |param| match param.kind {
            Kind::Number(_, _, usual) => usual,
            _ => 0,
        });
        given.unwrap_or(usual)
    }

    /// Whether it is true.
    pub fn flag(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }
}

fn check(name: &str, value: &str, route: &Route) -> Result<(), String> {
    if let Some((_, longest)) = COMMON.iter().find(|(common, _)| *common == name) {
        return at_most(name, value, *longest);
    }
    let known = route.query.iter().find(|param| param.name == name);
    let Some(param) = known else {
        let mut names: Vec<&str> = route.query.iter().map(|param| param.name).collect();
        names.extend(COMMON.map(|(name, _)| name));
        return Err(format!("{name:?}: {}", names.join(", ")));
    };
    if value.is_empty() {
        return Ok(());
    }
    is_of(param, value)
}

fn is_of(param: &Param, value: &str) -> Result<(), String> {
    let name = param.name;
    match param.kind {
        Kind::Text(longest) => at_most(name, value, longest),
        Kind::Flag if value == "true" || value == "false" => Ok(()),
        Kind::Flag => Err(format!("{name}: true, false")),
        Kind::OneOf(words) if words.contains(&value) => Ok(()),
        Kind::OneOf(words) => Err(format!("{name}: {}", words.join(", "))),
        Kind::Number(least, most, _) => {
            let is_plain = value.bytes().all(|byte| byte.is_ascii_digit());
            let number = value.parse::<u32>().ok().filter(|_| is_plain);
            match number {
                Some(number) if (least..=most).contains(&number) => Ok(()),
                _ => Err(format!("{name}: {least} - {most}")),
            }
        }
    }
}

fn at_most(name: &str, value: &str, longest: u32) -> Result<(), String> {
    match value.chars().count() > longest as usize {
        true => Err(format!("{name}: > {longest}")),
        false => Ok(()),
    }
}

/// A part of a path without its percent signs; `None` where it is no text.
pub fn decoded(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                let digits = std::str::from_utf8(&digits).ok()?;
                u8::from_str_radix(digits, 16).ok()?
            }
            byte => byte,
        });
    }
    let text = String::from_utf8(bytes).ok()?;
    (!text.contains('\0')).then_some(text)
}
