//! Tokens: what programs show instead of a password. The token is told once; its hash is kept.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{People, PeopleError};
use crate::ask::Role;
use crate::secrets;

/// What every token begins with, so that one that was published is recognised.
const MARK: &str = "rsp_";
/// Tokens that there may be.
const MOST: usize = 200;

/// A token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Token {
    /// Its number.
    pub id: Uuid,
    /// What it is for.
    pub nombre: String,
    /// What it may do.
    pub alcance: Role,
    /// Until when.
    pub expira: DateTime<Utc>,
    /// Since when.
    pub creado: DateTime<Utc>,
    /// Who made it; it may do nothing that this user may not.
    pub creado_por: String,
    sha256: String,
}

/// A token that was made.
pub struct NewToken {
    /// What is kept.
    pub token: Token,
    /// The token itself.
    pub secret: String,
}

impl People {
    /// All tokens.
    pub fn tokens(&self) -> Result<Vec<Token>, PeopleError> {
        Ok(self.book()?.tokens.clone())
    }

    /// The token that this is, while it counts.
    pub fn token(&self, secret: &str) -> Result<Option<Token>, PeopleError> {
        let hash = secrets::hash(secret);
        let book = self.book()?;
        let token = book.tokens.iter().find(|token| token.sha256 == hash);
        Ok(token.filter(|token| token.expira > Utc::now()).cloned())
    }

    /// Makes one that counts for so many days.
    pub fn add_token(
        &self,
        name: &str,
        scope: Role,
        days: u32,
        by: &str,
    ) -> Result<NewToken, PeopleError> {
        if name.trim().is_empty() || name.chars().count() > 64 {
            return Err(PeopleError::Unfit(
                "a token has a name of 1 to 64 characters",
            ));
        }
        if !(1..=3650).contains(&days) {
            return Err(PeopleError::Unfit("a token counts for 1 to 3650 days"));
        }
        let secret = format!("{MARK}{}", secrets::random()?);
        let now = Utc::now();
        let token = Token {
            id: Uuid::new_v4(),
            nombre: name.to_owned(),
            alcance: scope,
            expira: now + TimeDelta::days(days.into()),
            creado: now,
            creado_por: by.to_owned(),
            sha256: secrets::hash(&secret),
        };
        self.change(|book| {
            book.tokens.retain(|token| token.expira > now);
            if book.tokens.len() >= MOST {
                return Err(PeopleError::Unfit(
                    "there are 200 tokens: remove some first",
                ));
            }
            book.tokens.push(token.clone());
            Ok(NewToken { token, secret })
        })
    }

    /// It counts no more.
    pub fn remove_token(&self, id: &str) -> Result<Token, PeopleError> {
        self.change(|book| {
            let at = book
                .tokens
                .iter()
                .position(|token| token.id.to_string() == id);
            at.map(|at| book.tokens.remove(at))
                .ok_or(PeopleError::Unknown)
        })
    }
}
