//! From the cells of a row to somebody of the list, or to why not. Pure; what is known of the address is asked later.
//!
//! The address must hold, or the row is refused. Any other value that does not hold is left out and said so: a person is
//! not lost for an extension behind their phone number.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{
    csv::{Fault, Record},
    presets::Field,
    status::{Says, says},
    table::Layout,
    target::Target,
    text::{Formulas, plain_text, slug, unguarded, words},
};
use crate::{
    clock::Timestamp,
    contact::{Country, EmailAddress, Involvement, Language, LineText, Phone, PostalCode, Region},
    forms,
    id::Id,
    keys::{AddressHash, Keys},
    supporters::{Confirmed, Field as OwnField, ListedValue, Profile},
};

/// Most tags of one row.
const MOST_TAGS: usize = 20;

/// Why a row, or a value of it, did not go in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The field it is about; empty for the row.
    pub field: String,
    /// A stable code.
    pub code: String,
    /// For people.
    pub message: String,
}

impl Reason {
    /// About the row.
    pub fn row(code: &str, message: &str) -> Self {
        Self { field: String::new(), code: code.to_owned(), message: message.to_owned() }
    }

    fn of(field: Field, code: &str, message: String) -> Self {
        Self::about(field.as_str(), code, message)
    }

    fn about(field: &str, code: &str, message: String) -> Self {
        Self { field: field.to_owned(), code: code.to_owned(), message }
    }
}

/// Somebody of the list.
pub struct Person {
    /// What the list says of them; the notice and form are the import's.
    pub confirmed: Confirmed,
    /// Matching key and keyed hash.
    pub address: (String, AddressHash),
    /// When they confirmed, by the list or by its date.
    pub confirmed_at: Timestamp,
    /// When they left, if the list says that they did.
    pub left_at: Option<Timestamp>,
    /// Their tags.
    pub tags: Vec<String>,
    /// Their values of fields that staff defined.
    pub own: Vec<ListedValue>,
}

/// A row that was read.
pub struct Row {
    /// As it stands in the file.
    pub record: Record,
    /// Who it is, or why it is refused.
    pub person: Result<Person, Vec<Reason>>,
    /// Values that did not hold.
    pub left_out: Vec<Reason>,
}

/// What rows are read by.
pub struct Plan {
    /// How the file is laid out.
    pub layout: Layout,
    /// Columns and what they hold.
    pub columns: Vec<(usize, Target)>,
    /// The fields that staff defined.
    pub own: Vec<OwnField>,
    /// Hashes addresses.
    pub keys: Keys,
    /// Country of rows that name none.
    pub country: Country,
    /// Source code of rows that name none.
    pub source: Option<String>,
    /// Tags that all get.
    pub tags: Vec<String>,
    /// What everybody agreed to, or will.
    pub notice: Id,
    /// Since when.
    pub consented_at: Timestamp,
    /// Where days and times are meant that name no zone.
    pub zone: TimeZone,
    /// Which cells would be run.
    pub formulas: Formulas,
    /// Whether that covers phones.
    pub phone_consent: bool,
    /// The present; nothing happened after it.
    pub now: Timestamp,
}

/// Cells of one row by what they are.
struct Cells<'a> {
    plan: &'a Plan,
    values: Vec<(Field, String)>,
    /// Values of the fields that staff defined.
    own: Vec<ListedValue>,
    country: Country,
    left_out: Vec<Reason>,
}

impl Plan {
    /// Reads a row.
    pub fn read(&self, record: &Record) -> Row {
        let (person, left_out) = match self.person(record) {
            Ok((person, left_out)) => (Ok(person), left_out),
            Err(reasons) => (Err(reasons), Vec::new()),
        };
        Row { record: record.clone(), person, left_out }
    }

    fn person(&self, record: &Record) -> Result<(Person, Vec<Reason>), Vec<Reason>> {
        if let Some(fault) = record.fault {
            return Err(vec![broken(fault)]);
        }
        if !self.layout.fits(record) {
            let message = format!("{} cells where the header has {}", record.len(), self.layout.header.len());
            return Err(vec![Reason::row("wrong_columns", &message)]);
        }
        let mut cells = Cells {
            plan: self,
            values: Vec::with_capacity(self.columns.len()),
            own: Vec::new(),
            country: self.country,
            left_out: Vec::new(),
        };
        // Attributes last: they give what no column does.
        let is_attributes = |(_, target): &&(usize, Target)| *target == Target::Known(Field::Attributes);
        let others = self.columns.iter().filter(|column| !is_attributes(column));
        for (at, target) in others.chain(self.columns.iter().filter(is_attributes)) {
            let Some(text) = self.layout.cell(record, *at) else {
                let message = "these bytes are in another encoding than the rest of the file".to_owned();
                return Err(vec![Reason::about(target.as_str(), "encoding", message)]);
            };
            cells.add(target, &text);
        }
        let email = cells.email()?;
        let left_at = match cells.take(Field::Status).as_deref().map_or(Says::In, says) {
            Says::In => cells.time(Field::UnsubscribedAt),
            Says::Out => Some(cells.time(Field::UnsubscribedAt).unwrap_or(self.now)),
            Says::Unconfirmed => {
                return Err(vec![Reason::of(
                    Field::Status,
                    "not_confirmed",
                    "the list says that this person has not confirmed".to_owned(),
                )]);
            }
            Says::Unknown => {
                return Err(vec![Reason::of(
                    Field::Status,
                    "unknown_status",
                    "this does not say whether the person may be written to".to_owned(),
                )]);
            }
        };
        let confirmed_at = cells.time(Field::ConfirmedAt).unwrap_or(self.consented_at);
        let signed_up_at = cells.time(Field::SignedUpAt).unwrap_or(confirmed_at);
        let key = email.key();
        let hash = self.keys.address_hash(&key);
        let (confirmed, mut tags) = self.confirmed(&mut cells, email, signed_up_at);
        tags.extend(self.tags.iter().filter(|tag| !tags.contains(tag)).cloned().collect::<Vec<_>>());
        let own = std::mem::take(&mut cells.own);
        let person = Person { confirmed, address: (key, hash), confirmed_at, left_at, tags, own };
        Ok((person, cells.left_out))
    }

    fn confirmed(
        &self,
        cells: &mut Cells,
        email: EmailAddress,
        signed_up_at: Timestamp,
    ) -> (Confirmed, Vec<String>) {
        let named_country = cells.country();
        let phone = cells.take(Field::Phone).and_then(|text| {
            cells.keep(Field::Phone, Phone::parse(&text, cells.country), |error| error.code())
        });
        let postal_code = cells.postal_code();
        let region = cells.region(postal_code.as_ref());
        // As at a sign-up: a country says something only beside an address.
        let country = named_country.or_else(|| postal_code.as_ref().map(|_| cells.country));
        let (given_name, family_name) = cells.names();
        let language = cells
            .take(Field::Language)
            .and_then(|text| cells.keep(Field::Language, Language::parse(&text), |error| error.code()));
        let involvement = cells.involvement();
        let tags = cells.tags();
        let source = cells.line::<200>(Field::Source).or_else(|| self.source.clone());
        let confirmed = Confirmed {
            email,
            profile: Profile {
                given_name,
                family_name,
                postal_code: postal_code.map(|code| code.as_str().to_owned()),
                region,
            },
            phone_consent: phone.is_some() && self.phone_consent,
            phone: phone.map(|phone| phone.as_str().to_owned()),
            country: country.map(|country| country.as_str().to_owned()),
            language: language.map_or_else(|| forms::LANGUAGE.to_owned(), |it| it.as_str().to_owned()),
            involvement,
            form: forms::IMPORT.to_owned(),
            notice_id: self.notice,
            source: [source, None, None, None, None, None],
            signed_up_at,
        };
        (confirmed, tags)
    }
}

fn broken(fault: Fault) -> Reason {
    match fault {
        Fault::TooLong => Reason::row("too_long", "this line is longer than 256 KiB"),
        Fault::Unclosed => {
            Reason::row("unclosed_quote", "a quotation mark opens in this line and none closes it")
        }
        Fault::Quote => Reason::row("stray_quote", "a quotation mark closes a cell and more text follows it"),
    }
}

impl Cells<'_> {
    fn add(&mut self, target: &Target, text: &str) {
        let text = text.trim();
        if text.is_empty() || text == "NULL" {
            return;
        }
        if *target == Target::Known(Field::Attributes) {
            return self.attributes(text);
        }
        let is_formula = self.plan.formulas.is_one(text);
        if is_formula && *target != Target::Known(Field::Status) {
            let message = "this is a formula; nothing computes it here".to_owned();
            self.left_out.push(Reason::about(target.as_str(), "formula", message));
            return;
        }
        let plain = unguarded(text);
        match target {
            Target::Own(_) => self.add_own(target, plain),
            Target::Known(field) => match self.values.iter_mut().find(|(known, _)| known == field) {
                None => self.values.push((*field, plain.to_owned())),
                // Of two words on whether somebody may be written to, the one that says no counts.
                Some((Field::Status, known)) if says(known) == Says::In && says(plain).forbids() => {
                    plain.clone_into(known);
                }
                Some(_) => {}
            },
        }
    }

    /// A value of a field that staff defined, checked by its kind.
    fn add_own(&mut self, target: &Target, text: &str) {
        let Some(field) = self.plan.own.iter().find(|field| Target::of(field) == *target) else {
            let message = "there is no such field any longer".to_owned();
            return self.left_out.push(Reason::about(target.as_str(), "unknown_field", message));
        };
        match field.read_listed(text) {
            Ok(_) if self.own.iter().any(|known| known.number == field.number) => {}
            Ok(value) => self.own.push(ListedValue { number: field.number, slug: field.slug.clone(), value }),
            Err(fault) => self.left_out.push(Reason::about(target.as_str(), &fault.code, fault.message)),
        }
    }

    /// Values by name, where a column of its own does not give them.
    fn attributes(&mut self, text: &str) {
        let Ok(serde_json::Value::Object(values)) = serde_json::from_str(text) else {
            let message = "this is not a JSON object".to_owned();
            return self.left_out.push(Reason::of(Field::Attributes, "invalid_json", message));
        };
        for (name, value) in values {
            if let ("fields", serde_json::Value::Object(own)) = (name.as_str(), &value) {
                for field in &self.plan.own {
                    if let Some(text) = own.get(&field.slug).and_then(plain_text) {
                        self.add(&Target::of(field), &text);
                    }
                }
                continue;
            }
            let never = [Field::Attributes, Field::Email].map(Target::Known);
            let target = Target::named(&name).filter(|target| !never.contains(target));
            if let Some((target, text)) = target.zip(plain_text(&value)) {
                self.add(&target, &text);
            }
        }
    }

    fn take(&mut self, field: Field) -> Option<String> {
        let at = self.values.iter().position(|(known, _)| *known == field)?;
        Some(self.values.swap_remove(at).1)
    }

    /// The value, or its fault among those that are left out.
    fn keep<T, E: std::fmt::Display>(
        &mut self,
        field: Field,
        parsed: Result<T, E>,
        code: impl FnOnce(&E) -> &'static str,
    ) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(error) => {
                self.left_out.push(Reason::of(field, code(&error), error.to_string()));
                None
            }
        }
    }

    fn email(&mut self) -> Result<EmailAddress, Vec<Reason>> {
        let Some(text) = self.take(Field::Email) else {
            let formula = self.left_out.iter().find(|reason| reason.field == "email").cloned();
            let missing =
                || Reason::of(Field::Email, "required", "there is no address in this row".to_owned());
            return Err(vec![formula.unwrap_or_else(missing)]);
        };
        // Some programs write "Ada <ada@example.org>".
        let plain = text.strip_suffix('>').and_then(|text| text.rsplit_once('<')).map(|(_, address)| address);
        EmailAddress::parse(plain.unwrap_or(&text))
            .map_err(|error| vec![Reason::of(Field::Email, error.code(), error.to_string())])
    }

    fn time(&mut self, field: Field) -> Option<Timestamp> {
        let text = self.take(field)?;
        let at = text.parse::<jiff::Timestamp>().or_else(|_| {
            let civil: jiff::civil::DateTime = text.parse()?;
            civil.to_zoned_datetime(self.plan.zone.clone()).map(|zoned| zoned.timestamp())
        });
        let at = at.ok().map(|at| Timestamp::from_micros(at.as_microsecond()));
        let held = at.filter(|at| at.as_micros() > 0 && *at <= self.plan.now);
        if held.is_none() {
            let message =
                "this is not a time in the past, like 2026-05-01 or 2026-05-01T09:30:00Z".to_owned();
            self.left_out.push(Reason::of(field, "invalid_time", message));
        }
        held
    }

    /// The country that is named; it, or the list's, says how phones and postal codes are read.
    fn country(&mut self) -> Option<Country> {
        let text = self.take(Field::Country)?;
        let parsed = match text.to_lowercase().as_str() {
            "usa" | "united states" | "united states of america" => Ok(Country::US),
            _ => Country::parse(&text),
        };
        let country = self.keep(Field::Country, parsed, |error| error.code())?;
        self.country = country;
        Some(country)
    }

    fn postal_code(&mut self) -> Option<PostalCode> {
        let mut text = self.take(Field::PostalCode)?;
        // A spreadsheet has taken New England's codes for numbers.
        let is_short = matches!(text.len(), 3 | 4) && text.bytes().all(|byte| byte.is_ascii_digit());
        if self.country.has_zip_codes() && is_short {
            text = format!("{text:0>5}");
        }
        self.keep(Field::PostalCode, PostalCode::parse(&text, self.country), |error| error.code())
    }

    /// As a sign-up has it: a state's code where there are states, derived from the postal code if it is not given.
    fn region(&mut self, postal_code: Option<&PostalCode>) -> Option<String> {
        let derived = || postal_code.and_then(|code| Region::of_address(self.country, code));
        let derived = derived().map(|region| region.as_str().to_owned());
        let Some(text) = self.take(Field::Region) else { return derived };
        if !self.country.has_zip_codes() {
            let parsed = LineText::<64>::parse(&text);
            let region = self.keep(Field::Region, parsed, |error| error.code()).flatten();
            return region.map(|region| region.as_str().to_owned());
        }
        let named = Region::all().find(|region| region.name().eq_ignore_ascii_case(&text));
        let parsed = named.map_or_else(|| Region::parse(&text), Ok);
        let region = self.keep(Field::Region, parsed, |error| error.code());
        region.map(|region| region.as_str().to_owned()).or(derived)
    }

    fn line<const MAX: usize>(&mut self, field: Field) -> Option<String> {
        let text = self.take(field)?;
        let line = self.keep(field, LineText::<MAX>::parse(&text), |error| error.code()).flatten();
        line.map(|line| line.as_str().to_owned())
    }

    fn names(&mut self) -> (Option<String>, Option<String>) {
        let (given, family) = (self.line::<100>(Field::GivenName), self.line::<100>(Field::FamilyName));
        let Some(whole) = self.line::<200>(Field::Name).filter(|_| given.is_none() && family.is_none())
        else {
            return (given, family);
        };
        let (first, last) = whole.split_once(' ').unwrap_or((whole.as_str(), ""));
        let mut part = |text: &str| {
            let line = LineText::<100>::parse(text);
            self.keep(Field::Name, line, |error| error.code()).flatten().map(|it| it.as_str().to_owned())
        };
        (part(first), part(last))
    }

    fn involvement(&mut self) -> Vec<Involvement> {
        let Some(text) = self.take(Field::Involvement) else { return Vec::new() };
        let mut found = Vec::new();
        for word in words(&text) {
            let parsed = Involvement::parse(&word.to_lowercase());
            if let Some(one) = self.keep(Field::Involvement, parsed, |error| error.code())
                && !found.contains(&one)
            {
                found.push(one);
            }
        }
        found
    }

    fn tags(&mut self) -> Vec<String> {
        let Some(text) = self.take(Field::Tags) else { return Vec::new() };
        let mut tags = Vec::new();
        for word in words(&text) {
            let tag = slug(word);
            if tag.is_empty() || tags.len() == MOST_TAGS {
                let message = format!("\"{word}\" makes no tag, or is one too many");
                self.left_out.push(Reason::of(Field::Tags, "invalid_tag", message));
            } else if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        tags
    }
}

#[cfg(test)]
#[path = "rows_tests.rs"]
mod tests;
