//! The one table of routes: what is answered, to whom, with what. The router, the check of roles and parameters, and the
//! OpenAPI document are all made from it.

mod table;

use crate::ask::Role;

pub use table::ROUTES;

/// Who may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody, without a login.
    Open,
    /// At least this role.
    At(Role),
}

/// A method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Looks.
    Get,
    /// Begins or makes.
    Post,
    /// Sets.
    Put,
    /// Changes in part.
    Patch,
    /// Removes.
    Delete,
}

impl Method {
    /// As HTTP has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// What a parameter may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text of at most so many characters.
    Text(u32),
    /// A whole number, and what holds where nothing is said.
    Number(u32, u32, u32),
    /// true or false; false where nothing is said.
    Flag,
    /// One of these.
    OneOf(&'static [&'static str]),
}

/// A parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param {
    /// Name.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// What it does.
    pub says: &'static str,
}

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BodyKind {
    Login,
    Setup,
    Password,
    User,
    UserChange,
    Token,
    Backup,
    Validate,
    Export,
    RestoreWish,
    Restore,
    Schedule,
    Retention,
    Cloud,
}

/// What answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    Session,
    Login,
    Logout,
    Password,
    Setup,
    Status,
    Overview,
    Backups,
    Backup,
    Chain,
    Dependents,
    DeleteBackup,
    StartBackup,
    StartValidation,
    Validations,
    StartUpload,
    StartExport,
    Download,
    Preview,
    PlanRestore,
    StartRestore,
    Jobs,
    Job,
    CancelJob,
    JobEvents,
    Events,
    Log,
    Audit,
    Schedule,
    SetSchedule,
    NextRuns,
    Retention,
    SetRetention,
    Expiry,
    StartExpiry,
    Cloud,
    SetCloud,
    Sinks,
    CheckSink,
    SyncSink,
    Plugins,
    Doctor,
    Config,
    RestorePoints,
    Stats,
    Space,
    Users,
    AddUser,
    ChangeUser,
    RemoveUser,
    Tokens,
    AddToken,
    RemoveToken,
    OpenApi,
}

/// A route.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// Method.
    pub method: Method,
    /// Path below `/api/v1`, with `{name}` for a part that is given.
    pub path: &'static str,
    /// Who may.
    pub access: Access,
    /// What answers.
    pub endpoint: Endpoint,
    /// What it does.
    pub says: &'static str,
    /// Parameters of the query, besides `base` and `lang`.
    pub query: &'static [Param],
    /// What is sent.
    pub body: Option<BodyKind>,
    /// Status and shape of a good answer.
    pub answer: (u16, &'static str),
}

impl Route {
    /// Whether it begins a job.
    pub fn is_job(&self) -> bool {
        self.answer == (202, "Job")
    }

    /// Whether it is about one of several databases.
    pub fn is_of_a_base(&self) -> bool {
        use Endpoint as E;
        let own = [
            E::Session,
            E::Login,
            E::Logout,
            E::Password,
            E::Setup,
            E::Users,
            E::AddUser,
            E::ChangeUser,
            E::RemoveUser,
            E::Tokens,
            E::AddToken,
            E::RemoveToken,
            E::OpenApi,
            E::Job,
            E::CancelJob,
            E::JobEvents,
            E::Download,
            E::Events,
        ];
        !own.contains(&self.endpoint)
    }

    /// The values of the path's parts; `None` where the path is another.
    pub fn captures(&self, segments: &[String]) -> Option<Vec<(&'static str, String)>> {
        let parts: Vec<&'static str> = self.path.trim_start_matches('/').split('/').collect();
        if parts.len() != segments.len() {
            return None;
        }
        let mut values = Vec::new();
        for (part, segment) in parts.into_iter().zip(segments) {
            match part
                .strip_prefix('{')
                .and_then(|part| part.strip_suffix('}'))
            {
                Some(_) if segment.is_empty() => return None,
                Some(name) => values.push((name, segment.clone())),
                None if part == segment => {}
                None => return None,
            }
        }
        Some(values)
    }

    /// Names of the path's parts.
    pub fn parts(&self) -> impl Iterator<Item = &'static str> {
        let parts = self.path.split('/');
        parts.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }
}

/// A place in the table, or why there is none.
pub enum Found {
    /// The route and the values in its path.
    Route(&'static Route, Vec<(&'static str, String)>),
    /// Other methods are answered.
    Other(Vec<&'static str>),
    /// Nothing.
    Nothing,
}

/// Looks a path below `/api/v1` up.
pub fn find(method: &str, segments: &[String]) -> Found {
    let mut others = Vec::new();
    for route in ROUTES {
        if let Some(values) = route.captures(segments) {
            if route.method.name() == method {
                return Found::Route(route, values);
            }
            others.push(route.method.name());
        }
    }
    match others.is_empty() {
        true => Found::Nothing,
        false => Found::Other(others),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_routes_are_the_same_and_every_change_needs_somebody() {
        let mut seen = BTreeSet::new();
        for route in ROUTES {
            assert!(
                seen.insert((route.method.name(), route.path)),
                "{} {}",
                route.method.name(),
                route.path
            );
            let is_login = matches!(route.endpoint, Endpoint::Login | Endpoint::Setup);
            if route.method != Method::Get && !is_login {
                assert_ne!(route.access, Access::Open, "{}", route.path);
            }
        }
    }
}
