//! What stands in a cell: a supporter's fields in the words of a column. Pure; written by each format in its own way.

use std::io::Write as _;

use crate::{
    clock::Timestamp,
    id::Id,
    supporters::{Contact, ContactField as Field, Field as OwnField, FieldKind},
};

/// A kind of column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Id,
    Email,
    GivenName,
    FamilyName,
    /// Both names.
    FullName,
    Phone,
    PostalCode,
    Region,
    Country,
    Language,
    Status,
    /// `subscribed` or `unsubscribed`.
    Subscription,
    /// The same with a capital.
    SubscriptionWord,
    /// `true` or `false`.
    OptIn,
    Tags,
    /// Tags, separated by commas.
    TagList,
    Involvement,
    Groups,
    Source,
    Form,
    SignedUpAt,
    ConfirmedAt,
    UnsubscribedAt,
    NoticeId,
    SharedAt,
    /// The sign-up (for a group: the share) as `2026-05-01 12:00:00`.
    OptInTime,
    /// The confirmation (for a group: the share), likewise.
    ConfirmTime,
    /// The rest as a JSON object.
    Attributes,
    /// A field that staff defined, by its place among those of the list.
    Own(usize),
    Nothing,
}

/// What a cell holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Nothing,
    /// As somebody typed it.
    Text(&'a str),
    /// Of our own making, or validated: no spreadsheet runs it, and no format needs it quoted.
    Plain(&'a str),
    /// Several words of our own making, with what separates them here.
    Words(&'a str, char),
    Id(Id),
    Time(Timestamp),
    /// A number as it is written.
    Number(&'a str),
    /// `true` or `false`.
    YesNo(&'a str),
    /// A JSON object.
    Json(&'a str),
}

impl Column {
    /// What it is made of.
    pub(super) const fn fields(self) -> &'static [Field] {
        match self {
            Self::Id => &[Field::ID],
            Self::Email => &[Field::EMAIL],
            Self::GivenName => &[Field::GIVEN_NAME],
            Self::FamilyName => &[Field::FAMILY_NAME],
            Self::FullName => &[Field::GIVEN_NAME, Field::FAMILY_NAME],
            Self::Phone => &[Field::PHONE],
            Self::PostalCode => &[Field::POSTAL_CODE],
            Self::Region => &[Field::REGION],
            Self::Country => &[Field::COUNTRY],
            Self::Language => &[Field::LANGUAGE],
            Self::Status | Self::Subscription | Self::SubscriptionWord | Self::OptIn => &[Field::STATUS],
            Self::Tags | Self::TagList => &[Field::TAGS],
            Self::Involvement => &[Field::INVOLVEMENT],
            Self::Groups => &[Field::GROUPS],
            Self::Source => &[Field::SOURCE_CODE],
            Self::Form => &[Field::FORM],
            Self::SignedUpAt => &[Field::SIGNED_UP_AT],
            Self::ConfirmedAt => &[Field::CONFIRMED_AT],
            Self::UnsubscribedAt => &[Field::UNSUBSCRIBED_AT],
            Self::NoticeId => &[Field::NOTICE_ID],
            Self::SharedAt => &[Field::SHARED_AT],
            Self::OptInTime => &[Field::SIGNED_UP_AT, Field::SHARED_AT],
            Self::ConfirmTime => &[Field::CONFIRMED_AT, Field::SHARED_AT],
            Self::Attributes => &ATTRIBUTES,
            Self::Own(_) | Self::Nothing => &[],
        }
    }

    /// What stands in its cell for `contact`; `own` are the fields of the list that staff defined, and `scratch` holds what
    /// is put together for it.
    pub(super) fn value<'a>(
        self,
        contact: &'a Contact,
        own: &[OwnField],
        scratch: &'a mut String,
    ) -> Value<'a> {
        let text = |field| contact.text(field).map_or(Value::Nothing, Value::Text);
        let plain = |field| contact.text(field).map_or(Value::Nothing, Value::Plain);
        let time = |field| contact.time(field).map_or(Value::Nothing, Value::Time);
        let id = |field| contact.id(field).map_or(Value::Nothing, Value::Id);
        let is_confirmed = || contact.text(Field::STATUS) == Some("confirmed");
        match self {
            Self::Id => id(Field::ID),
            Self::NoticeId => id(Field::NOTICE_ID),
            Self::Email => text(Field::EMAIL),
            Self::GivenName => text(Field::GIVEN_NAME),
            Self::FamilyName => text(Field::FAMILY_NAME),
            Self::PostalCode => text(Field::POSTAL_CODE),
            Self::Region => text(Field::REGION),
            Self::Source => text(Field::SOURCE_CODE),
            Self::FullName => {
                full_name(contact, scratch);
                if scratch.is_empty() { Value::Nothing } else { Value::Text(scratch) }
            }
            Self::Phone => plain(Field::PHONE),
            Self::Country => plain(Field::COUNTRY),
            Self::Language => plain(Field::LANGUAGE),
            Self::Status => plain(Field::STATUS),
            Self::Form => plain(Field::FORM),
            Self::Subscription => Value::Plain(if is_confirmed() { "subscribed" } else { "unsubscribed" }),
            Self::SubscriptionWord => {
                Value::Plain(if is_confirmed() { "Subscribed" } else { "Unsubscribed" })
            }
            Self::OptIn => Value::Plain(if is_confirmed() { "true" } else { "false" }),
            Self::Tags => words(contact.text(Field::TAGS), ';', ';', scratch),
            Self::TagList => words(contact.text(Field::TAGS), ';', ',', scratch),
            Self::Groups => words(contact.text(Field::GROUPS), ';', ';', scratch),
            Self::Involvement => as_given(contact.text(Field::INVOLVEMENT), scratch),
            Self::SignedUpAt => time(Field::SIGNED_UP_AT),
            Self::ConfirmedAt => time(Field::CONFIRMED_AT),
            Self::UnsubscribedAt => time(Field::UNSUBSCRIBED_AT),
            Self::SharedAt => time(Field::SHARED_AT),
            Self::OptInTime => plain_time(contact, Field::SIGNED_UP_AT, scratch),
            Self::ConfirmTime => plain_time(contact, Field::CONFIRMED_AT, scratch),
            Self::Attributes => {
                attributes(contact, own, scratch);
                Value::Json(scratch)
            }
            Self::Own(place) => own_value(contact, own, place),
            Self::Nothing => Value::Nothing,
        }
    }
}

/// The value of a field that staff defined, by what its kind makes of it.
fn own_value<'a>(contact: &'a Contact, own: &[OwnField], place: usize) -> Value<'a> {
    let (Some(text), Some(field)) = (contact.own(place), own.get(place)) else { return Value::Nothing };
    match field.kind {
        FieldKind::Text | FieldKind::Choice => Value::Text(text),
        FieldKind::Number => Value::Number(text),
        FieldKind::Date => Value::Plain(text),
        FieldKind::YesNo => Value::YesNo(text),
    }
}

fn full_name(contact: &Contact, scratch: &mut String) {
    scratch.clear();
    for part in [Field::GIVEN_NAME, Field::FAMILY_NAME].into_iter().filter_map(|field| contact.text(field)) {
        if !scratch.is_empty() {
            scratch.push(' ');
        }
        scratch.push_str(part);
    }
}

/// As the person gave them.
fn as_given<'a>(list: Option<&str>, scratch: &'a mut String) -> Value<'a> {
    scratch.clear();
    scratch
        .extend(list.unwrap_or("").chars().map(|character| if character == ',' { ';' } else { character }));
    if scratch.is_empty() { Value::Nothing } else { Value::Words(scratch, ';') }
}

/// Sorted, and separated by `to`.
fn words<'a>(list: Option<&str>, from: char, to: char, scratch: &'a mut String) -> Value<'a> {
    scratch.clear();
    let list = list.unwrap_or("");
    let mut words: [&str; 8] = [""; 8];
    let count = list.split(from).filter(|word| !word.is_empty()).count();
    // Few have more than eight tags; those cost an allocation.
    let mut many;
    let words = if let Some(few) = words.get_mut(..count) {
        for (place, word) in few.iter_mut().zip(list.split(from).filter(|word| !word.is_empty())) {
            *place = word;
        }
        few
    } else {
        many = list.split(from).filter(|word| !word.is_empty()).collect::<Vec<_>>();
        &mut many[..]
    };
    words.sort_unstable();
    for (place, word) in words.iter().enumerate() {
        if place > 0 {
            scratch.push(to);
        }
        scratch.push_str(word);
    }
    if scratch.is_empty() { Value::Nothing } else { Value::Words(scratch, to) }
}

/// A time without its zone, which is UTC.
fn plain_time<'a>(contact: &Contact, field: Field, scratch: &'a mut String) -> Value<'a> {
    scratch.clear();
    let Some(at) = contact.time(field).or_else(|| contact.time(Field::SHARED_AT)) else {
        return Value::Nothing;
    };
    let mut text = [0; 20];
    write_time(at, &mut text);
    text[10] = b' ';
    scratch.push_str(std::str::from_utf8(&text[..19]).unwrap_or(""));
    Value::Plain(scratch)
}

const ATTRIBUTES: [Field; 16] = [
    Field::ID,
    Field::PHONE,
    Field::POSTAL_CODE,
    Field::REGION,
    Field::COUNTRY,
    Field::LANGUAGE,
    Field::STATUS,
    Field::TAGS,
    Field::INVOLVEMENT,
    Field::GROUPS,
    Field::SOURCE_CODE,
    Field::FORM,
    Field::SIGNED_UP_AT,
    Field::CONFIRMED_AT,
    Field::SHARED_AT,
    Field::NUMBER,
];

/// Columns of the default export that become attributes, where there is something in them.
const ATTRIBUTE_COLUMNS: [(&str, Column); 15] = [
    ("id", Column::Id),
    ("phone", Column::Phone),
    ("postal_code", Column::PostalCode),
    ("region", Column::Region),
    ("country", Column::Country),
    ("language", Column::Language),
    // The tool's own columns have none: without it, those who left would be taken in as if they had not.
    ("status", Column::Status),
    ("tags", Column::Tags),
    ("involvement", Column::Involvement),
    ("groups", Column::Groups),
    ("source", Column::Source),
    ("form", Column::Form),
    ("signed_up_at", Column::SignedUpAt),
    ("confirmed_at", Column::ConfirmedAt),
    ("shared_at", Column::SharedAt),
];

fn attributes(contact: &Contact, own: &[OwnField], scratch: &mut String) {
    let (mut json, mut inner) = (Vec::with_capacity(256), String::new());
    json.push(b'{');
    for (name, column) in ATTRIBUTE_COLUMNS {
        write_member(name, &column.value(contact, own, &mut inner), &mut json);
    }
    let mut fields = vec![b'{'];
    for (place, field) in own.iter().enumerate() {
        write_member(&field.slug, &own_value(contact, own, place), &mut fields);
    }
    fields.push(b'}');
    if fields.len() > 2 {
        write_member("fields", &Value::Json(std::str::from_utf8(&fields).unwrap_or("{}")), &mut json);
    }
    json.push(b'}');
    scratch.clear();
    scratch.push_str(std::str::from_utf8(&json).unwrap_or("{}"));
}

/// A member of the object that `json` begins, if it holds something.
fn write_member(name: &str, value: &Value<'_>, json: &mut Vec<u8>) {
    if *value == Value::Nothing {
        return;
    }
    if json.len() > 1 {
        json.push(b',');
    }
    write_json_text(name, json);
    json.push(b':');
    write_json(value, json);
}

/// The value as JSON; words as a list.
pub(super) fn write_json(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Nothing => out.extend_from_slice(b"null"),
        Value::Text(text) | Value::Plain(text) => write_json_text(text, out),
        Value::Words(list, separator) => {
            out.push(b'[');
            for (place, word) in list.split(*separator).enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                write_json_text(word, out);
            }
            out.push(b']');
        }
        Value::Id(id) => {
            out.push(b'"');
            write_id(*id, out);
            out.push(b'"');
        }
        Value::Time(at) => {
            let mut text = [0; 20];
            write_time(*at, &mut text);
            out.push(b'"');
            out.extend_from_slice(&text);
            out.push(b'"');
        }
        // Numbers are stored as JSON takes them.
        Value::Json(text) | Value::Number(text) | Value::YesNo(text) => {
            out.extend_from_slice(text.as_bytes());
        }
    }
}

/// A JSON string.
pub(super) fn write_json_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)) {
        let (before, after) = rest.split_at(at);
        out.extend_from_slice(before);
        match after[0] {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            // Writing to a vector does not fail.
            control => drop(write!(out, "\\u{control:04x}")),
        }
        rest = &after[1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// An id in its usual form.
pub(super) fn write_id(id: Id, out: &mut Vec<u8>) {
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    out.extend_from_slice(id.uuid().hyphenated().encode_lower(&mut text).as_bytes());
}

/// RFC 3339, UTC, to the second.
pub(super) fn write_time(at: Timestamp, text: &mut [u8; 20]) {
    let seconds = at.as_seconds();
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Days since 0000-03-01, in eras of 400 years, after Howard Hinnant's description of the calendar.
    let since = days + 719_468;
    let (era, day) = (since.div_euclid(146_097), since.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let in_year = day - (365 * year + year / 4 - year / 100);
    let shifted = (5 * in_year + 2) / 153;
    let (day, month) =
        (in_year - (153 * shifted + 2) / 5 + 1, if shifted < 10 { shifted + 3 } else { shifted - 9 });
    let year = year + era * 400 + i64::from(month <= 2);
    *text = *b"0000-00-00T00:00:00Z";
    if !(0..=9999).contains(&year) {
        return;
    }
    let mut digits = |at: usize, value: i64| {
        for (place, part) in [(at, value / 10), (at + 1, value % 10)] {
            text[place] = b'0' + u8::try_from(part % 10).unwrap_or(0);
        }
    };
    digits(0, year / 100);
    digits(2, year % 100);
    digits(5, month);
    digits(8, day);
    digits(11, second / 3600);
    digits(14, second / 60 % 60);
    digits(17, second % 60);
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_time_is_written_as_everywhere_else(micros in 0..253_402_300_799_000_000_i64) {
            let at = Timestamp::from_micros(micros);
            let mut text = [0; 20];
            write_time(at, &mut text);
            prop_assert_eq!(std::str::from_utf8(&text).unwrap(), at.to_string());
        }

        #[test]
        fn any_text_survives_json(text in ".*") {
            let mut json = Vec::new();
            write_json_text(&text, &mut json);
            prop_assert_eq!(serde_json::from_slice::<String>(&json).unwrap(), text);
        }

        #[test]
        fn words_are_sorted_and_none_is_lost(list in proptest::collection::vec("[a-z]{1,5}", 0..14)) {
            let mut scratch = String::new();
            let mut sorted = list.clone();
            sorted.sort();
            let value = words(Some(&list.join(";")), ';', ',', &mut scratch);
            let joined = sorted.join(",");
            let expected = if joined.is_empty() { Value::Nothing } else { Value::Words(&joined, ',') };
            prop_assert_eq!(value, expected);
        }
    }
}
