//! Problem details: every answer that is none, with a stable code and words in the caller's language.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use crate::people::PeopleError;
use crate::ports::{Lang, Phrases, Problem};
use crate::secrets::NoSecret;

/// Media type.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Why the panel itself refuses a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Refusal {
    /// With one of the panel's own codes.
    Own {
        /// HTTP status.
        status: u16,
        /// Stable code.
        code: &'static str,
        /// What about.
        detail: String,
        /// Seconds after which to try again.
        retry_after: Option<u64>,
    },
    /// The program around the panel said so.
    Of(Box<Problem>),
}

impl Refusal {
    /// With a code and particulars.
    pub fn new(status: u16, code: &'static str, detail: impl Into<String>) -> Self {
        Self::Own {
            status,
            code,
            detail: detail.into(),
            retry_after: None,
        }
    }

    /// What was sent makes no sense.
    pub fn unfit(detail: impl Into<String>) -> Self {
        Self::new(422, "invalid-request", detail)
    }

    /// Nobody is logged in.
    pub fn login_needed() -> Self {
        Self::new(401, "login-needed", "")
    }

    /// Too many at once.
    pub fn busy() -> Self {
        Self::Own {
            status: 503,
            code: "panel-busy",
            detail: String::new(),
            retry_after: Some(2),
        }
    }

    /// Too many things were begun by people and programs.
    pub fn too_many() -> Self {
        Self::Own {
            status: 429,
            code: "panel-busy",
            detail: String::new(),
            retry_after: Some(10),
        }
    }

    /// Stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::Own { code, .. } => code,
            Self::Of(problem) => &problem.codigo,
        }
    }

    /// In words.
    pub fn problem(self, phrases: &dyn Phrases, lang: Lang) -> Problem {
        match self {
            Self::Of(problem) => *problem,
            Self::Own {
                status,
                code,
                detail,
                ..
            } => {
                let (title, hint) = phrases.words(code, lang).unwrap_or((code, ""));
                Problem {
                    status,
                    codigo: code.to_owned(),
                    title: title.to_owned(),
                    detail,
                    sugerencia: hint.to_owned(),
                    datos: None,
                }
            }
        }
    }

    /// As an answer.
    pub fn response(self, phrases: &dyn Phrases, lang: Lang) -> Response {
        let retry = match &self {
            Self::Own { retry_after, .. } => *retry_after,
            Self::Of(_) => None,
        };
        let problem = self.problem(phrases, lang);
        let mut response = Response::new(Body::from(document(&problem).to_string()));
        *response.status_mut() =
            StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let kind = HeaderValue::from_static(PROBLEM_JSON);
        response.headers_mut().insert(CONTENT_TYPE, kind);
        if let Some(seconds) = retry {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

fn document(problem: &Problem) -> Value {
    let mut document = json!({
        "type": format!("urn:respaldo:{}", problem.codigo),
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "codigo": problem.codigo,
        "sugerencia": problem.sugerencia,
    });
    if let (Some(data), Some(object)) = (&problem.datos, document.as_object_mut()) {
        object.insert("datos".to_owned(), Value::clone(data));
    }
    document
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Of(Box::new(problem))
    }
}

impl From<NoSecret> for Refusal {
    fn from(error: NoSecret) -> Self {
        Self::new(500, "panel-state", error.to_string())
    }
}

impl From<PeopleError> for Refusal {
    fn from(error: PeopleError) -> Self {
        let detail = error.to_string();
        match error {
            PeopleError::File { .. } | PeopleError::NoSecret(_) => {
                Self::new(503, "panel-state", detail)
            }
            PeopleError::Exists => Self::new(409, "user-exists", detail),
            PeopleError::Unknown => Self::new(404, "not-found", detail),
            PeopleError::LastAdmin => Self::new(409, "last-admin", detail),
            PeopleError::Unfit(_) => Self::unfit(detail),
            PeopleError::AlreadySetUp => Self::new(409, "already-set-up", ""),
        }
    }
}
