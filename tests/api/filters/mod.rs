//! The one filter: whatever it asks for, both ways of asking the database agree with a plain look at everybody.

mod figures;
mod people;

use diesel::prelude::*;
use openhearth::{
    staff::Sight,
    store::{StoreError, schema::supporters},
    supporters::SupporterQuery,
};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

use self::people::{GROUPS, Person, TAGS, matches, person, query};
use crate::support::TestApp;

/// `count` values of a strategy, the same in every run.
fn sample<S: Strategy>(strategy: &S, count: usize) -> Vec<S::Value> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

/// People with addresses of their own, numbered in the order of the list's age.
fn everybody() -> Vec<Person> {
    let people = sample(&person(), 150).into_iter().enumerate();
    people
        .map(|(n, person)| {
            let (name, domain) = person.email.split_once('@').unwrap();
            Person { email: format!("{name}{n}@{domain}"), ..person }
        })
        .collect()
}

impl TestApp {
    /// Whom the filter matches, as an export or a count asks, or what is wrong with it.
    async fn matched(&self, query: &SupporterQuery, sight: Sight) -> Result<Vec<String>, String> {
        let kernel = &self.app().kernel;
        let filter = query.filter(kernel, sight).await.map_err(|error| format!("{error:?}"))?;
        let read = move |db: &mut _| {
            let found = supporters::table.filter(filter.matching()).order(supporters::number.desc());
            Ok::<_, StoreError>(found.select(supporters::email).load(db)?)
        };
        Ok(kernel.store.read(read).await.unwrap())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_filter_means_the_same_to_both_ways_of_asking_and_to_a_plain_look() {
    let app = TestApp::start().await;
    let people = everybody();
    app.populate(&people).await;
    let program = app.reader().await;
    let (mut found, mut contradictions) = (0, 0);
    for query in sample(&query(), 300) {
        let mut expected: Vec<&str> = Vec::new();
        expected.extend(people.iter().rev().filter(|one| matches(one, &query)).map(|one| one.email.as_str()));
        match app.matched(&query, Sight::Everybody).await {
            Ok(matched) => assert_eq!(matched, expected, "{query:?}"),
            Err(error) => {
                assert!(error.contains("contradiction"), "{error} {query:?}");
                assert_eq!(expected, [""; 0], "{error} of {query:?}");
                contradictions += 1;
                continue;
            }
        }
        let text = format!("?limit=500&{}", serde_html_form::to_string(&query).unwrap());
        assert_eq!(program.emails(&text).await, expected, "{text}");
        // Two pages are the whole, cut.
        if expected.len() > 1 {
            let text = text.replace("limit=500", &format!("limit={}", expected.len() - 1));
            let page = program.supporters(&text).await.expect(200).json();
            let cursor = page["next_cursor"].as_str().unwrap();
            assert_eq!(
                program.emails(&format!("{text}&cursor={cursor}")).await,
                expected[expected.len() - 1..]
            );
        }
        found += expected.len();
    }
    assert!(found > 2_000 && contradictions > 3, "the filters must say something: {found}, {contradictions}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_of_a_group_sees_its_people_only_and_may_not_ask_what_shows_others() {
    let app = TestApp::start().await;
    let people = everybody();
    let groups = app.populate(&people).await;
    let own = Sight::Group(groups[0]);
    let shares =
        |person: &&Person| person.shares.iter().any(|(group, _, withdrawn)| *group == 0 && !withdrawn);
    let seen: Vec<_> = people
        .iter()
        .rev()
        .filter(|one| one.status == "confirmed")
        .filter(shares)
        .map(|one| one.email.clone())
        .collect();
    assert!(seen.len() > 10);
    assert_eq!(app.matched(&SupporterQuery::default(), own).await.unwrap(), seen);
    for allowed in [
        "q=ada",
        "region=OH",
        "postal_prefix=44",
        "country=US",
        "language=en",
        "status=confirmed",
        "group=river-towns",
    ] {
        let query: SupporterQuery = serde_html_form::from_str(allowed).unwrap();
        let expected: Vec<_> = people
            .iter()
            .rev()
            .filter(|one| matches(one, &query) && seen.contains(&one.email))
            .map(|one| one.email.clone())
            .collect();
        assert_eq!(app.matched(&query, own).await.unwrap(), expected, "{allowed}");
    }
    let later: SupporterQuery = serde_html_form::from_str("shared_after=2026-05-30").unwrap();
    assert!(app.matched(&later, own).await.unwrap().len() < seen.len());
    for refused in [
        "group=local-12",
        "group=nobody",
        "tag=steel",
        "tag_all=steel",
        "tag_none=no-such-tag",
        "involvement=worker",
        "form=join",
        "source=radio",
        "utm_campaign=spring",
        "signed_up_after=2026-05-01",
        "confirmed_before=2026-05-01",
        "unsubscribed_after=2026-05-01",
        "created_before=2026-05-01",
    ] {
        let query: SupporterQuery = serde_html_form::from_str(refused).unwrap();
        let fault = app.matched(&query, own).await.unwrap_err();
        let field = refused.split('=').next().unwrap();
        assert!(fault.contains("not_for_groups") && fault.contains(field), "{refused}: {fault}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_can_match_or_nothing_is_called_is_refused_by_field() {
    let app = TestApp::start().await;
    app.populate(&[]).await;
    let program = app.reader().await;
    for (query, fault) in [
        ("tag=nothing", "tag: unknown_value"),
        ("group=nobody", "group: unknown_value"),
        ("tag=steel&tag_none=steel", "tag_none: contradiction"),
        ("tag_all=steel&tag_none=steel", "tag_none: contradiction"),
        ("status=confirmed&unsubscribed_after=2026-01-01", "status: contradiction"),
        ("postal_code=44101&postal_prefix=15", "postal_prefix: contradiction"),
        ("postal_prefix=", "postal_prefix: required"),
        ("confirmed_after=2026-05-02&confirmed_before=2026-05-01", "confirmed_before: contradiction"),
        ("shared_after=2026-05-02", "group: required"),
        ("country=Ruritania", "country: invalid_country"),
        ("language=!", "language: invalid_language"),
        ("form=No%20Form", "form: invalid_slug"),
        ("form=nope", "form: unknown_value"),
        ("involvement=boss", "involvement: wrong_type"),
        ("has_phone=maybe", "has_phone: wrong_type"),
        ("q=1+2+3+4+5+6+7+8+9", "q: too_many"),
        ("filter=1", "filter: unknown_field"),
        ("region=OH&region=PA", "region: duplicate_field"),
    ] {
        assert_eq!(program.supporters(&format!("?{query}")).await.faults(), [fault], "{query}");
        assert_eq!(program.export_csv(&format!("&{query}")).await.faults(), [fault], "{query}");
    }
    assert_eq!((TAGS.len(), GROUPS.len()), (3, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_condition_without_a_value_is_refused_by_name_and_widens_nothing() {
    let app = TestApp::start().await;
    app.populate(&everybody()).await;
    let program = app.owner().await.token(&["supporters:read", "supporters:write", "exports"]).await;
    let document = program.get("/api/v1/openapi.json").await.expect(200).json();
    let parameters = document["paths"]["/api/v1/admin/supporters"]["get"]["parameters"].as_array().unwrap();
    let names: Vec<&str> = parameters.iter().map(|parameter| parameter["name"].as_str().unwrap()).collect();
    assert!(names.len() > 25 && names.contains(&"has_phone"), "{names:?}");
    let exported = names.iter().filter(|name| !matches!(**name, "limit" | "cursor"));
    for name in names.iter().copied().chain(["field.size"]) {
        for query in [format!("{name}="), format!("status=confirmed&{name}=+")] {
            let faults = program.supporters(&format!("?{query}")).await.faults();
            let expected = format!("{name}: required");
            assert!(faults.contains(&expected), "{query}: {faults:?}");
        }
    }
    for name in exported {
        let faults = program.export_csv(&format!("&{name}=")).await.faults();
        assert_eq!(faults, [format!("{name}: required")]);
    }
    let segment = serde_json::json!({ "slug": "all", "name": "All", "query": "region=" });
    let faults = program.post_json("/api/v1/admin/segments", &segment).await.faults();
    assert_eq!(faults, ["query.region: required"]);
    assert_eq!(app.count("SELECT count(*) AS n FROM exports").await, 0);

    // As flags, where no query string is read.
    for query in sample(&query(), 100) {
        let serde_json::Value::Object(given) = serde_json::to_value(&query).unwrap() else { panic!() };
        for name in ["q", "region", "postal_code", "country", "language", "form", "source", "utm_campaign"] {
            for blank in ["", " \t"] {
                let mut changed = given.clone();
                changed.insert(name.to_owned(), blank.into());
                let changed: SupporterQuery = serde_json::from_value(changed.into()).unwrap();
                let refused = app.matched(&changed, Sight::Everybody).await.unwrap_err();
                assert!(refused.contains(&format!("field: \"{name}\"")), "{name}: {refused}");
            }
        }
    }
}
