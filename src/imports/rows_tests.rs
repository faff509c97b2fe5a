//! Tests of reading rows.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use proptest::prelude::*;

use super::*;
use crate::{
    imports::{encoding::Encoding, presets, table::Kind},
    supporters::FieldKind,
};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const CONSENTED: Timestamp = Timestamp::from_seconds(1_700_000_000);

fn field(number: i64, slug: &str, kind: FieldKind) -> OwnField {
    OwnField { number, slug: slug.to_owned(), label: slug.to_owned(), kind, choices: Vec::new() }
}

fn plan(header: &[&str]) -> Plan {
    let header: Vec<String> = header.iter().map(|cell| (*cell).to_owned()).collect();
    let own = vec![field(1, "local", FieldKind::Number), field(2, "driver", FieldKind::YesNo)];
    let targets = presets::map(&header, &own);
    Plan {
        layout: Layout {
            kind: Kind::Csv,
            encoding: Encoding::Utf8,
            delimiter: ',',
            mark: 0,
            names_delimiter: false,
            header,
            other_sheets: Vec::new(),
            sheets: Vec::new(),
        },
        columns: targets.into_iter().enumerate().filter_map(|(at, target)| Some(at).zip(target)).collect(),
        own,
        keys: Keys::new(&"signing".to_owned().into(), &[], &"suppression".to_owned().into()),
        country: Country::US,
        source: Some("leaflet".to_owned()),
        tags: vec!["old-list".to_owned()],
        notice: Id::from_bytes([7; 16]),
        consented_at: CONSENTED,
        zone: TimeZone::get("America/New_York").unwrap(),
        formulas: Formulas::Bare,
        phone_consent: true,
        now: NOW,
    }
}

fn read(header: &[&str], cells: &[&str]) -> Row {
    let mut record = Record::default();
    record.begin(2);
    cells.iter().for_each(|cell| record.push(cell.as_bytes()));
    plan(header).read(&record)
}

fn codes(reasons: &[Reason]) -> Vec<String> {
    reasons.iter().map(|reason| format!("{}: {}", reason.field, reason.code)).collect()
}

fn refused(header: &[&str], cells: &[&str]) -> Vec<String> {
    codes(&read(header, cells).person.err().unwrap())
}

#[test]
fn a_row_of_action_network_becomes_what_a_sign_up_would_be() {
    let header = [
        "first_name",
        "last_name",
        "email",
        "can2_phone",
        "zip_code",
        "can2_state_abbreviated",
        "can2_user_tags",
        "can2_subscription_status",
        "uuid",
    ];
    let cells =
        [" Zoe\u{308}", "Furnace", "Zoe@Example.org", "(212) 555-0123", "2134", "", "Steel Town, Volunteer"];
    let row = read(&header, &[cells.as_slice(), &["subscribed", "x"]].concat());
    let person = row.person.ok().unwrap();
    let who = person.confirmed;
    assert_eq!((who.email.as_str(), person.address.0.as_str()), ("Zoe@Example.org", "zoe@example.org"));
    assert_eq!(who.profile.given_name.as_deref(), Some("Zo\u{eb}"));
    assert_eq!(who.phone.as_deref(), Some("+12125550123"));
    assert!(who.phone_consent);
    assert_eq!(who.profile.postal_code.as_deref(), Some("02134"), "a spreadsheet took its zero");
    assert_eq!((who.profile.region.as_deref(), who.country.as_deref()), (Some("MA"), Some("US")));
    assert_eq!(person.tags, ["steel-town", "volunteer", "old-list"]);
    assert_eq!(who.source[0].as_deref(), Some("leaflet"));
    assert_eq!((who.signed_up_at, person.confirmed_at, person.left_at), (CONSENTED, CONSENTED, None));
    assert!(row.left_out.is_empty());
}

#[test]
fn a_value_that_does_not_hold_is_left_out_and_said() {
    let header =
        ["email", "phone", "zip", "country", "language", "involvement", "signed_up_at", "first name"];
    let cells =
        ["ada@example.org", "call me", "ABCDE", "Atlantis", "klingon!", "worker;boss", "2099-01-01", "=1+1"];
    let row = read(&header, &cells);
    let who = row.person.ok().unwrap().confirmed;
    assert_eq!(who.involvement, [Involvement::Worker]);
    assert_eq!((who.phone, who.profile.postal_code, who.profile.given_name), (None, None, None));
    let mut left_out = codes(&row.left_out);
    left_out.sort_unstable();
    let expected = [
        "country: invalid_country",
        "given_name: formula",
        "involvement: invalid_involvement",
        "language: invalid_language",
        "phone: invalid_phone",
        "postal_code: invalid_zip_code",
        "signed_up_at: invalid_time",
    ];
    assert_eq!(left_out, expected);
}

#[test]
fn a_row_without_an_address_or_of_another_shape_is_refused() {
    let header = ["email", "name"];
    assert_eq!(refused(&header, &["", "Ada"]), ["email: required"]);
    assert_eq!(refused(&header, &["ada", "Ada"]), ["email: invalid_email"]);
    assert_eq!(refused(&header, &["=HYPERLINK(1)", "Ada"]), ["email: formula"]);
    assert_eq!(refused(&header, &["ada@example.org"]), [": wrong_columns"]);
    assert_eq!(refused(&header, &["ada@example.org", "Ada", "x"]), [": wrong_columns"]);
    let mut record = Record::default();
    record.begin(2);
    record.push(b"ada@example.org");
    record.push(b"Zo\xEB");
    assert_eq!(codes(&plan(&header).read(&record).person.err().unwrap()), ["name: encoding"]);
}

#[test]
fn who_left_elsewhere_is_known_to_have_left_and_doubt_is_refused() {
    let header = ["email", "status", "unsubscribed_at"];
    let left = |cells: &[&str]| read(&header, cells).person.ok().unwrap().left_at;
    assert_eq!(left(&["ada@example.org", "Subscribed", ""]), None);
    assert_eq!(left(&["ada@example.org", "", ""]), None);
    assert_eq!(left(&["ada@example.org", "bounced", ""]), Some(NOW));
    // 2020-01-01T12:00 in New York.
    let at = Timestamp::from_seconds(1_577_898_000);
    assert_eq!(left(&["ada@example.org", "unsubscribed", "2020-01-01 12:00:00"]), Some(at));
    assert_eq!(refused(&header, &["ada@example.org", "pending", ""]), ["status: not_confirmed"]);
    assert_eq!(refused(&header, &["ada@example.org", "perhaps", ""]), ["status: unknown_status"]);
}

#[test]
fn the_guard_of_an_export_is_taken_away_and_attributes_fill_what_has_no_column() {
    let attributes =
        r#"{"given_name": "Ada", "phone": "212-555-0123", "tags": ["a b", "c"], "colour": "red"}"#;
    let row = read(&["email", "name", "attributes"], &["'=1+1@example.org", "'-Dash Smith", attributes]);
    let person = row.person.ok().unwrap();
    assert_eq!(person.confirmed.email.as_str(), "=1+1@example.org");
    assert_eq!(person.confirmed.profile.given_name.as_deref(), Some("Ada"));
    assert_eq!(person.confirmed.phone.as_deref(), Some("+12125550123"));
    assert_eq!(person.tags, ["a-b", "c", "old-list"]);
    let person = read(&["email", "name"], &["Ada <ada@example.org>", "Ada  de la Cruz"]).person.ok().unwrap();
    let profile = person.confirmed.profile;
    assert_eq!(
        (profile.given_name.as_deref(), profile.family_name.as_deref()),
        (Some("Ada"), Some("de la Cruz"))
    );
}

#[test]
fn a_day_or_time_without_a_zone_is_the_campaigns_and_one_with_a_zone_is_its_own() {
    let at = |text: &str| {
        let row = read(&["email", "confirmed_at"], &["ada@example.org", text]);
        row.person.ok().unwrap().confirmed_at.as_seconds()
    };
    // Midnight in New York is five hours after that of UTC in winter, and four in summer.
    assert_eq!(at("2020-01-01"), 1_577_836_800 + 5 * 3600);
    assert_eq!(at("2020-07-01"), 1_593_561_600 + 4 * 3600);
    assert_eq!(at("2020-01-01T12:00:00"), 1_577_880_000 + 5 * 3600);
    assert_eq!(at("2020-01-01T12:00:00Z"), 1_577_880_000);
    assert_eq!(at("2020-01-01T12:00:00+02:00"), 1_577_880_000 - 2 * 3600);
}

#[test]
fn a_formula_is_refused_behind_the_guard_of_refused_rows_too_and_in_a_workbook_it_is_text() {
    let header = ["email", "name"];
    let read = |formulas: Formulas, cells: &[&str]| {
        let mut record = Record::default();
        record.begin(2);
        cells.iter().for_each(|cell| record.push(cell.as_bytes()));
        let row = Plan { formulas, ..plan(&header) }.read(&record);
        let name = row.person.map(|person| person.confirmed.profile.given_name);
        (name.map_err(|reasons| codes(&reasons)), codes(&row.left_out))
    };
    let formula = || (Err(vec!["email: formula".to_owned()]), vec![]);
    assert_eq!(read(Formulas::Bare, &["=cmd@example.org", "x"]), formula());
    assert_eq!(read(Formulas::Guarded, &["'=cmd@example.org", "x"]), formula());
    assert_eq!(read(Formulas::Guarded, &["=cmd@example.org", "x"]), formula());
    let left_out = || (Ok(None), vec!["name: formula".to_owned()]);
    assert_eq!(read(Formulas::Guarded, &["ada@example.org", "'=HYPERLINK(1)"]), left_out());
    let named = |name: &str| (Ok(Some(name.to_owned())), vec![]);
    assert_eq!(read(Formulas::Guarded, &["ada@example.org", "'-Dash"]), named("-Dash"));
    assert_eq!(read(Formulas::Bare, &["'=cmd@example.org", "'=1+1"]), named("=1+1"));
    assert_eq!(read(Formulas::Never, &["=cmd@example.org", "=1+1"]), named("=1+1"));
}

#[test]
fn of_two_words_on_the_status_the_one_that_forbids_counts_and_a_column_goes_before_attributes() {
    let read = |attributes: &str, status: &str| {
        let row = read(
            &["attributes", "email", "status", "zip"],
            &[attributes, "ada@example.org", status, "44035"],
        );
        row.person.ok().unwrap()
    };
    let left = |attributes: &str, status: &str| read(attributes, status).left_at;
    assert_eq!(left(r#"{"status": "confirmed"}"#, "blocklisted"), Some(NOW));
    assert_eq!(left(r#"{"status": "unsubscribed"}"#, "enabled"), Some(NOW));
    assert_eq!(left(r#"{"status": "unsubscribed"}"#, ""), Some(NOW));
    assert_eq!(left(r#"{"status": "confirmed"}"#, ""), None);
    assert_eq!(left(r#"{"status": "vip"}"#, "enabled"), None, "a word of somebody else's is none");
    let code = read(r#"{"postal_code": "10001"}"#, "").confirmed.profile.postal_code;
    assert_eq!(code.as_deref(), Some("44035"));
}

#[test]
fn an_empty_cell_is_null_to_some_programs_and_a_name_is_not() {
    let name = |text: &str| {
        let row = read(&["email", "last_name"], &["ada@example.org", text]);
        assert!(row.left_out.is_empty());
        row.person.ok().unwrap().confirmed.profile.family_name
    };
    assert_eq!(name("NULL"), None);
    assert_eq!((name("Null").as_deref(), name("null").as_deref()), (Some("Null"), Some("null")));
}

proptest! {
    #[test]
    fn any_cells_are_a_person_or_refused(cells in prop::collection::vec(any::<String>(), 5), address in any::<bool>()) {
        let header = ["email", "tags", "attributes", "signed_up_at", "zip"];
        let mut cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        if address {
            cells[0] = "ada@example.org";
        }
        let row = read(&header, &cells);
        prop_assert_eq!(row.person.is_ok() || !address, true);
        if let Ok(person) = row.person {
            for tag in &person.tags {
                prop_assert!(crate::contact::Slug::parse(tag).is_ok(), "{}", tag);
            }
            prop_assert!(person.confirmed.signed_up_at <= NOW);
        }
    }
}

#[test]
fn values_of_fields_are_checked_by_their_kind_and_what_does_not_hold_is_left_out() {
    let own = |row: &Row| -> Vec<String> {
        let person = row.person.as_ref().unwrap();
        person.own.iter().map(|one| format!("{} {}", one.slug, one.value.text)).collect()
    };
    let header = ["email", "field.local", "field.driver"];
    let row = read(&header, &["ada@example.org", "012.50", "Yes"]);
    assert_eq!((own(&row), codes(&row.left_out)), (vec!["local 12.5".into(), "driver true".into()], vec![]));
    let row = read(&header, &["ada@example.org", "many", "=1"]);
    assert_eq!(own(&row), Vec::<String>::new());
    assert_eq!(codes(&row.left_out), ["field.local: wrong_type", "field.driver: formula"]);
    let attributes = r#"{"fields": {"local": 7, "driver": false, "shoe": 1}, "tags": ["steel"]}"#;
    let row = read(&["email", "attributes"], &["ada@example.org", attributes]);
    assert_eq!((own(&row), codes(&row.left_out)), (vec!["local 7".into(), "driver false".into()], vec![]));
}
