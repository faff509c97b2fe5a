//! [`SupporterQuery`]: the filter as it is given, in a query string, as flags, or kept in a segment.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::{
    Column, Condition, Moment, SupporterFilter, references,
    words::{MOST_TERMS, Prefix, Term},
};
use crate::{
    clock::Timestamp,
    contact::{Country, Involvement, Language, Region, Slug},
    error::{AppError, FieldError},
    kernel::Kernel,
    keys::Keys,
    staff::Sight,
    store::Db,
    supporters::Status,
    time_bound::TimeBound,
};

/// Which supporters are meant; every condition must hold. The same names in a query string and, with dashes, as flags.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, IntoParams, clap::Args)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SupporterQuery {
    /// Words that begin a name, an address or its domain (`@example.org`), all of them; at most 200 characters. A label of
    /// an international domain (`@bücher`) is found when it is typed whole.
    #[arg(long, value_name = "TEXT")]
    #[param(max_length = 200)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// confirmed, unsubscribed or suppressed. Lists show every status by default, exports only the confirmed.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// State or region, e.g. OH; a state's code in any case.
    #[arg(long)]
    #[param(max_length = 64)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// A whole postal code, as stored.
    #[arg(long, value_name = "CODE")]
    #[param(max_length = 12)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Beginnings of postal codes, any of them; repeatable.
    #[arg(long, value_name = "BEGINNING")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub postal_prefix: Vec<String>,
    /// Country code, e.g. US.
    #[arg(long, value_name = "CODE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// BCP 47 language, e.g. es.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Has one of these tags; repeatable.
    #[arg(long, value_name = "SLUG")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tag: Vec<String>,
    /// Has all of these tags; repeatable.
    #[arg(long, value_name = "SLUG")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tag_all: Vec<String>,
    /// Has none of these tags; repeatable.
    #[arg(long, value_name = "SLUG")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tag_none: Vec<String>,
    /// How they are involved: frontline, worker, advocate, faith, researcher or other.
    #[arg(long)]
    #[param(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub involvement: Option<Involvement>,
    /// Slug of the form of the first sign-up.
    #[arg(long, value_name = "SLUG")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    /// Slug of a group that their contact is shared with.
    #[arg(long, value_name = "SLUG")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// That share was given then or later; with `group`.
    #[arg(long, value_name = "TIME")]
    #[param(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_after: Option<TimeBound>,
    /// That share was given before; with `group`.
    #[arg(long, value_name = "TIME")]
    #[param(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_before: Option<TimeBound>,
    /// Source code of the first sign-up.
    #[arg(long, value_name = "CODE")]
    #[param(max_length = 200)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// UTM campaign of the first sign-up.
    #[arg(long, value_name = "NAME")]
    #[param(max_length = 200)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utm_campaign: Option<String>,
    /// Has a phone that may be used, or none.
    #[arg(long, value_name = "true|false")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_phone: Option<bool>,
    /// A day in the campaign's time zone, or an RFC 3339 time; that moment or later. From year -9999 to 9999.
    #[arg(long, value_name = "TIME")]
    #[param(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_up_after: Option<TimeBound>,
    /// Before that day or time.
    #[arg(long, value_name = "TIME")]
    #[param(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_up_before: Option<TimeBound>,
    /// That day or time, or later.
    #[arg(long, value_name = "TIME")]
    #[param(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_after: Option<TimeBound>,
    /// Before that day or time.
    #[arg(long, value_name = "TIME")]
    #[param(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_before: Option<TimeBound>,
    /// That day or time, or later.
    #[arg(long, value_name = "TIME")]
    #[param(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsubscribed_after: Option<TimeBound>,
    /// Before that day or time.
    #[arg(long, value_name = "TIME")]
    #[param(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsubscribed_before: Option<TimeBound>,
    /// Known since that day or time, or later.
    #[arg(long, value_name = "TIME")]
    #[param(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_after: Option<TimeBound>,
    /// Known from before that day or time.
    #[arg(long, value_name = "TIME")]
    #[param(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_before: Option<TimeBound>,
    /// A custom field's value, as `field.<slug>=<value>` in a query string and `--field <slug>=<value>` as a flag; a number
    /// or a day also as `from..to`. Repeatable.
    #[arg(long, value_name = "SLUG=VALUE")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub field: Vec<String>,
    /// Slug of a saved segment, all of whose conditions must hold, too.
    #[arg(long, value_name = "SLUG")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segment: Option<String>,
}

/// Why a query is no filter.
#[derive(Debug, thiserror::Error)]
pub enum FilterFault {
    /// What does not hold, is not known or is not for the caller.
    #[error("some conditions need another look")]
    Invalid(Vec<FieldError>),
    /// The database did not answer.
    #[error(transparent)]
    Query(#[from] diesel::result::Error),
}

impl From<FilterFault> for AppError {
    fn from(fault: FilterFault) -> Self {
        match fault {
            FilterFault::Invalid(faults) => Self::Invalid(faults),
            FilterFault::Query(error) => error.into(),
        }
    }
}

impl SupporterQuery {
    /// The filter meant, of what `sight` covers: days in the campaign's time zone, slugs as what they name now.
    ///
    /// # Errors
    /// Every field that does not hold, is not known, or is not for somebody bound to one group.
    pub async fn filter(&self, kernel: &Kernel, sight: Sight) -> Result<SupporterFilter, AppError> {
        let zone = time_zone(&kernel.config.campaign.timezone)?;
        if !self.names_rows() {
            return Ok(Reading::of(self, sight, &zone).finish()?);
        }
        let query = self.clone();
        kernel.store.read(move |db| Ok(query.resolve(db, sight, &zone)?)).await
    }

    /// The same inside a transaction.
    ///
    /// # Errors
    /// As [`SupporterQuery::filter`].
    pub fn resolve(
        &self,
        db: &mut Db,
        sight: Sight,
        zone: &TimeZone,
    ) -> Result<SupporterFilter, FilterFault> {
        let mut reading = Reading::of(self, sight, zone);
        references::resolve(db, self, &mut reading, zone)?;
        reading.finish()
    }

    /// As it is recorded, in JSON: a search text only as a keyed hash, since it may name a person.
    #[must_use]
    pub fn recorded(&self, keys: &Keys) -> String {
        let q = self.q.as_ref().map(|text| format!("hash:{}", keys.search_hash(text)));
        serde_json::to_string(&Self { q, ..self.clone() }).unwrap_or_default()
    }

    /// Whether slugs must be looked up.
    fn names_rows(&self) -> bool {
        let lists = [&self.tag, &self.tag_all, &self.tag_none, &self.field];
        self.form.is_some()
            || self.group.is_some()
            || self.segment.is_some()
            || lists.iter().any(|names| !names.is_empty())
    }
}

/// The campaign's time zone, which the configuration has checked.
///
/// # Errors
/// When it is not known after all.
pub fn time_zone(name: &str) -> Result<TimeZone, AppError> {
    TimeZone::get(name).map_err(|error| AppError::internal(&error))
}

/// A query on its way to a filter.
pub(super) struct Reading {
    pub filter: SupporterFilter,
    pub faults: Vec<FieldError>,
    /// When the share was given, for the group that is looked up.
    pub shared: (Option<Timestamp>, Option<Timestamp>),
}

impl Reading {
    /// All that needs no database.
    fn of(query: &SupporterQuery, sight: Sight, zone: &TimeZone) -> Self {
        let mut reading =
            Self { filter: SupporterFilter::all(sight), faults: Vec::new(), shared: (None, None) };
        if sight != Sight::Everybody {
            reading.refuse_what_shows_others(query);
        }
        reading.words(query);
        reading.places(query);
        reading.dates(query, zone);
        reading
    }

    pub fn fault(&mut self, field: &str, code: &str, message: impl Into<String>) {
        self.faults.push(FieldError::new(field, code, message));
    }

    /// All that another filter asks for.
    pub fn conditions_of(&mut self, filter: SupporterFilter) {
        self.filter.conditions.extend(filter.conditions);
    }

    pub fn condition(&mut self, condition: Condition) {
        self.filter.conditions.push(condition);
    }

    fn finish(mut self) -> Result<SupporterFilter, FilterFault> {
        if let Some(field) = self.filter.contradiction() {
            self.fault(field, "contradiction", "this contradicts another condition, so nobody can match");
        }
        if self.faults.is_empty() { Ok(self.filter) } else { Err(FilterFault::Invalid(self.faults)) }
    }

    /// A group sees contact fields and its own share; whom else somebody shares with, and how they came, it must not
    /// find out by asking.
    fn refuse_what_shows_others(&mut self, query: &SupporterQuery) {
        let asked = [
            ("tag", !query.tag.is_empty()),
            ("tag_all", !query.tag_all.is_empty()),
            ("tag_none", !query.tag_none.is_empty()),
            ("involvement", query.involvement.is_some()),
            ("form", query.form.is_some()),
            ("source", query.source.is_some()),
            ("utm_campaign", query.utm_campaign.is_some()),
            ("signed_up_after", query.signed_up_after.is_some()),
            ("signed_up_before", query.signed_up_before.is_some()),
            ("confirmed_after", query.confirmed_after.is_some()),
            ("confirmed_before", query.confirmed_before.is_some()),
            ("unsubscribed_after", query.unsubscribed_after.is_some()),
            ("unsubscribed_before", query.unsubscribed_before.is_some()),
            ("created_after", query.created_after.is_some()),
            ("created_before", query.created_before.is_some()),
            ("field", !query.field.is_empty()),
            ("segment", query.segment.is_some()),
        ];
        for (field, _) in asked.into_iter().filter(|(_, given)| *given) {
            self.not_for_groups(field);
        }
    }

    pub fn not_for_groups(&mut self, field: &str) {
        self.fault(field, "not_for_groups", "this condition is not for those who work for one group");
    }

    fn words(&mut self, query: &SupporterQuery) {
        if let Some(q) = self.text("q", query.q.as_deref(), 200) {
            let terms = Term::all(&q);
            if terms.len() > MOST_TERMS {
                self.fault("q", "too_many", format!("search for at most {MOST_TERMS} words"));
            } else {
                self.filter.conditions.extend(terms.into_iter().map(Condition::Term));
            }
        }
        if let Some(status) = query.status {
            self.condition(Condition::Status(status));
        }
        if let Some(involvement) = query.involvement {
            self.condition(Condition::Involved(involvement));
        }
        if let Some(has_phone) = query.has_phone {
            self.condition(Condition::HasPhone(has_phone));
        }
        if let Some(form) = &query.form {
            match Slug::parse(form) {
                Ok(_) => self.condition(Condition::Is(Column::Form, form.clone())),
                Err(error) => self.fault("form", error.code(), error.to_string()),
            }
        }
        for (column, value) in [(Column::Source, &query.source), (Column::Campaign, &query.utm_campaign)] {
            if let Some(value) = self.text(column.parameter(), value.as_deref(), 200) {
                self.condition(Condition::Is(column, value));
            }
        }
    }

    fn places(&mut self, query: &SupporterQuery) {
        if let Some(region) = self.text("region", query.region.as_deref(), 64) {
            let country = query.country.as_deref().and_then(|country| Country::parse(country).ok());
            self.condition(Condition::Is(Column::Region, Region::as_kept(&region, country)));
        }
        let code = self.text("postal_code", query.postal_code.as_deref(), 12);
        let code = code.map(|code| code.trim().to_uppercase());
        if query.postal_prefix.len() > 100 {
            self.fault("postal_prefix", "too_many", "give at most 100 beginnings");
        }
        let mut prefixes = Vec::new();
        for prefix in query.postal_prefix.iter().take(100) {
            prefixes
                .extend(self.text("postal_prefix", Some(prefix), 12).map(|one| one.trim().to_uppercase()));
        }
        if let Some(code) = &code
            && !prefixes.is_empty()
            && !prefixes.iter().any(|prefix| code.starts_with(prefix))
        {
            self.fault("postal_prefix", "contradiction", "postal_code begins with none of these");
        }
        if let Some(code) = code {
            self.condition(Condition::Is(Column::PostalCode, code));
        }
        if !prefixes.is_empty() {
            self.condition(Condition::PostalPrefix(prefixes.into_iter().map(Prefix::new).collect()));
        }
        match query.country.as_deref().map(Country::parse).transpose() {
            Ok(country) => {
                let country =
                    country.map(|country| Condition::Is(Column::Country, country.as_str().to_owned()));
                self.filter.conditions.extend(country);
            }
            Err(error) => self.fault("country", error.code(), error.to_string()),
        }
        match query.language.as_deref().map(Language::parse).transpose() {
            Ok(language) => {
                let is = |language: Language| Condition::Is(Column::Language, language.as_str().to_owned());
                self.filter.conditions.extend(language.map(is));
            }
            Err(error) => self.fault("language", error.code(), error.to_string()),
        }
    }

    fn dates(&mut self, query: &SupporterQuery, zone: &TimeZone) {
        let dates = [
            (Moment::SignedUp, "signed_up_before", query.signed_up_after, query.signed_up_before),
            (Moment::Confirmed, "confirmed_before", query.confirmed_after, query.confirmed_before),
            (
                Moment::Unsubscribed,
                "unsubscribed_before",
                query.unsubscribed_after,
                query.unsubscribed_before,
            ),
            (Moment::Created, "created_before", query.created_after, query.created_before),
        ];
        for (moment, field, after, before) in dates {
            if let Some((from, until)) = self.span(field, after, before, zone) {
                self.condition(Condition::Within(moment, from, until));
            }
        }
        let has_left = query.unsubscribed_after.is_some() || query.unsubscribed_before.is_some();
        if has_left && query.status == Some(Status::Confirmed) {
            self.fault("status", "contradiction", "the confirmed have not unsubscribed, so nobody can match");
        }
        if let Some(span) = self.span("shared_before", query.shared_after, query.shared_before, zone) {
            self.shared = span;
            match self.filter.sight {
                Sight::Group(group) => self.condition(Condition::SharedWithin(group, span.0, span.1)),
                Sight::Everybody if query.group.is_none() => {
                    self.fault("group", "required", "say which group the share is with");
                }
                Sight::Everybody => {}
            }
        }
    }

    fn span(
        &mut self,
        field: &str,
        after: Option<TimeBound>,
        before: Option<TimeBound>,
        zone: &TimeZone,
    ) -> Option<(Option<Timestamp>, Option<Timestamp>)> {
        let (from, until) = (after.map(|at| at.resolve(zone)), before.map(|at| at.resolve(zone)));
        if let (Some(from), Some(until)) = (from, until)
            && from >= until
        {
            self.fault(field, "contradiction", "the end must be later than the beginning");
        }
        (from.is_some() || until.is_some()).then_some((from, until))
    }

    /// A text of at most `most` characters that a database takes.
    fn text(&mut self, field: &str, text: Option<&str>, most: usize) -> Option<String> {
        let text = text?;
        // PostgreSQL takes no NUL in a text, and no supporter holds any of these.
        if text.trim().is_empty() {
            self.fault(field, "required", "give this a value, or leave it out");
        } else if text.chars().any(char::is_control) {
            self.fault(field, "control_characters", "this must not hold control characters");
        } else if text.chars().count() > most {
            self.fault(field, "too_long", format!("give at most {most} characters"));
        } else {
            return Some(text.to_owned());
        }
        None
    }
}
