//! Changes of a record by staff: only to the version they know, each value checked as a sign-up's is.

use diesel::prelude::*;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{Record, RecordView, lock_addresses, whole};
use crate::{
    audit::{self, Act, Actor},
    clock::Timestamp,
    contact::{Country, EmailAddress, Involvement, Language, LineText, Phone, PostalCode, Region},
    error::{AppError, FieldError},
    http::{Etag, IfMatch},
    id::Id,
    kernel::Kernel,
    keys::Keys,
    outbox,
    store::{
        Db, Lane, lock,
        schema::{supporters, suppressions},
    },
    supporters::{
        SearchWords, Supporter,
        fields::{self, FieldValue},
        model, queries, tags,
    },
};

/// What is to change. What is left out stays; null, an empty text or an empty list takes a value away. An address and a
/// language everybody has; they can only be changed, and values of custom fields are taken away one by one.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RecordChange {
    /// Another address, which nobody else has; voids earlier links.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = String, max_length = 254)]
    pub email: Option<String>,
    /// At most 100 characters.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 100)]
    pub given_name: Option<String>,
    /// At most 100 characters.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 100)]
    pub family_name: Option<String>,
    /// Any usual notation; kept as E.164.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 32)]
    pub phone: Option<String>,
    /// Whether the phone may be used; only where there is one. Goes with it.
    #[serde(deserialize_with = "given")]
    pub phone_consent: Option<bool>,
    /// A postal code of the country.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 12)]
    pub postal_code: Option<String>,
    /// State or region; derived from a changed US ZIP code when left out.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 64)]
    pub region: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 2)]
    pub country: Option<String>,
    /// BCP 47.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = String, max_length = 12)]
    pub language: Option<String>,
    /// How the person is involved.
    #[serde(deserialize_with = "given")]
    pub involvement: Option<Vec<Involvement>>,
    /// All their tags from now on, which must be there.
    #[serde(deserialize_with = "given")]
    pub tags: Option<Vec<String>>,
    /// Values of custom fields by slug, null to take one away; fields that are left out stay.
    #[schema(value_type = Object)]
    pub fields: Map<String, Value>,
}

/// Null is an empty text, an empty list or no: what was given takes the value away, what was left out does not.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Option::<T>::deserialize(deserializer).map(|value| Some(value.unwrap_or_default()))
}

/// The columns that staff change, as they will be.
#[derive(Clone, PartialEq, AsChangeset)]
#[diesel(table_name = supporters, treat_none_as_null = true)]
struct Columns {
    given_name: Option<String>,
    family_name: Option<String>,
    phone: Option<String>,
    phone_consent: bool,
    postal_code: Option<String>,
    region: Option<String>,
    country: Option<String>,
    language: String,
    involvement: String,
}

impl Columns {
    fn of(known: &Supporter) -> Self {
        Self {
            given_name: known.given_name.clone(),
            family_name: known.family_name.clone(),
            phone: known.phone.clone(),
            phone_consent: known.phone_consent,
            postal_code: known.postal_code.clone(),
            region: known.region.clone(),
            country: known.country.clone(),
            language: known.language.clone(),
            involvement: known.involvement.clone(),
        }
    }

    /// Names of the columns that differ.
    fn differing(&self, other: &Self) -> Vec<&'static str> {
        [
            ("given_name", self.given_name != other.given_name),
            ("family_name", self.family_name != other.family_name),
            ("phone", self.phone != other.phone),
            ("phone_consent", self.phone_consent != other.phone_consent),
            ("postal_code", self.postal_code != other.postal_code),
            ("region", self.region != other.region),
            ("country", self.country != other.country),
            ("language", self.language != other.language),
            ("involvement", self.involvement != other.involvement),
        ]
        .into_iter()
        .filter_map(|(name, differs)| differs.then_some(name))
        .collect()
    }
}

impl RecordChange {
    /// What the columns will be, or every fault.
    fn columns(&self, known: &Supporter) -> Result<Columns, Vec<FieldError>> {
        let (mut columns, mut faults) = (Columns::of(known), Vec::new());
        let mut fault =
            |field: &str, code: &str, message: String| faults.push(FieldError::new(field, code, message));
        for (field, sent, column) in [
            ("given_name", &self.given_name, &mut columns.given_name),
            ("family_name", &self.family_name, &mut columns.family_name),
        ] {
            match sent.as_deref().map(LineText::<100>::parse) {
                Some(Ok(text)) => *column = text.map(|text| text.as_str().to_owned()),
                Some(Err(error)) => fault(field, error.code(), error.to_string()),
                None => {}
            }
        }
        let text = |sent: &Option<String>| sent.as_deref().map(str::trim).map(str::to_owned);
        match text(&self.country) {
            Some(code) if code.is_empty() => columns.country = None,
            Some(code) => match Country::parse(&code) {
                Ok(country) => columns.country = Some(country.as_str().to_owned()),
                Err(error) => fault("country", error.code(), error.to_string()),
            },
            None => {}
        }
        let country = Country::parse(columns.country.as_deref().unwrap_or("US")).ok();
        match (text(&self.phone), country) {
            (Some(phone), _) if phone.is_empty() => columns.phone = None,
            (Some(phone), Some(country)) => match Phone::parse(&phone, country) {
                Ok(phone) => columns.phone = Some(phone.as_str().to_owned()),
                Err(error) => fault("phone", error.code(), error.to_string()),
            },
            _ => {}
        }
        let gives_phone = self.phone.as_deref().is_some_and(|phone| !phone.trim().is_empty());
        if self.phone_consent == Some(true) && columns.phone.is_none() && !gives_phone {
            let message = "there is no phone that may be used; give one with it".to_owned();
            fault("phone_consent", "contradiction", message);
        }
        columns.phone_consent =
            self.phone_consent.unwrap_or(columns.phone_consent) && columns.phone.is_some();
        match (text(&self.postal_code), country) {
            (Some(code), _) if code.is_empty() => columns.postal_code = None,
            (Some(code), Some(country)) => match PostalCode::parse(&code, country) {
                Ok(code) => {
                    if let Some(region) = Region::of_address(country, &code) {
                        columns.region = Some(region.as_str().to_owned());
                    }
                    columns.postal_code = Some(code.as_str().to_owned());
                }
                Err(error) => fault("postal_code", error.code(), error.to_string()),
            },
            _ => {}
        }
        match self.region.as_deref().map(LineText::<64>::parse) {
            Some(Ok(region)) => {
                columns.region = region.map(|region| Region::as_kept(region.as_str(), country));
            }
            Some(Err(error)) => fault("region", error.code(), error.to_string()),
            None => {}
        }
        match self.language.as_deref().map(Language::parse) {
            Some(_) if self.language.as_deref().is_some_and(|language| language.trim().is_empty()) => {
                fault("language", "required", "everybody has a language; give another".to_owned());
            }
            Some(Ok(language)) => columns.language = language.as_str().to_owned(),
            Some(Err(error)) => fault("language", error.code(), error.to_string()),
            None => {}
        }
        if let Some(involvement) = &self.involvement {
            let mut involvement = involvement.clone();
            involvement.sort_unstable();
            involvement.dedup();
            columns.involvement = model::join(&involvement);
        }
        if faults.is_empty() { Ok(columns) } else { Err(faults) }
    }

    /// Numbers of the tags, when all are there.
    fn tags(&self, db: &mut Db) -> Result<Option<Vec<i64>>, AppError> {
        let Some(slugs) = &self.tags else { return Ok(None) };
        if slugs.len() > 100 {
            return Err(AppError::field("tags", "too_many", "give at most 100 tags"));
        }
        let numbers: Option<Vec<i64>> = tags::numbers(db, slugs)?.into_iter().collect();
        match numbers {
            Some(numbers) => Ok(Some(numbers)),
            None => {
                Err(AppError::field("tags", "unknown_value", "one of these tags is not there; make it first"))
            }
        }
    }

    fn fields(&self, db: &mut Db) -> Result<Vec<(i64, Option<FieldValue>)>, AppError> {
        if self.fields.is_empty() {
            return Ok(Vec::new());
        }
        fields::read_all(&fields::list_fields(db)?, &self.fields).map_err(AppError::Invalid)
    }
}

/// Changes a record, if it is the version that is known, and shows it as it then is.
pub(super) async fn change(
    kernel: &Kernel,
    id: Id,
    known: IfMatch,
    change: RecordChange,
    actor: Actor,
) -> Result<(RecordView, Etag), AppError> {
    let (keys, now) = (kernel.keys.clone(), kernel.clock.now());
    let write = move |db: &mut Db| {
        let changed = apply(db, &keys, id, &known, &change, now)?;
        let shown = whole(db, id)?;
        if !changed.is_empty() {
            let act =
                Act::new(actor, "supporter.edit").on("supporter", id).with(json!({ "fields": changed }));
            audit::append(db, &keys, &[act], now)?;
        }
        Ok::<_, AppError>(shown)
    };
    kernel.store.write(Lane::Staff, write).await
}

/// Returns what was changed, by name.
fn apply(
    db: &mut Db,
    keys: &Keys,
    id: Id,
    known: &IfMatch,
    change: &RecordChange,
    now: Timestamp,
) -> Result<Vec<String>, AppError> {
    let email = change.email.as_deref().map(EmailAddress::parse).transpose();
    lock_addresses(db, keys, &[id], email.iter().flatten().map(|email| keys.address_hash(&email.key())))?;
    let Record { supporter, .. } = {
        let record = Record::lock(db, id)?;
        known.check(&record.etag()?)?;
        record
    };
    let before = Columns::of(&supporter);
    let columns = change.columns(&supporter).map_err(AppError::Invalid)?;
    let (tags, values) = (change.tags(db)?, change.fields(db)?);
    let email = email.map_err(|error| AppError::field("email", error.code(), error.to_string()))?;
    let email = email.filter(|email| email.as_str() != supporter.email);

    let mut changed: Vec<String> = columns.differing(&before).into_iter().map(str::to_owned).collect();
    let key = email.as_ref().map_or_else(|| supporter.email_key.clone(), EmailAddress::key);
    if !changed.is_empty() || email.is_some() {
        let words = SearchWords::of(columns.given_name.as_deref(), columns.family_name.as_deref(), &key);
        diesel::update(supporters::table.filter(supporters::number.eq(supporter.number)))
            .set((&columns, words, supporters::updated_at.eq(now)))
            .execute(db)?;
    }
    if let Some(email) = email {
        readdress(db, keys, &supporter, &email, now)?;
        changed.push("email".to_owned());
    }
    if let Some(tags) = tags
        && tags::set_tags(db, supporter.number, &tags, now)?
    {
        changed.push("tags".to_owned());
    }
    if !values.is_empty() {
        fields::set_fields(db, supporter.number, &values)?;
        changed.extend(change.fields.keys().map(|slug| format!("fields.{slug}")));
    }
    Ok(changed)
}

/// Gives a supporter another address: it must be free, and links that were mailed to the old one are void.
fn readdress(
    db: &mut Db,
    keys: &Keys,
    supporter: &Supporter,
    email: &EmailAddress,
    now: Timestamp,
) -> Result<(), AppError> {
    let key = email.key();
    let (old, new) = (keys.address_hash(&supporter.email_key), keys.address_hash(&key));
    lock::addresses(db, [old, new])?;
    let taken = || AppError::Conflict("another supporter has this address; merge the two records".to_owned());
    if queries::find_by_key(db, &key)?.is_some_and(|other| other.number != supporter.number) {
        return Err(taken());
    }
    let is_marked = suppressions::table.filter(suppressions::address_hash.eq(new));
    if old != new && diesel::select(diesel::dsl::exists(is_marked)).get_result(db)? {
        let sentence = "this address must be left alone: it was erased or suppressed";
        return Err(AppError::Conflict(sentence.to_owned()));
    }
    diesel::update(supporters::table.filter(supporters::number.eq(supporter.number)))
        .set((
            supporters::email.eq(email.as_str()),
            supporters::email_key.eq(&key),
            supporters::address_hash.eq(new),
            supporters::link_version.eq(supporters::link_version + 1),
            supporters::updated_at.eq(now),
        ))
        .execute(db)?;
    // What is on its way goes to the old address.
    outbox::forget(db, &[supporter.id])?;
    Ok(())
}
