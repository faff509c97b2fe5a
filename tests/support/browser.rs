//! A real browser for `tests/browser.rs`: Debian's chromium, driven through chromedriver. Each test has a driver
//! of its own; a session is a fresh profile.

use std::{
    io::{BufRead, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use fantoccini::{Client, ClientBuilder, Locator, elements::Element};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long a page may take; a machine that is busy building takes its time.
const PATIENCE: Duration = Duration::from_secs(30);
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A running chromedriver; it and its browsers end with this.
pub struct Driver {
    child: Child,
    port: u16,
}

impl Driver {
    pub fn start() -> Self {
        for (program, package) in [("chromium", "chromium"), ("chromedriver", "chromium-driver")] {
            let found = Command::new(program).arg("--version").stdout(Stdio::null()).status();
            assert!(
                found.is_ok_and(|status| status.success()),
                "{program} does not run: install the Debian package {package}"
            );
        }
        let mut child = Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines
            .find_map(|line| {
                let line = line.unwrap();
                line.split_once("successfully on port ")
                    .map(|(_, port)| port.trim_end_matches('.').to_owned())
            })
            .expect("chromedriver says which port it listens on");
        // Whatever else it says must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, port: port.parse().unwrap() }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub async fn session(&self) -> Session {
        self.session_with(json!({})).await
    }

    pub async fn session_without_scripts(&self) -> Session {
        self.session_with(json!({ "profile.managed_default_content_settings.javascript": 2 })).await
    }

    async fn session_with(&self, prefs: Value) -> Session {
        let profile = tempfile::tempdir().unwrap();
        let mut flags: Vec<_> = FLAGS.iter().map(|&flag| flag.to_owned()).collect();
        flags.push(format!("--user-data-dir={}", profile.path().display()));
        let wishes = [
            ("goog:chromeOptions", json!({ "args": flags, "prefs": prefs })),
            ("goog:loggingPrefs", json!({ "browser": "ALL" })),
        ];
        let wishes = wishes.into_iter().map(|(name, wish)| (name.to_owned(), wish)).collect();
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(wishes)
            .connect(&self.url())
            .await
            .expect("chromedriver starts chromium");
        let id = client.session_id().await.unwrap().unwrap();
        Session { client, log: format!("{}/session/{id}/se/log", self.url()), _profile: profile }
    }
}

impl Drop for Driver {
    /// Asked to shut down, chromedriver ends its browsers too, also those of a test that failed.
    fn drop(&mut self) {
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
            let request = b"GET /shutdown HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
            drop(stream.set_read_timeout(Some(PATIENCE)));
            if stream.write_all(request).is_ok() {
                // Answered once the browsers are gone.
                drop(stream.read(&mut [0; 64]));
            }
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// One browser with a fresh profile.
pub struct Session {
    client: Client,
    log: String,
    _profile: TempDir,
}

impl Session {
    pub async fn open(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    pub async fn find(&self, css: &str) -> Element {
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::Css(css)).await;
        found.unwrap_or_else(|error| panic!("{css} is not on the page: {error}"))
    }

    pub async fn has(&self, css: &str) -> bool {
        !self.client.find_all(Locator::Css(css)).await.unwrap().is_empty()
    }

    pub async fn text(&self, css: &str) -> String {
        self.find(css).await.text().await.unwrap()
    }

    pub async fn type_into(&self, css: &str, text: &str) {
        self.find(css).await.send_keys(text).await.unwrap();
    }

    pub async fn click(&self, css: &str) {
        self.find(css).await.click().await.unwrap();
    }

    /// Clicks the link with this text.
    pub async fn follow(&self, text: &str) {
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::LinkText(text)).await;
        found.unwrap_or_else(|error| panic!("no link says {text:?}: {error}")).click().await.unwrap();
    }

    /// Loads the page again until it has `css`.
    pub async fn reload_until(&self, css: &str) {
        let begun = Instant::now();
        while !self.has(css).await {
            assert!(begun.elapsed() < PATIENCE, "{css} did not come");
            self.client.refresh().await.unwrap();
        }
    }

    /// Loads the page again until a link on it contains `text`, and follows it.
    pub async fn reload_and_follow(&self, text: &str) {
        let (begun, path) = (Instant::now(), format!("//main//a[contains(., '{text}')]"));
        loop {
            if let Some(link) = self.client.find_all(Locator::XPath(&path)).await.unwrap().first() {
                return link.click().await.unwrap();
            }
            assert!(begun.elapsed() < PATIENCE, "no link says {text:?}");
            self.client.refresh().await.unwrap();
        }
    }

    /// Presses the button that says this.
    pub async fn press(&self, text: &str) {
        let path = format!("//main//button[normalize-space()='{text}']");
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::XPath(&path)).await;
        found.unwrap_or_else(|error| panic!("no button says {text:?}: {error}")).click().await.unwrap();
    }

    /// The language that the page says it is in.
    pub async fn language(&self) -> String {
        self.find("html").await.attr("lang").await.unwrap().unwrap_or_default()
    }

    /// Whether the box is ticked.
    pub async fn is_ticked(&self, css: &str) -> bool {
        self.find(css).await.is_selected().await.unwrap()
    }

    /// Waits until the page with this heading is there.
    pub async fn arrives_at(&self, heading: &str) {
        let xpath = format!("//h1[normalize-space()=\"{heading}\"]");
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::XPath(&xpath)).await;
        if let Err(error) = found {
            let page = self.client.source().await.unwrap_or_default();
            panic!("no page is headed {heading:?}: {error}\n{page}");
        }
    }

    pub async fn path(&self) -> String {
        self.client.current_url().await.unwrap().path().to_owned()
    }

    /// What has the focus, as `tag.class`.
    pub async fn focus(&self) -> String {
        let script = "const e = document.activeElement; return e.tagName.toLowerCase() + '.' + e.className";
        self.client.execute(script, Vec::new()).await.unwrap().as_str().unwrap().to_owned()
    }

    pub async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// What the browser complained about since the last call, such as violations of the content security policy.
    /// That an answer had status 422 is no complaint.
    pub async fn complaints(&self) -> Vec<String> {
        let answer = reqwest::Client::new().post(&self.log).json(&json!({ "type": "browser" }));
        let answer: Value = answer.send().await.unwrap().json().await.unwrap();
        let entries = answer["value"].as_array().expect("chromedriver keeps the browser's log");
        let messages = entries.iter().map(|entry| entry["message"].as_str().unwrap().to_owned());
        messages.filter(|message| !message.contains("status of 422")).collect()
    }

    pub async fn close(self) {
        self.client.close().await.unwrap();
    }
}
