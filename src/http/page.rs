//! [`Page`]: an HTML answer with a nonce of its own, and errors shown as pages to people.

use actix_web::{
    Error, HttpRequest, HttpResponse, Responder,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{StatusCode, header},
    middleware::Next,
    web::Data,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::speech::{asked_speech, liked_speech};
use crate::{
    error::{AppError, PROBLEM_JSON, Problem},
    speech::Speech,
};

/// A rendered page; `nonce` is the one its script elements carry.
pub struct Page {
    status: StatusCode,
    html: String,
    nonce: String,
}

impl Page {
    /// A fresh nonce of 128 bits for one page (CSP3, section 7.1).
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn nonce() -> Result<String, AppError> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| AppError::internal(&error))?;
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Renders `template`, whose scripts carry `nonce`.
    ///
    /// # Errors
    /// When the template fails, which is a fault of ours.
    pub fn render(template: &impl askama::Template, nonce: String) -> Result<Self, AppError> {
        let html = template.render().map_err(|error| AppError::internal(&error))?;
        Ok(Self { status: StatusCode::OK, html, nonce })
    }

    /// The same page under another status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The whole answer.
    #[must_use]
    pub fn into_response(self) -> HttpResponse {
        let policy = format!(
            "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'nonce-{}'; connect-src 'self'; \
             form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
            self.nonce
        );
        HttpResponse::build(self.status)
            .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
            .insert_header((header::CONTENT_SECURITY_POLICY, policy))
            .body(self.html)
    }
}

impl Responder for Page {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.into_response()
    }
}

/// Renders a problem as a page; given by the site, which owns the look.
pub struct ErrorPage(pub ShowProblem);

/// Renders one problem in a language.
pub type ShowProblem = Box<dyn Fn(&Problem, Speech) -> Result<Page, AppError> + Send + Sync>;

/// Middleware that shows problems as pages wherever a person looks: outside `/api/`, when HTML is accepted.
///
/// # Errors
/// Those of the inner service.
pub async fn error_pages<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let path_is_api = request.path().starts_with("/api/");
    let response = next.call(request).await?;
    let status = response.status();
    if path_is_api || !(status.is_client_error() || status.is_server_error()) || !wants_page(&response) {
        return Ok(response.map_into_left_body());
    }
    let problem =
        response.response().error().and_then(|error| error.as_error::<AppError>()).map(AppError::problem);
    let page = match (&problem, response.request().app_data::<Data<ErrorPage>>()) {
        (Some(problem), Some(show)) => {
            let request = response.request();
            let speech = asked_speech(request).unwrap_or_else(|| liked_speech(request));
            (show.0)(problem, speech).ok()
        }
        _ => None,
    };
    match page {
        None => Ok(response.map_into_left_body()),
        Some(page) => {
            let (request, old) = response.into_parts();
            let mut shown = page.with_status(status).into_response();
            for name in [header::RETRY_AFTER, header::ALLOW] {
                if let Some(value) = old.headers().get(&name) {
                    shown.headers_mut().insert(name, value.clone());
                }
            }
            Ok(ServiceResponse::new(request, shown).map_into_boxed_body().map_into_right_body())
        }
    }
}

fn wants_page<B>(response: &ServiceResponse<B>) -> bool {
    let is_problem = response.headers().get(header::CONTENT_TYPE).is_some_and(|value| value == PROBLEM_JSON);
    let accept = response.request().headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    is_problem && accept.is_some_and(|accept| accept.contains("text/html"))
}
