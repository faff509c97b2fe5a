//! Pages in English and Spanish: chosen by a link on the page or by the browser, and kept from the form to the click.

use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, Client, TestApp, person};

const ADA: &str = "ada@example.org";

impl Client {
    /// A page as a browser asks for it that likes this language best.
    async fn get_in(&self, path: &str, accept: &str) -> Answer {
        self.send(self.ask(Method::GET, path).header("accept-language", accept)).await
    }
}

/// The one value of the hidden field of this name.
#[track_caller]
fn hidden(page: &str, name: &str) -> String {
    let field = format!(r#"name="{name}" value=""#);
    let rest = page.split(&field).nth(1).unwrap_or_else(|| panic!("no {name} in {page}"));
    rest.split('"').next().unwrap().to_owned()
}

#[track_caller]
fn is_spanish(page: &str) {
    assert!(page.contains(r#"<html lang="es">"#), "{page}");
    for english in ["E-mail", "Join us", "What ", "Nothing happens", "e-mail", "Error: An", "You ", "click"] {
        assert!(!page.contains(english), "{english:?} is in {page}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_chooses_spanish_is_spoken_to_in_spanish_from_the_form_to_the_welcome() {
    let app = TestApp::start().await;
    let valley = app.member("Valley Clean Air").await;
    let browser = app.browser();
    let english = browser.get("/join?group=valley-clean-air&source=fair").await.expect(200).page();
    assert!(english.contains(r#"<html lang="en">"#), "{english}");
    let link = r#"<a href="/join?lang=es&#38;source=fair&#38;group=valley-clean-air" hreflang="es" lang="es">Español</a>"#;
    assert!(english.contains(link), "{english}");

    let page = browser.get("/join?lang=es&group=valley-clean-air").await.expect(200).page();
    is_spanish(&page);
    assert!(page.contains("Valley Clean Air puede tener mis datos."), "{page}");
    assert!(page.contains("Quiero unirme a Openhearth."), "the wording is that of the language: {page}");
    assert_eq!(hidden(&page, "language"), "es");
    let notice = hidden(&page, "notice");
    let fields = [
        ("email", ADA),
        ("language", "es"),
        ("notice", notice.as_str()),
        ("share_with", valley.slug.as_str()),
        ("consent_email", "yes"),
    ];
    let sent = browser.join_page(&fields).await.expect(303);
    assert_eq!(sent.header("location"), "/join/check-inbox?lang=es");
    let inbox = browser.get(sent.header("location")).await.expect(200).page();
    is_spanish(&inbox);
    assert!(inbox.contains(r#"<a href="/join?lang=es">"#), "the way back is Spanish too: {inbox}");

    let asked = app.settle_one().await;
    assert!(asked.subject.contains("¿quieres unirte"), "{asked:?}");
    let confirm = asked.link("/confirm/");
    // Another browser, which likes English: the sign-up's own language counts.
    let page = app.browser().get_in(&confirm, "en").await.expect(200).page();
    is_spanish(&page);
    assert!(page.contains("Quiero unirme a Openhearth.") && page.contains("Sí, quiero unirme"), "{page}");
    assert!(page.contains("?lang=es\">No fui yo"), "{page}");
    let there = app.browser().get(&format!("{confirm}?lang=en")).await.expect(200).page();
    assert!(there.contains("Do you want to join Openhearth?"), "{there}");
    assert!(there.contains(r#"<blockquote class="wording" lang="es">"#), "what was agreed to stays: {there}");
    let page = app.client().confirm(&confirm).await.expect(200).page();
    is_spanish(&page);
    assert!(
        page.contains("Gracias. Ya estás dentro.") && page.contains("<li>Valley Clean Air</li>"),
        "{page}"
    );
    let welcome = app.settle_one().await;
    assert!(welcome.text.contains("Quiero unirme a Openhearth."), "{}", welcome.text);
    is_spanish(&app.client().get(&confirm).await.expect(200).page());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_browser_chooses_where_nobody_has_and_a_choice_beats_it() {
    let app = TestApp::start().await;
    let browser = app.browser();
    for path in ["/", "/join", "/join/check-inbox"] {
        is_spanish(&browser.get_in(path, "es-MX,es;q=0.9,en;q=0.5").await.expect(200).page());
        let chosen = browser.get_in(&format!("{path}?lang=en"), "es").await.expect(200).page();
        assert!(chosen.contains(r#"<html lang="en">"#), "{chosen}");
        let other = browser.get_in(path, "de").await.expect(200).page();
        assert!(other.contains(r#"<html lang="en">"#), "{other}");
    }
    let home = browser.get_in("/", "es").await.expect(200).page();
    assert!(home.contains("Industria limpia, buenos empleos, barrios sanos."), "{home}");
    let post = |language: &'static str| {
        let fields = [("email", ADA), ("language", language), ("consent_email", "yes")];
        browser.ask(Method::POST, "/join").header("accept-language", "es").form(&fields)
    };
    let sent = browser.send(post("es")).await.expect(303);
    assert_eq!(sent.header("location"), "/join/check-inbox", "the browser likes it by itself");
    let sent = browser.send(post("en")).await.expect(303);
    assert_eq!(sent.header("location"), "/join/check-inbox?lang=en");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_of_the_campaign_without_a_translation_are_shown_and_marked_as_english() {
    let english = |config: &mut openhearth::config::Config| config.campaign.tagline = "Our own line.".into();
    let app = TestApp::start_with(english).await;
    let page = app.browser().get("/?lang=es").await.expect(200).page();
    assert!(page.contains(r#"<p class="lead" lang="en">Our own line.</p>"#), "{page}");
    let both = |config: &mut openhearth::config::Config| {
        config.campaign.tagline = "Our own line.".into();
        config.campaign.tagline_es = "Nuestra propia línea.".into();
    };
    let app = TestApp::start_with(both).await;
    let page = app.browser().get("/?lang=es").await.expect(200).page();
    assert!(page.contains(r#"<p class="lead">Nuestra propia línea.</p>"#), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_field_is_said_in_the_language_of_the_form() {
    let app = TestApp::start().await;
    let long = "x".repeat(101);
    let cases = [
        ("email", "", "Hace falta un correo electrónico."),
        ("email", "ada", "Escribe un correo con una sola @, como nombre@example.org."),
        ("consent_email", "", "Hace falta que aceptes para unirte."),
        ("given_name", long.as_str(), "Acorta esto a 100 caracteres como máximo."),
        (
            "postal_code",
            "1",
            "Escribe un código ZIP de cinco cifras, como 12345, o de nueve, como 12345-6789.",
        ),
        ("phone", "call me", "Escribe el teléfono en cifras, sin letras ni extensión."),
        ("involvement", "astronaut", "Elige de la lista."),
        ("share_with", "nobody", "No hay tal grupo miembro; déjalo fuera."),
        ("notice", "x", "No se pudo reconocer el texto; carga el formulario otra vez."),
    ];
    for (field, value, says) in cases {
        let others = [("email", ADA), ("consent_email", "yes"), ("language", "es")];
        let others = others.into_iter().filter(|(name, _)| *name != field);
        let fields: Vec<_> = others.chain([(field, value)]).collect();
        let page = app.browser().join_page(&fields).await.expect(422).page();
        assert!(page.contains(says), "{says} for {field} is not in {page}");
        is_spanish(&page);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_that_are_over_and_pages_that_are_not_there_say_so_in_spanish() {
    let app = TestApp::start().await;
    app.client().join(&person(ADA)).await.expect(202);
    let asked = app.settle_one().await;
    app.client().post(&asked.link("/not-me/")).await.expect(200);
    let over = app.browser().get_in(&asked.link("/confirm/"), "es").await.expect(410).page();
    is_spanish(&over);
    assert!(over.contains("Este enlace ya no funciona") && over.contains("durante 7 días"), "{over}");
    let broken = app.browser().get_in("/confirm/nonsense", "es").await.expect(404).page();
    is_spanish(&broken);
    assert!(broken.contains("Este enlace no está completo"), "{broken}");
    let nowhere = app.browser().get("/nowhere?lang=es").await.expect(404).page();
    is_spanish(&nowhere);
    assert!(nowhere.contains("En esta dirección no hay nada."), "{nowhere}");
    app.client().get("/nowhere?lang=es").await.expect(404).problem();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_names_no_notice_agrees_to_the_one_of_its_language() {
    let app = TestApp::start().await;
    for (language, tag) in [("es-MX", "es"), ("fr", "en")] {
        let signup = json!({ "email": ADA, "language": language, "consent": { "email": true } });
        app.client().join(&signup).await.expect(202);
        let newest = "SELECT notices.language AS word FROM signups JOIN notices ON notices.id = signups.notice_id \
                      ORDER BY signups.id DESC LIMIT 1";
        assert_eq!(app.words(newest).await, [tag], "{language}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_directory_and_the_page_of_a_member_are_read_in_spanish_and_lead_on_in_it() {
    let app = TestApp::start().await;
    app.member("Valley Clean Air").await;
    let page = app.browser().get("/groups?kind=frontline_community&lang=es").await.expect(200).page();
    is_spanish(&page);
    for part in [
        "Quiénes están con nosotros",
        r#"<option value="steel">Acero</option>"#,
        r#"<a href="/groups/valley-clean-air?lang=es">"#,
        r#"<a href="/groups?lang=en&#38;kind=frontline_community" hreflang="en" lang="en">English</a>"#,
        r#"<input type="hidden" name="lang" value="es">"#,
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    let member = app.browser().get_in("/groups/valley-clean-air", "es").await.expect(200).page();
    is_spanish(&member);
    assert!(member.contains("Comunidad afectada") && member.contains("We measure the air."), "{member}");
    assert!(
        member.contains(r#"href="/join?group=valley-clean-air""#),
        "the browser asks by itself: {member}"
    );
    let chosen = app.browser().get("/groups/valley-clean-air?lang=es").await.expect(200).page();
    assert!(chosen.contains(r#"href="/join?group=valley-clean-air&#38;lang=es""#), "{chosen}");
}
