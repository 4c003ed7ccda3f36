//! Users.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Book, People, PeopleError};
use crate::ask::Role;
use crate::secrets::{self, LONGEST, SHORTEST};

/// Longest name.
const LONGEST_NAME: usize = 64;

/// A user.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    /// Name.
    pub usuario: String,
    clave: String,
    /// What the user may do.
    pub rol: Role,
    /// May not log in.
    #[serde(default)]
    pub bloqueado: bool,
    /// Since when.
    pub creado: DateTime<Utc>,
    /// Changes with the password: sessions of before end.
    #[serde(default)]
    pub epoca: u64,
}

impl People {
    /// Everybody.
    pub fn users(&self) -> Result<Vec<User>, PeopleError> {
        Ok(self.book()?.usuarios.clone())
    }

    /// One of them.
    pub fn user(&self, name: &str) -> Result<Option<User>, PeopleError> {
        Ok(self.book()?.find(name).cloned())
    }

    /// The user whose name and password these are; takes as long where there is no such user.
    pub fn known(&self, name: &str, password: &str) -> Result<Option<User>, PeopleError> {
        let user = self.user(name)?;
        let usable = user.filter(|_| password.len() <= LONGEST);
        let Some(user) = usable else {
            secrets::nobodys_password("x");
            return Ok(None);
        };
        let is_right = secrets::is_password(password, &user.clave);
        Ok(Some(user).filter(|user| is_right && !user.bloqueado))
    }

    /// Makes the first one, an administrator.
    pub fn set_up(&self, name: &str, password: &str) -> Result<User, PeopleError> {
        let user = new(name, password, Role::Admin)?;
        self.change(|book| {
            if !book.usuarios.is_empty() {
                return Err(PeopleError::AlreadySetUp);
            }
            book.usuarios.push(user.clone());
            Ok(user)
        })
    }

    /// Makes one.
    pub fn add_user(&self, name: &str, password: &str, role: Role) -> Result<User, PeopleError> {
        let user = new(name, password, role)?;
        self.change(|book| {
            if book.find(name).is_some() {
                return Err(PeopleError::Exists);
            }
            book.usuarios.push(user.clone());
            Ok(user)
        })
    }

    /// Changes what is given.
    pub fn change_user(
        &self,
        name: &str,
        password: Option<&str>,
        role: Option<Role>,
        blocked: Option<bool>,
    ) -> Result<User, PeopleError> {
        let stored = password.map(|password| {
            check(name, password)?;
            Ok::<_, PeopleError>(secrets::of_password(password)?)
        });
        let stored = stored.transpose()?;
        self.change(|book| {
            let user = book.usuarios.iter_mut().find(|user| user.usuario == name);
            let user = user.ok_or(PeopleError::Unknown)?;
            if let Some(stored) = stored {
                user.clave = stored;
                user.epoca += 1;
            }
            user.rol = role.unwrap_or(user.rol);
            user.bloqueado = blocked.unwrap_or(user.bloqueado);
            let user = user.clone();
            book.keeps_an_admin().map(|()| user)
        })
    }

    /// Removes one, and the tokens the user made.
    pub fn remove_user(&self, name: &str) -> Result<(), PeopleError> {
        self.change(|book| {
            let before = book.usuarios.len();
            book.usuarios.retain(|user| user.usuario != name);
            book.tokens.retain(|token| token.creado_por != name);
            if book.usuarios.len() == before {
                return Err(PeopleError::Unknown);
            }
            book.keeps_an_admin()
        })
    }
}

impl Book {
    fn find(&self, name: &str) -> Option<&User> {
        self.usuarios.iter().find(|user| user.usuario == name)
    }

    fn keeps_an_admin(&self) -> Result<(), PeopleError> {
        let is_admin = |user: &User| user.rol == Role::Admin && !user.bloqueado;
        match self.usuarios.iter().any(is_admin) {
            true => Ok(()),
            false => Err(PeopleError::LastAdmin),
        }
    }
}

fn new(name: &str, password: &str, role: Role) -> Result<User, PeopleError> {
    check(name, password)?;
    Ok(User {
        usuario: name.to_owned(),
        clave: secrets::of_password(password)?,
        rol: role,
        bloqueado: false,
        creado: Utc::now(),
        epoca: 0,
    })
}

fn check(name: &str, password: &str) -> Result<(), PeopleError> {
    let is_part = |c: char| c.is_alphanumeric() || ".-_@".contains(c);
    let long = name.chars().count();
    if long == 0 || long > LONGEST_NAME || !name.chars().all(is_part) {
        return Err(PeopleError::Unfit(
            "a user's name has 1 to 64 letters, digits and . - _ @",
        ));
    }
    if password.chars().count() < SHORTEST || password.len() > LONGEST {
        return Err(PeopleError::Unfit(
            "a password has at least 10 characters and at most 1024 bytes",
        ));
    }
    if password == name {
        return Err(PeopleError::Unfit("a password is not the user's name"));
    }
    Ok(())
}
