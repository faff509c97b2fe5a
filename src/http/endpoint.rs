//! [`Endpoint`]: one path with its methods. HEAD answers wherever GET does, other methods get 405 with Allow.

use actix_web::{
    FromRequest, Handler, Resource, Responder, Route, guard,
    http::Method,
    web::{self, ServiceConfig},
};

use crate::error::AppError;

/// A path and what answers at it; built by each slice's `routes()`.
pub struct Endpoint {
    resource: Resource,
    methods: Vec<&'static str>,
}

impl Endpoint {
    /// An endpoint that answers no method yet.
    #[must_use]
    pub fn at(path: &str) -> Self {
        Self { resource: web::resource(path), methods: Vec::new() }
    }

    /// Answers GET and HEAD.
    #[must_use]
    pub fn get<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let route = web::route().guard(guard::Any(guard::Get()).or(guard::Head())).to(handler);
        self.add(route, &["GET", "HEAD"])
    }

    /// Answers POST.
    #[must_use]
    pub fn post<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.add(web::method(Method::POST).to(handler), &["POST"])
    }

    /// Answers PATCH.
    #[must_use]
    pub fn patch<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.add(web::method(Method::PATCH).to(handler), &["PATCH"])
    }

    /// Answers PUT.
    #[must_use]
    pub fn put<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.add(web::method(Method::PUT).to(handler), &["PUT"])
    }

    /// Answers DELETE.
    #[must_use]
    pub fn delete<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.add(web::method(Method::DELETE).to(handler), &["DELETE"])
    }

    fn add(mut self, route: Route, methods: &[&'static str]) -> Self {
        self.methods.extend(methods);
        self.resource = self.resource.route(route);
        self
    }

    /// The resource, for wrapping it in a middleware of its own.
    #[must_use]
    pub fn resource(self) -> Resource {
        let allowed = self.methods.join(", ");
        self.resource.default_service(web::to(move || {
            let allowed = allowed.clone();
            async move { Err::<String, _>(AppError::MethodNotAllowed(allowed)) }
        }))
    }

    /// Mounts it.
    pub fn mount(self, config: &mut ServiceConfig) {
        config.service(self.resource());
    }
}

/// What answers where nothing is mounted.
///
/// # Errors
/// Always [`AppError::NotFound`].
pub async fn not_found() -> Result<String, AppError> {
    Err(AppError::NotFound("there is nothing at this address".to_owned()))
}
