//! Joining in a real browser: what only one can show, such as focus, the page that submits itself in the browser
//! that signed up, and the content security policy.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use openhearth::{
    app::App,
    clock::Clock,
    config::Config,
    server::{self, Running},
};
use tempfile::TempDir;

use browser::{Driver, Session};

#[path = "support/browser.rs"]
mod browser;

/// A server with its workers, as a developer starts it, in a folder of its own.
struct Site {
    running: Running,
    url: String,
    _folder: TempDir,
}

impl Site {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::defaults().unwrap();
        config.server.listen = "127.0.0.1:0".parse().unwrap();
        config.secret_file = folder.path().join("secret");
        config.mail.mailbox_dir = folder.path().join("mail");
        config.database.url =
            format!("sqlite://{}", folder.path().join("openhearth.db").display()).try_into().unwrap();
        let socket = server::bind(&mut config).unwrap();
        let app = App::build(config, Clock::default()).await.unwrap();
        let running = app.serve_on(socket, true, |_| {}).unwrap();
        Self { url: format!("http://{}", running.address), running, _folder: folder }
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

/// From the page that says "look at your inbox" to the mail's page.
async fn open_newest_mail(browser: &Session) {
    browser.arrives_at("Nearly there: look at your inbox").await;
    browser.follow("open the local mailbox").await;
    browser.reload_until(".mails a").await;
    browser.click(".mails a").await;
    browser.find("pre.mail").await;
}

const CONFIRM_LINK: &str = "pre.mail a[href*='/confirm/']";
const CONFIRMED: &str = "Thank you. You are in.";

#[tokio::test(flavor = "multi_thread")]
async fn the_browser_that_signed_up_confirms_by_opening_the_link_and_another_by_its_button() {
    let (site, driver) = (Site::start().await, Driver::start());
    let browser = driver.session().await;

    browser.open(&site.at("/")).await;
    browser.click("#form-join button").await;
    browser.find(".summary").await;
    assert_eq!(browser.focus().await, "div.summary", "the summary of errors has the focus");
    assert_eq!(browser.path().await, "/join");
    assert_eq!(browser.text("#email-error").await, "Error:\nAn e-mail address is required.");
    browser.click(".summary a[href='#email']").await;
    assert_eq!(browser.run("return document.activeElement.id").await, "email", "errors lead to their field");

    browser.type_into("#email", "ada@example.org").await;
    browser.type_into("#given_name", "Ada").await;
    browser.type_into("#postal_code", "44035").await;
    browser.click("#consent_email").await;
    browser.click("#form-join button").await;
    open_newest_mail(&browser).await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.click(CONFIRM_LINK).await;
    browser.arrives_at(CONFIRMED).await;

    let other = driver.session().await;
    other.open(&site.at("/join")).await;
    other.type_into("#email", "grace@example.org").await;
    other.click("#consent_email").await;
    other.click("#form-join button").await;
    open_newest_mail(&other).await;
    let link = other.find(CONFIRM_LINK).await.attr("href").await.unwrap().unwrap();
    other.close().await;

    let stranger = driver.session().await;
    stranger.open(&link).await;
    stranger.arrives_at("Do you want to join Openhearth?").await;
    assert!(!stranger.has("script").await, "no script submits the page here");
    stranger.click("#confirm button").await;
    stranger.arrives_at(CONFIRMED).await;

    for browser in [browser, stranger] {
        assert_eq!(browser.complaints().await, Vec::<String>::new());
        browser.close().await;
    }
    site.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_join_without_scripts() {
    let (site, driver) = (Site::start().await, Driver::start());
    let browser = driver.session_without_scripts().await;
    browser.open("data:text/html,<p>scripts are off</p><script>document.title='on'</script>").await;
    assert_ne!(browser.run("return document.title").await, "on", "the browser runs no scripts of pages");

    browser.open(&site.at("/")).await;
    browser.type_into("#email", "ada@example.org").await;
    browser.click("#consent_email").await;
    browser.click("#form-join button").await;
    open_newest_mail(&browser).await;
    browser.click(CONFIRM_LINK).await;
    browser.arrives_at("Do you want to join Openhearth?").await;
    browser.click("#confirm button").await;
    browser.arrives_at(CONFIRMED).await;

    browser.close().await;
    site.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_breaks_its_own_content_security_policy() {
    let (site, driver) = (Site::start().await, Driver::start());
    let setup = site.running.app().staff.setup_url().await.unwrap().unwrap();
    let browser = driver.session().await;
    for page in ["/", "/join", "/join/check-inbox", "/dev/mailbox", "/api/docs"] {
        browser.open(&site.at(page)).await;
        browser.find("h1").await;
        assert_eq!(browser.complaints().await, Vec::<String>::new(), "{page}");
    }
    browser.open(&setup).await;
    browser.type_into("#email", "owner@example.org").await;
    browser.type_into("#password", "a kettle of quiet rivets").await;
    browser.click("form button").await;
    browser.arrives_at("You are set up").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());

    browser.run("document.body.setAttribute('style', 'color: red')").await;
    let seen = browser.complaints().await;
    assert!(seen.iter().any(|message| message.contains("Content Security Policy")), "{seen:?}");

    browser.close().await;
    site.running.stop().await;
}
