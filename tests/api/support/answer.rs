//! [`Answer`]: what the server said, read whole, with the questions that tests ask of it.

use reqwest::header::HeaderMap;
use serde_json::Value;

/// A whole answer.
#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub async fn read(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, body: response.bytes().await.unwrap().to_vec() }
    }

    /// Fails unless the status is `status`.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The one cookie that is set, attributes and all; beside the mark of a browser that is known, which opens nothing.
    #[track_caller]
    pub fn set_cookie(&self) -> String {
        let cookies = self.headers.get_all("set-cookie").iter();
        let cookies: Vec<_> =
            cookies.filter(|cookie| !cookie.to_str().unwrap().contains("oh_browser=")).collect();
        assert_eq!(cookies.len(), 1, "{self:?}");
        cookies[0].to_str().unwrap().to_owned()
    }

    /// The problem document, which must be whole and agree with the status.
    #[track_caller]
    pub fn problem(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{self:?}");
        for key in ["type", "title", "detail"] {
            assert!(problem[key].as_str().is_some_and(|text| !text.is_empty()), "{key} of {self:?}");
        }
        problem
    }

    /// Fields and codes of a 422, as `field: code`.
    #[track_caller]
    pub fn faults(&self) -> Vec<String> {
        assert_eq!(self.status, 422, "{self:?}");
        let problem = self.problem();
        let errors = problem["errors"].as_array().unwrap().iter();
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        errors.map(|error| format!("{}: {}", word(&error["field"]), word(&error["code"]))).collect()
    }

    /// The HTML of a page.
    #[track_caller]
    pub fn page(&self) -> String {
        assert_eq!(self.header("content-type"), "text/html; charset=utf-8", "{self:?}");
        self.text()
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?}\n{}", self.status, self.headers, String::from_utf8_lossy(&self.body))
    }
}
