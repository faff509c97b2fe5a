//! Joining in a real browser: what only one can show, such as focus, the page that submits itself in the browser
//! that signed up, and the content security policy.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use openhearth::{
    app::App,
    audit::Actor,
    clock::Clock,
    config::Config,
    groups::Decision,
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

/// What a visitor reads on the way, in one language.
struct Way {
    tag: &'static str,
    inbox: &'static str,
    mailbox: &'static str,
    confirm_mail: &'static str,
    confirm: &'static str,
    confirm_button: &'static str,
    confirmed: &'static str,
    welcome_mail: &'static str,
    choices: &'static str,
    withdraw: &'static str,
    withdrawn: &'static str,
}

const ENGLISH: Way = Way {
    tag: "en",
    inbox: "Nearly there: look at your inbox",
    mailbox: "open the local mailbox",
    confirm_mail: "Please confirm",
    confirm: "Do you want to join Openhearth?",
    confirm_button: "Yes, I want to join",
    confirmed: CONFIRMED,
    welcome_mail: "Welcome to Openhearth",
    choices: "Your choices",
    withdraw: "Stop sharing with Valley Clean Air",
    withdrawn: "Done. Valley Clean Air no longer gets your contact from us, and is told to delete what it has.",
};

const SPANISH: Way = Way {
    tag: "es",
    inbox: "Ya casi está: mira tu correo",
    mailbox: "abre el buzón local",
    confirm_mail: "Por favor, confirma",
    confirm: "¿Quieres unirte a Openhearth?",
    confirm_button: "Sí, quiero unirme",
    confirmed: "Gracias. Ya estás dentro.",
    welcome_mail: "Te damos la bienvenida",
    choices: "Tus opciones",
    withdraw: "Dejar de compartir con Valley Clean Air",
    withdrawn: "Listo. Valley Clean Air ya no recibe tus datos de nuestra parte, y se le pide que borre lo que tiene.",
};

const SHARE_BOX: &str = "input[name=share_with][value=valley-clean-air]";

/// An organisation fills in the form in `browser`, clicks its link, and is approved.
async fn apply(site: &Site, browser: &Session) {
    browser.open(&site.at("/groups/apply")).await;
    browser.press("Apply").await;
    browser.click(".summary a[href='#name']").await;
    browser.type_into("#name", "Valley Clean Air").await;
    browser.run("document.querySelector('#kind').value = 'frontline_community'").await;
    browser.type_into("#website", "https://valley.example.org/").await;
    browser.click("#sectors").await;
    browser.click("#regions-OH").await;
    browser.type_into("#about", "We measure the air.").await;
    browser.type_into("#contact_name", "Grace Hopper").await;
    browser.type_into("#contact_email", "grace@example.org").await;
    browser.click("#agree").await;
    browser.click("#is_listed").await;
    browser.press("Apply").await;
    browser.arrives_at("Nearly there: look at your inbox").await;
    browser.follow("open the local mailbox").await;
    browser.reload_until(".mails a").await;
    browser.click(".mails a").await;
    browser.click("pre.mail a[href*='/groups/confirm/']").await;
    browser.arrives_at("Is this your application?").await;
    browser.press("Yes, send it").await;
    browser.arrives_at("Thank you. We have your application.").await;
    let groups = &site.running.app().groups;
    let group = groups.list(None, None, 1).await.unwrap().data.remove(0);
    groups.decide(Actor::System, group.id, Decision::Approve).await.unwrap();
}

impl Way {
    /// Joins by the group's link in this language and ticks the group; to the mail that asks for the click.
    async fn join(&self, site: &Site, browser: &Session, email: &str) {
        browser.open(&site.at("/join?group=valley-clean-air&lang=en")).await;
        if self.tag == "es" {
            browser.click("nav.languages a[lang=es]").await;
            browser.find("html[lang=es]").await;
        }
        assert_eq!(browser.language().await, self.tag);
        assert!(!browser.is_ticked(SHARE_BOX).await, "offered, and not ticked for anybody");
        // Sent without the agreement, it comes back in its language with what was typed and ticked.
        browser.type_into("#email", email).await;
        browser.click(SHARE_BOX).await;
        browser.click("#form-join button").await;
        browser.find(".summary").await;
        assert_eq!(browser.language().await, self.tag);
        assert!(browser.is_ticked(SHARE_BOX).await && !browser.is_ticked("#consent_email").await);
        browser.click("#consent_email").await;
        browser.click("#form-join button").await;
        browser.arrives_at(self.inbox).await;
        assert_eq!(browser.language().await, self.tag);
        browser.follow(self.mailbox).await;
        browser.reload_and_follow(self.confirm_mail).await;
        browser.find("pre.mail").await;
    }

    /// From the page after the click by way of the welcome mail to the choices, and takes the share back.
    async fn take_back(&self, site: &Site, browser: &Session) {
        browser.arrives_at(self.confirmed).await;
        assert_eq!(browser.language().await, self.tag);
        assert_eq!(browser.text("main .points li").await, "Valley Clean Air");
        browser.open(&site.at("/dev/mailbox")).await;
        browser.reload_and_follow(self.welcome_mail).await;
        browser.click("pre.mail a[href*='/preferences/']").await;
        browser.arrives_at(self.choices).await;
        assert_eq!(browser.language().await, self.tag);
        browser.press(self.withdraw).await;
        assert_eq!(browser.text(".banner").await, self.withdrawn);
        assert_eq!(browser.complaints().await, Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_applies_and_people_share_with_it_and_take_it_back_in_english_and_spanish() {
    let (site, driver) = (Site::start().await, Driver::start());
    let browser = driver.session().await;
    apply(&site, &browser).await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    for path in ["/groups", "/groups/valley-clean-air"] {
        browser.open(&site.at(path)).await;
        browser.find("h1").await;
        assert_eq!(browser.complaints().await, Vec::<String>::new(), "{path}");
    }

    // In the browser that signed up the page submits itself.
    SPANISH.join(&site, &browser, "ada@example.org").await;
    browser.click(CONFIRM_LINK).await;
    SPANISH.take_back(&site, &browser).await;

    // In another, its button does, with the group's box as it was ticked.
    ENGLISH.join(&site, &browser, "linus@example.org").await;
    let link = browser.find(CONFIRM_LINK).await.attr("href").await.unwrap().unwrap();
    let stranger = driver.session().await;
    stranger.open(&link).await;
    stranger.arrives_at(ENGLISH.confirm).await;
    assert!(stranger.is_ticked("#share-1").await);
    stranger.press(ENGLISH.confirm_button).await;
    ENGLISH.take_back(&site, &stranger).await;

    for browser in [browser, stranger] {
        assert_eq!(browser.complaints().await, Vec::<String>::new());
        browser.close().await;
    }
    site.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_join_share_and_take_back_in_spanish_without_scripts() {
    let (site, driver) = (Site::start().await, Driver::start());
    let organization = driver.session().await;
    apply(&site, &organization).await;
    organization.close().await;
    let browser = driver.session_without_scripts().await;
    SPANISH.join(&site, &browser, "ada@example.org").await;
    browser.click(CONFIRM_LINK).await;
    browser.arrives_at(SPANISH.confirm).await;
    assert!(browser.is_ticked("#share-1").await);
    browser.press(SPANISH.confirm_button).await;
    SPANISH.take_back(&site, &browser).await;
    browser.close().await;
    site.running.stop().await;
}
