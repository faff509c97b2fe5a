//! What must hold for every page, and the invented data the page tests share.
//! Called by each slice's page tests; `OPENHEARTH_PAGES_DIR=dir cargo test pages` also writes the pages
//! there, to look at them without a server. Must not hold data of real people.

use askama::Template;

use super::join_form::{
    CustomField, FieldControl, GroupChoice, InvolvementChoice, JoinFormView, JoinValues, NoticeView,
};
use super::layout::Site;

/// The frame of an invented campaign.
pub(crate) fn sample_site() -> Site {
    Site {
        campaign_name: "Good Steel Coalition".into(),
        base_url: "https://join.example.org".into(),
        postal_address: Some("Good Steel Coalition\n12 Furnace Street\nExampleville, OH 00000".into()),
        nonce: "bm9uY2U".into(),
        speech: crate::speech::Speech::English,
        languages: Vec::new(),
        is_chosen: false,
    }
}

/// A join form nobody has typed into yet.
pub(crate) fn sample_form() -> JoinFormView {
    let choice = |value: &str, label: &str| InvolvementChoice {
        value: value.into(),
        label: label.into(),
        checked: false,
    };
    JoinFormView {
        slug: "join".into(),
        speech: crate::speech::Speech::English,
        title: "Join us!".into(),
        action: "/join".into(),
        values: JoinValues {
            involvement: vec![
                choice("frontline", "I live near a plant or mill"),
                choice("worker", "I work in industry, or did"),
                choice("advocate", "I am with an advocacy group"),
            ],
            ..JoinValues::default()
        },
        notice: NoticeView {
            id: "01900000-0000-7000-8000-000000000001".into(),
            text:
                "The Good Steel Coalition may e-mail me news and ways to take part. I can leave at any time."
                    .into(),
        },
        fields: Vec::new(),
        groups: vec![
            GroupChoice {
                slug: "valley".into(),
                name: "Valley Clean Air".into(),
                path: Some("/groups/valley".into()),
                checked: false,
            },
            GroupChoice {
                slug: "mill".into(),
                name: "Mill Workers' Local 12".into(),
                path: None,
                checked: false,
            },
        ],
        errors: Vec::new(),
    }
}

/// Fields of every kind.
pub(crate) fn sample_fields() -> Vec<CustomField> {
    let field = |slug: &str, label: &str, control| CustomField {
        slug: slug.into(),
        label: label.into(),
        control,
        value: String::new(),
    };
    vec![
        field("union", "Your union", FieldControl::Text),
        field("years", "Years in the trade", FieldControl::Number),
        field("born", "Your birthday", FieldControl::Date),
        field("size", "Shirt size", FieldControl::Choice(vec!["S".into(), "M & L".into()])),
        field("driver", "I can drive others", FieldControl::Tick),
    ]
}

/// Renders a page, checks that it keeps the content security policy and the outline every page has, and writes it
/// to `OPENHEARTH_PAGES_DIR` if that is set.
pub(crate) fn check(name: &str, page: &impl Template) -> askama::Result<()> {
    let html = page.render()?;
    if let Some(folder) = std::env::var_os("OPENHEARTH_PAGES_DIR") {
        std::fs::write(std::path::Path::new(&folder).join(format!("{name}.html")), &html)
            .map_err(|error| askama::Error::Custom(error.into()))?;
    }
    for (once, what) in
        [("<h1", "heading"), ("<main", "main part"), ("<title>", "title"), ("<html lang=\"e", "language")]
    {
        assert_eq!(html.matches(once).count(), 1, "{name} has exactly one {what}");
    }
    assert!(!html.contains(" style="), "{name} has no inline styles");
    assert_eq!(event_handler(&html), None, "{name} has no inline event handlers");
    assert_eq!(
        html.matches("<script").count(),
        html.matches("<script nonce=\"bm9uY2U\"").count(),
        "every script of {name} carries the nonce"
    );
    for form in html.split("<form").skip(1) {
        let tag = form.split('>').next().unwrap_or_default();
        let method = tag.contains("method=\"post\"") || tag.contains("method=\"get\"");
        assert!(method && tag.contains("action=\"/"), "{name}: <form{tag}>");
    }
    let mut ids = html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect::<Vec<_>>();
    ids.sort_unstable();
    for pair in ids.windows(2) {
        assert_ne!(pair.first(), pair.get(1), "{name} uses an id twice");
    }
    for list in ["for", "href=\"#", "aria-labelledby", "aria-describedby"] {
        let start = if list.starts_with("href") { format!(" {list}") } else { format!(" {list}=\"") };
        for targets in html.split(start.as_str()).skip(1).filter_map(|rest| rest.split('"').next()) {
            for target in targets.split_whitespace() {
                assert!(ids.contains(&target), "{name}: {list} names {target:?}, which is nowhere");
            }
        }
    }
    Ok(())
}

/// The first tag with an attribute that starts with `on`, such as `onclick`.
fn event_handler(html: &str) -> Option<&str> {
    let mut tags = html.split('<').skip(1).filter_map(|rest| rest.split('>').next());
    tags.find(|tag| tag.split(' ').skip(1).any(|part| part.starts_with("on") && part.contains('=')))
}
