//! [`Client`]: the API and the pages as methods.

use std::net::SocketAddr;

use reqwest::{Method, RequestBuilder, header, redirect::Policy};
use serde_json::{Value, json};

use super::Answer;

/// Somebody who talks to the server: a program, or a browser with cookies.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    bearer: Option<String>,
    browser: bool,
}

/// The shortest good sign-up.
pub fn person(email: &str) -> Value {
    json!({ "email": email, "consent": { "email": true } })
}

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        Self::build(address, false)
    }

    pub fn browser(address: SocketAddr) -> Self {
        Self::build(address, true)
    }

    fn build(address: SocketAddr, browser: bool) -> Self {
        // No connection is kept: the server then stops without waiting for it.
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .pool_max_idle_per_host(0)
            .cookie_store(browser)
            .build()
            .unwrap();
        Self { http, base: format!("http://{address}"), bearer: None, browser }
    }

    /// The same program with a token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { bearer: Some(token.to_owned()), ..self.clone() }
    }

    /// Where the server listens, as an origin.
    pub fn origin(&self) -> &str {
        &self.base
    }

    /// A request to be completed by the test.
    pub fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        assert!(path.starts_with('/'), "{path}");
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if self.browser {
            request = request.header(header::ACCEPT, "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");
        }
        match &self.bearer {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        Answer::read(request.send().await.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.ask(Method::GET, path)).await
    }

    pub async fn head(&self, path: &str) -> Answer {
        self.send(self.ask(Method::HEAD, path)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.ask(Method::DELETE, path)).await
    }

    /// POST without a body.
    pub async fn post(&self, path: &str) -> Answer {
        self.send(self.ask(Method::POST, path)).await
    }

    pub async fn post_json(&self, path: &str, body: &Value) -> Answer {
        self.send(self.ask(Method::POST, path).json(body)).await
    }

    pub async fn patch_json(&self, path: &str, body: &Value) -> Answer {
        self.send(self.ask(Method::PATCH, path).json(body)).await
    }

    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(self.ask(Method::POST, path).form(fields)).await
    }

    pub async fn post_bytes(&self, path: &str, media_type: &str, body: Vec<u8>) -> Answer {
        let request = self.ask(Method::POST, path).header(header::CONTENT_TYPE, media_type);
        self.send(request.body(body)).await
    }

    /// Signs up over the API.
    pub async fn join(&self, signup: &Value) -> Answer {
        self.post_json("/api/v1/signups", signup).await
    }

    /// Signs up with the HTML form.
    pub async fn join_page(&self, fields: &[(&str, &str)]) -> Answer {
        self.post_form("/join", fields).await
    }

    /// Presses the button of the confirmation page at `link`.
    pub async fn confirm(&self, link: &str) -> Answer {
        self.post(link).await
    }

    /// Confirms over the API by the token of `link`.
    pub async fn confirm_token(&self, token: &str) -> Answer {
        self.post_json("/api/v1/confirmations", &json!({ "token": token })).await
    }

    pub async fn login(&self, email: &str, password: &str) -> Answer {
        self.post_json("/api/v1/admin/session", &json!({ "email": email, "password": password })).await
    }

    /// The list; `query` begins with `?` or is empty.
    pub async fn supporters(&self, query: &str) -> Answer {
        self.get(&format!("/api/v1/admin/supporters{query}")).await
    }

    /// Addresses on the one page that `query` gives.
    pub async fn emails(&self, query: &str) -> Vec<String> {
        let page = self.supporters(query).await.expect(200).json();
        page["data"].as_array().unwrap().iter().map(|row| row["email"].as_str().unwrap().to_owned()).collect()
    }

    /// Sign-ups as staff see them.
    pub async fn signups(&self, query: &str) -> Value {
        self.get(&format!("/api/v1/admin/signups{query}")).await.expect(200).json()["data"].clone()
    }

    /// The CSV; `query` follows the purpose.
    pub async fn export_csv(&self, query: &str) -> Answer {
        self.get(&format!("/api/v1/admin/exports/supporters.csv?purpose=newsletter{query}")).await
    }

    /// The CSV as rows by column name.
    pub async fn contacts(&self, query: &str) -> Vec<std::collections::HashMap<String, String>> {
        let answer = self.export_csv(query).await.expect(200);
        let mut reader = csv::Reader::from_reader(answer.body.as_slice());
        reader.deserialize().map(Result::unwrap).collect()
    }
}
