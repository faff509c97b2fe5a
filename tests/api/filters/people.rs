//! Random supporters and random filters, and what a filter means, said a second time.

use diesel::prelude::*;
use openhearth::{
    clock::Timestamp,
    contact::EmailAddress,
    id::Id,
    store::{Lane, StoreError, schema},
    supporters::{self, Confirmed, Profile, SupporterQuery},
};
use proptest::{
    prelude::*,
    sample::{select, subsequence},
};

use crate::support::TestApp;

pub const TAGS: [&str; 3] = ["steel", "volunteer", "donor"];
pub const GROUPS: [&str; 2] = ["river-towns", "local-12"];

/// A supporter, as the test knows one.
#[derive(Clone, Debug)]
pub struct Person {
    pub email: String,
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    pub status: &'static str,
    pub region: Option<&'static str>,
    pub postal_code: Option<&'static str>,
    pub country: Option<&'static str>,
    pub language: &'static str,
    pub involvement: Vec<&'static str>,
    pub form: &'static str,
    pub source: Option<&'static str>,
    pub campaign: Option<&'static str>,
    pub phone: (bool, bool),
    /// Signed up, confirmed, unsubscribed, created; in days.
    pub days: [i64; 4],
    pub tags: Vec<usize>,
    /// Group, day given, withdrawn.
    pub shares: Vec<(usize, i64, bool)>,
}

fn maybe<T: Clone + std::fmt::Debug + 'static>(values: &[T]) -> impl Strategy<Value = Option<T>> + use<T> {
    proptest::option::of(select(values.to_vec()))
}

pub fn person() -> impl Strategy<Value = Person> {
    let name = || maybe(&["Ada", "Zoë", "Mary-Ann Lee", "de la Cruz", "O'Hara", "李 小龍"]);
    let who = (
        select(vec!["ada", "adam", "zoe_x", "z.mary", "annex"]),
        select(vec!["example.org", "mail.example.org", "ann.example"]),
        name(),
        name(),
        select(vec!["confirmed", "confirmed", "unsubscribed", "suppressed"]),
    );
    let place = (
        maybe(&["OH", "PA"]),
        maybe(&["44101", "44105-1234", "15201", "K1A 0B1"]),
        maybe(&["US", "CA"]),
        select(vec!["en", "es"]),
    );
    let answers = vec!["frontline", "worker", "advocate", "faith", "researcher", "other"];
    let how = (
        subsequence(answers, 0..3),
        select(vec!["join", "rally"]),
        maybe(&["flyer-1", "radio"]),
        maybe(&["spring"]),
        any::<(bool, bool)>(),
    );
    let day = || 0..6_i64;
    let rest = (
        [day(), day(), day(), day()],
        subsequence(vec![0, 1, 2], 0..=3),
        proptest::collection::vec((0..2_usize, day(), any::<bool>()), 0..3),
    );
    (who, place, how, rest).prop_map(|(who, place, how, rest)| Person {
        email: format!("{}@{}", who.0, who.1),
        given_name: who.2.map(str::to_owned),
        family_name: who.3.map(str::to_owned),
        status: who.4,
        region: place.0,
        postal_code: place.1,
        country: place.2,
        language: place.3,
        involvement: how.0,
        form: how.1,
        source: how.2,
        campaign: how.3,
        phone: how.4,
        days: rest.0,
        tags: rest.1,
        shares: one_active_each(rest.2),
    })
}

/// A share is given again only when it was withdrawn.
fn one_active_each(mut shares: Vec<(usize, i64, bool)>) -> Vec<(usize, i64, bool)> {
    let mut active = [false; GROUPS.len()];
    shares.retain(|(group, _, withdrawn)| *withdrawn || !std::mem::replace(&mut active[*group], true));
    shares
}

pub fn at(day: i64) -> Timestamp {
    Timestamp::from_seconds(1_780_000_000 + day * 86_400)
}

fn bound(day: i64) -> Option<openhearth::time_bound::TimeBound> {
    Some(openhearth::time_bound::TimeBound::Instant(at(day)))
}

pub fn query() -> impl Strategy<Value = SupporterQuery> {
    let words =
        ["a", "ada", "Mary", "ann", "o'h", "zoe", "@ann", "ada@example", "mail.", "ÄDA lee", "李", "z.m"];
    let one = prop_oneof![
        maybe(&words).prop_map(|q| SupporterQuery { q: q.map(str::to_owned), ..Default::default() }),
        maybe(&["confirmed", "unsubscribed", "suppressed"]).prop_map(|status| SupporterQuery {
            status: status.map(|one| one.parse().unwrap()),
            ..Default::default()
        }),
        maybe(&["OH", "oh", "PA", "XX"])
            .prop_map(|region| SupporterQuery { region: region.map(str::to_owned), ..Default::default() }),
        maybe(&["44101", "k1a 0b1"])
            .prop_map(|code| SupporterQuery { postal_code: code.map(str::to_owned), ..Default::default() }),
        subsequence(vec!["44".to_owned(), "4410".to_owned(), "K".to_owned()], 1..3)
            .prop_map(|postal_prefix| SupporterQuery { postal_prefix, ..Default::default() }),
        maybe(&["US", "CA"])
            .prop_map(|country| SupporterQuery { country: country.map(str::to_owned), ..Default::default() }),
        maybe(&["en", "es"]).prop_map(|language| SupporterQuery {
            language: language.map(str::to_owned),
            ..Default::default()
        }),
        subsequence(TAGS.map(str::to_owned).to_vec(), 1..3)
            .prop_map(|tag| SupporterQuery { tag, ..Default::default() }),
        subsequence(TAGS.map(str::to_owned).to_vec(), 1..3)
            .prop_map(|tag_all| SupporterQuery { tag_all, ..Default::default() }),
        subsequence(TAGS.map(str::to_owned).to_vec(), 1..3)
            .prop_map(|tag_none| SupporterQuery { tag_none, ..Default::default() }),
        maybe(&["worker", "faith", "other"]).prop_map(|one| SupporterQuery {
            involvement: one.map(|one| one.parse().unwrap()),
            ..Default::default()
        }),
        maybe(&["join", "rally", "none"])
            .prop_map(|form| SupporterQuery { form: form.map(str::to_owned), ..Default::default() }),
        (select(GROUPS.to_vec()), proptest::option::of(0..6_i64), proptest::option::of(0..6_i64)).prop_map(
            |(group, after, before)| SupporterQuery {
                group: Some(group.to_owned()),
                shared_after: after.and_then(bound),
                shared_before: before.and_then(bound),
                ..Default::default()
            }
        ),
        maybe(&["flyer-1", "radio"])
            .prop_map(|source| SupporterQuery { source: source.map(str::to_owned), ..Default::default() }),
        maybe(&["spring"])
            .prop_map(|one| SupporterQuery { utm_campaign: one.map(str::to_owned), ..Default::default() }),
        any::<bool>().prop_map(|has| SupporterQuery { has_phone: Some(has), ..Default::default() }),
        (0..6_i64, 0..6_i64).prop_map(|(after, before)| SupporterQuery {
            signed_up_after: bound(after),
            confirmed_before: bound(before),
            ..Default::default()
        }),
        (0..6_i64, 0..6_i64).prop_map(|(after, before)| SupporterQuery {
            unsubscribed_after: bound(after),
            created_before: bound(before),
            ..Default::default()
        }),
        (0..6_i64, 0..6_i64).prop_map(|(after, before)| SupporterQuery {
            created_after: bound(after),
            created_before: bound(before),
            ..Default::default()
        }),
    ];
    proptest::collection::vec(one, 1..4)
        .prop_map(|parts| parts.iter().fold(SupporterQuery::default(), merged))
}

/// Both, with `other` where both ask.
fn merged(query: SupporterQuery, other: &SupporterQuery) -> SupporterQuery {
    let (mut all, more) = (serde_json::to_value(query).unwrap(), serde_json::to_value(other).unwrap());
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(all).unwrap()
}

fn plain(text: &str) -> String {
    text.to_lowercase().replace(['ë'], "e").replace('ä', "a")
}

/// What the filter means, said a second time.
pub fn matches(person: &Person, query: &SupporterQuery) -> bool {
    let names: Vec<String> = [&person.given_name, &person.family_name]
        .into_iter()
        .flatten()
        .flat_map(|name| plain(name).split([' ', '-', '\'']).map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let word = |word: &str| {
        let domain = person.email.split('@').nth(1).unwrap();
        if let Some(beginning) = word.strip_prefix('@') {
            return domain.starts_with(beginning);
        }
        if word.contains('@') {
            return person.email.starts_with(word);
        }
        let lower = word.to_ascii_lowercase();
        let mut parts = plain(word);
        parts.retain(|c| c.is_alphanumeric() || c == '\'' || c == '.');
        let parts: Vec<&str> = parts.split(['\'', '.']).filter(|part| !part.is_empty()).collect();
        person.email.starts_with(&lower)
            || domain.starts_with(&lower)
            || (!parts.is_empty() && parts.iter().all(|part| names.iter().any(|name| name.starts_with(part))))
    };
    // Where there are states, their codes are meant in any case.
    let region = |one: &str| {
        if query.country.as_deref() == Some("CA") { one.to_owned() } else { one.to_uppercase() }
    };
    let is =
        |asked: &Option<String>, value: Option<&str>| asked.as_deref().is_none_or(|one| value == Some(one));
    let instant = |bound: Option<openhearth::time_bound::TimeBound>| {
        bound.map(|bound| bound.resolve(&jiff::tz::TimeZone::UTC))
    };
    let within = |after, before, value: Option<Timestamp>| {
        instant(after).is_none_or(|after| value.is_some_and(|value| value >= after))
            && instant(before).is_none_or(|before| value.is_some_and(|value| value < before))
    };
    let has = |tag: &String| person.tags.iter().any(|one| TAGS[*one] == tag);
    let left = (person.status != "confirmed").then(|| at(person.days[2]));
    query.q.as_ref().is_none_or(|q| q.split_whitespace().all(word))
        && query.status.is_none_or(|status| status.as_str() == person.status)
        && is(&query.region.as_ref().map(|one| region(one)), person.region)
        && is(&query.postal_code.as_ref().map(|code| code.to_uppercase()), person.postal_code)
        && (query.postal_prefix.is_empty()
            || query
                .postal_prefix
                .iter()
                .any(|one| person.postal_code.is_some_and(|code| code.starts_with(one))))
        && is(&query.country, person.country)
        && is(&query.language, Some(person.language))
        && (query.tag.is_empty() || query.tag.iter().any(has))
        && query.tag_all.iter().all(has)
        && !query.tag_none.iter().any(has)
        && query.involvement.is_none_or(|one| person.involvement.contains(&one.as_str()))
        && is(&query.form, Some(person.form))
        && query.group.as_ref().is_none_or(|group| {
            let active =
                person.shares.iter().filter(|(one, _, withdrawn)| GROUPS[*one] == group && !withdrawn);
            active
                .into_iter()
                .any(|(_, day, _)| within(query.shared_after, query.shared_before, Some(at(*day))))
        })
        && is(&query.source, person.source)
        && is(&query.utm_campaign, person.campaign)
        && query.has_phone.is_none_or(|has| has == (person.phone.0 && person.phone.1))
        && within(query.signed_up_after, query.signed_up_before, Some(at(person.days[0])))
        && within(query.confirmed_after, query.confirmed_before, Some(at(person.days[1])))
        && within(query.unsubscribed_after, query.unsubscribed_before, left)
        && within(query.created_after, query.created_before, Some(at(person.days[3])))
}

fn confirmed(person: &Person) -> Confirmed {
    let text = |text: Option<&str>| text.map(str::to_owned);
    Confirmed {
        email: EmailAddress::parse(&person.email).unwrap(),
        profile: Profile {
            given_name: person.given_name.clone(),
            family_name: person.family_name.clone(),
            postal_code: text(person.postal_code),
            region: text(person.region),
        },
        phone: person.phone.0.then(|| "+12125550123".to_owned()),
        phone_consent: person.phone.1,
        country: text(person.country),
        language: person.language.to_owned(),
        involvement: person.involvement.iter().map(|one| one.parse().unwrap()).collect(),
        form: person.form.to_owned(),
        notice_id: Id::new(),
        source: [text(person.source), None, None, None, None, text(person.campaign)],
        signed_up_at: at(person.days[0]),
    }
}

impl TestApp {
    /// Puts people into the tables, with tags and shares; the ids of the groups.
    pub async fn populate(&self, people: &[Person]) -> Vec<Id> {
        use schema::{groups, shares, supporter_tags, supporters as table, tags};
        let (keys, people) = (self.app().kernel.keys.clone(), people.to_vec());
        let write = move |db: &mut _| {
            for slug in TAGS {
                diesel::insert_into(tags::table)
                    .values((tags::slug.eq(slug), tags::created_at.eq(0)))
                    .execute(db)?;
            }
            let numbers: Vec<i64> = tags::table.order(tags::number).select(tags::number).load(db)?;
            // A form that nobody came by is one all the same.
            for slug in ["rally", "none"] {
                diesel::insert_into(schema::forms::table)
                    .values((
                        schema::forms::slug.eq(slug),
                        schema::forms::title.eq(slug),
                        schema::forms::created_at.eq(0),
                    ))
                    .execute(db)?;
            }
            let ids = GROUPS.map(|_| Id::new());
            for (slug, id) in GROUPS.iter().zip(ids) {
                diesel::insert_into(groups::table)
                    .values((
                        (groups::id.eq(id), groups::slug.eq(slug), groups::name.eq(slug)),
                        (groups::kind.eq("labor_union"), groups::website.eq(""), groups::about.eq("")),
                        (groups::regions.eq(","), groups::sectors.eq(","), groups::status.eq("member")),
                        (groups::contact_name.eq("C"), groups::contact_email.eq("c@example.org")),
                        (groups::contact_email_key.eq("c@example.org"), groups::is_listed.eq(true)),
                        (groups::language.eq("en"), groups::terms_id.eq(Id::new())),
                        (groups::created_at.eq(at(0)), groups::updated_at.eq(at(0))),
                    ))
                    .execute(db)?;
            }
            for person in people {
                let id = supporters::confirm(db, &keys, confirmed(&person), at(person.days[1]))?;
                let mine = table::table.filter(table::id.eq(id));
                diesel::update(mine)
                    .set((
                        table::status.eq(person.status),
                        table::created_at.eq(at(person.days[3])),
                        table::phone_consent.eq(person.phone.1),
                        table::unsubscribed_at.eq((person.status != "confirmed").then(|| at(person.days[2]))),
                    ))
                    .execute(db)?;
                let number: i64 = mine.select(table::number).first(db)?;
                for tag in person.tags {
                    diesel::insert_into(supporter_tags::table)
                        .values((
                            supporter_tags::tag_number.eq(numbers[tag]),
                            supporter_tags::supporter_number.eq(number),
                            supporter_tags::created_at.eq(0),
                        ))
                        .execute(db)?;
                }
                for (group, day, withdrawn) in person.shares {
                    diesel::insert_into(shares::table)
                        .values((
                            shares::id.eq(Id::new()),
                            shares::supporter_number.eq(number),
                            shares::group_id.eq(ids[group]),
                            shares::notice_id.eq(Id::new()),
                            shares::given_at.eq(at(day)),
                            shares::withdrawn_at.eq(withdrawn.then(|| at(day + 1))),
                        ))
                        .execute(db)?;
                }
            }
            Ok::<_, StoreError>(ids.to_vec())
        };
        self.app().kernel.store.write(Lane::Staff, write).await.unwrap()
    }
}
