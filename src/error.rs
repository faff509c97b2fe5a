//! [`AppError`]: the one error at the edge, answered as RFC 9457 problem+json (or, for a page, as a page).
//!
//! Every variant says what the client can do next. Faults of ours are logged here and shown without detail.

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{seldom::Seldom, store::StoreError};

/// What a handler answers when it cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// 400: not the syntax that was promised.
    #[error("{0}")]
    BadRequest(String),
    /// 401: no valid session or token.
    #[error("{0}")]
    Unauthorized(String),
    /// 403: known, but not allowed.
    #[error("{0}")]
    Forbidden(String),
    /// 404: nothing here.
    #[error("{0}")]
    NotFound(String),
    /// 405 with the methods that are allowed.
    #[error("this address answers {0}")]
    MethodNotAllowed(String),
    /// 409: contradicts what is stored.
    #[error("{0}")]
    Conflict(String),
    /// 410: was here, and is over.
    #[error("{0}")]
    Gone(String),
    /// 412: the client knows an older version of it.
    #[error("{0}")]
    PreconditionFailed(String),
    /// 428: the client must say which version it knows.
    #[error("{0}")]
    PreconditionRequired(String),
    /// 413: the body is larger than the limit in bytes.
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    /// 415: another content type is needed.
    #[error("send the body as {0}")]
    UnsupportedMediaType(&'static str),
    /// 422: fields that do not hold.
    #[error("some fields need another look")]
    Invalid(Vec<FieldError>),
    /// A refusal with a code of its own, for what a client may want to tell from others of the same status.
    #[error("{sentence}")]
    Refused {
        /// The status.
        status: StatusCode,
        /// Stable code, e.g. `last_owner`.
        code: &'static str,
        /// What happened and what to do next.
        sentence: String,
    },
    /// 429: tried too often; again after so many seconds.
    #[error("there were too many tries; wait {retry_after} seconds and try again")]
    TooMany {
        /// Seconds for Retry-After.
        retry_after: u32,
    },
    /// 503: try again after so many seconds.
    #[error("the server is busy and has not accepted this; please try again in a moment")]
    Unavailable {
        /// Seconds for Retry-After.
        retry_after: u32,
    },
    /// 500: a fault of ours, already logged.
    #[error("something went wrong on our side; please try again later")]
    Internal,
}

/// One field that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Path of the field, e.g. `email` or `consent.email`.
    pub field: String,
    /// Stable code, e.g. `required`.
    pub code: String,
    /// What to do, for people.
    pub message: String,
}

impl FieldError {
    /// A field error from its parts.
    pub fn new(field: impl Into<String>, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), code: code.into(), message: message.into() }
    }
}

/// The body of every error (RFC 9457).
#[derive(Serialize, ToSchema)]
pub struct Problem {
    /// `about:blank`, or a path that names the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of problem in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened and what to do next.
    pub detail: String,
    /// Stable code of this case, e.g. `not_found` or `last_owner`; a client may decide by it.
    pub code: String,
    /// For 422: each field that does not hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// Content type of [`Problem`].
pub const PROBLEM_JSON: &str = "application/problem+json";

impl AppError {
    /// The problem this error is shown as.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let status = self.status_code();
        let errors = if let Self::Invalid(errors) = self { errors.clone() } else { Vec::new() };
        Problem {
            kind: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: self.to_string(),
            code: self.code().to_owned(),
            errors,
        }
    }

    /// The stable code of the problem.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadRequest(_) => "bad_request",
            Self::Unauthorized(_) => "unauthorized",
            Self::Forbidden(_) => "forbidden",
            Self::NotFound(_) => "not_found",
            Self::MethodNotAllowed(_) => "method_not_allowed",
            Self::Conflict(_) => "conflict",
            Self::Gone(_) => "gone",
            Self::PreconditionFailed(_) => "precondition_failed",
            Self::PreconditionRequired(_) => "precondition_required",
            Self::TooLarge(_) => "too_large",
            Self::UnsupportedMediaType(_) => "unsupported_media_type",
            Self::Invalid(_) => "invalid",
            Self::Refused { code, .. } => code,
            Self::TooMany { .. } => "too_many_tries",
            Self::Unavailable { .. } => "unavailable",
            Self::Internal => "internal",
        }
    }

    /// A refusal with a code of its own.
    #[must_use]
    pub fn refused(status: StatusCode, code: &'static str, sentence: &str) -> Self {
        Self::Refused { status, code, sentence: sentence.to_owned() }
    }

    /// A single field that does not hold.
    #[must_use]
    pub fn field(field: &str, code: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(field, code, message)])
    }

    /// Logs a fault of ours and hides it behind a 500.
    pub fn internal(error: &(impl std::fmt::Display + ?Sized)) -> Self {
        tracing::error!(%error, "a request failed through a fault of ours");
        Self::Internal
    }
}

impl ResponseError for AppError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Gone(_) => StatusCode::GONE,
            Self::PreconditionFailed(_) => StatusCode::PRECONDITION_FAILED,
            Self::PreconditionRequired(_) => StatusCode::PRECONDITION_REQUIRED,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Refused { status, .. } => *status,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Self::MethodNotAllowed(allowed) => {
                response.insert_header((header::ALLOW, allowed.as_str()));
            }
            Self::Unavailable { retry_after } | Self::TooMany { retry_after } => {
                response.insert_header((header::RETRY_AFTER, retry_after.to_string()));
            }
            _ if self.status_code() == StatusCode::UNAUTHORIZED => {
                response.insert_header((header::WWW_AUTHENTICATE, "Bearer realm=\"openhearth\""));
            }
            _ => {}
        }
        let body = serde_json::to_string(&self.problem()).unwrap_or_default();
        response.insert_header((header::CONTENT_TYPE, PROBLEM_JSON)).body(body)
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::QueueFull | StoreError::Closed => Self::Unavailable { retry_after: 1 },
            StoreError::Unavailable(reason) => {
                static LINES: Seldom = Seldom::new();
                if let Some(left_out) = LINES.now() {
                    tracing::warn!(reason, left_out, "the database is unavailable");
                }
                Self::Unavailable { retry_after: 5 }
            }
            StoreError::Query(diesel) => Self::internal(&diesel),
        }
    }
}

impl From<diesel::result::Error> for AppError {
    fn from(error: diesel::result::Error) -> Self {
        StoreError::from(error).into()
    }
}
