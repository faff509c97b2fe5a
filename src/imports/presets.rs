//! Which column is which: the headers of the programs that lists come from, and usual names besides. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::target::Target;
use crate::supporters::Field as OwnField;

/// What a column may hold of what every supporter may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ImportField)]
pub enum Field {
    /// The address; every list needs it.
    Email,
    /// Given and family name in one; split at the first space.
    Name,
    /// Given name.
    GivenName,
    /// Family name.
    FamilyName,
    /// Phone.
    Phone,
    /// Postal code.
    PostalCode,
    /// State or region.
    Region,
    /// Country code.
    Country,
    /// BCP 47 language.
    Language,
    /// Whether the person may be written to.
    Status,
    /// Tags, separated by commas or semicolons.
    Tags,
    /// Kinds of involvement, separated likewise.
    Involvement,
    /// Source code.
    Source,
    /// When they signed up.
    SignedUpAt,
    /// When they confirmed.
    ConfirmedAt,
    /// When they left.
    UnsubscribedAt,
    /// A JSON object with any of the others by name, and fields that staff defined under `fields`.
    Attributes,
}

/// A program whose lists are recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ImportPreset)]
pub enum Preset {
    /// Openhearth's own export.
    Default,
    /// Action Network.
    ActionNetwork,
    /// EveryAction.
    EveryAction,
    /// NationBuilder.
    Nationbuilder,
    /// Mailchimp.
    Mailchimp,
    /// listmonk.
    Listmonk,
}

/// Headers that make a preset, as [`plain`] has them. The one with most that are all there is meant.
const PRESETS: [(Preset, &[&str]); 6] = [
    (
        Preset::Default,
        &[
            "id",
            "email",
            "given_name",
            "family_name",
            "phone",
            "postal_code",
            "region",
            "status",
            "notice_id",
        ],
    ),
    (
        Preset::ActionNetwork,
        &[
            "first_name",
            "last_name",
            "email",
            "can2_phone",
            "zip_code",
            "can2_state_abbreviated",
            "can2_user_tags",
        ],
    ),
    (
        Preset::EveryAction,
        &["first_name", "last_name", "email_address", "phone", "zip", "state", "email_subscription_status"],
    ),
    (
        Preset::Nationbuilder,
        &[
            "first_name",
            "last_name",
            "email",
            "mobile_number",
            "primary_zip",
            "primary_state",
            "email_opt_in",
        ],
    ),
    (Preset::Mailchimp, &["email_address", "first_name", "last_name", "tags", "optin_time", "confirm_time"]),
    (Preset::Listmonk, &["email", "name", "attributes"]),
];

/// Names of columns, as [`plain`] has them.
const NAMES: [(Field, &[&str]); 17] = [
    (
        Field::Email,
        &[
            "email",
            "e_mail",
            "email_address",
            "e_mail_address",
            "mail",
            "primary_email",
            "email1",
            "emailaddress",
        ],
    ),
    (Field::Name, &["name", "full_name", "fullname", "contact_name"]),
    (Field::GivenName, &["given_name", "first_name", "firstname", "first", "forename", "vorname", "nombre"]),
    (
        Field::FamilyName,
        &["family_name", "last_name", "lastname", "last", "surname", "nachname", "apellido", "apellidos"],
    ),
    (
        Field::Phone,
        &[
            "phone",
            "phone_number",
            "can2_phone",
            "mobile_number",
            "mobile",
            "mobile_phone",
            "cell",
            "cell_phone",
            "telephone",
            "tel",
            "telefon",
            "home_phone",
        ],
    ),
    (
        Field::PostalCode,
        &[
            "postal_code",
            "postcode",
            "zip",
            "zip_code",
            "zipcode",
            "primary_zip",
            "zip5",
            "zip_postal_code",
            "plz",
        ],
    ),
    (
        Field::Region,
        &[
            "region",
            "state",
            "can2_state_abbreviated",
            "primary_state",
            "state_province",
            "province",
            "state_abbreviated",
        ],
    ),
    (Field::Country, &["country", "country_code", "primary_country_code", "can2_country"]),
    (Field::Language, &["language", "lang", "locale", "language_code"]),
    (
        Field::Status,
        &[
            "status",
            "can2_subscription_status",
            "email_subscription_status",
            "email_opt_in",
            "subscription_status",
            "subscribed",
            "opt_in",
            "email_status",
        ],
    ),
    (Field::Tags, &["tags", "tag_list", "can2_user_tags", "tag", "labels"]),
    (Field::Involvement, &["involvement"]),
    (Field::Source, &["source", "source_code"]),
    (
        Field::SignedUpAt,
        &["signed_up_at", "optin_time", "created_at", "signup_date", "date_joined", "date_added"],
    ),
    (Field::ConfirmedAt, &["confirmed_at", "confirm_time"]),
    (Field::UnsubscribedAt, &["unsubscribed_at", "unsub_time", "unsubscribe_time"]),
    (Field::Attributes, &["attributes"]),
];

impl Field {
    /// The field with this name, as the API and the command line say it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
    }

    /// Its name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Name => "name",
            Self::GivenName => "given_name",
            Self::FamilyName => "family_name",
            Self::Phone => "phone",
            Self::PostalCode => "postal_code",
            Self::Region => "region",
            Self::Country => "country",
            Self::Language => "language",
            Self::Status => "status",
            Self::Tags => "tags",
            Self::Involvement => "involvement",
            Self::Source => "source",
            Self::SignedUpAt => "signed_up_at",
            Self::ConfirmedAt => "confirmed_at",
            Self::UnsubscribedAt => "unsubscribed_at",
            Self::Attributes => "attributes",
        }
    }
}

/// A header in lower case, its words joined by underscores.
fn plain(header: &str) -> String {
    let words = header.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_").to_lowercase()
}

/// The program that writes such a header.
#[must_use]
pub fn recognise(header: &[String]) -> Option<Preset> {
    let header: Vec<String> = header.iter().map(|cell| plain(cell)).collect();
    let is_there = |name: &&str| header.iter().any(|cell| cell == name);
    let found = PRESETS.into_iter().filter(|(_, names)| names.iter().all(is_there));
    found.max_by_key(|(_, names)| names.len()).map(|(preset, _)| preset)
}

/// What each column is by its header, given the fields that staff defined: usual names go before `field.<slug>`, that
/// before a slug or label alone. Of two for the same, the first is it.
#[must_use]
pub fn map(header: &[String], own: &[OwnField]) -> Vec<Option<Target>> {
    let mut targets: Vec<Option<Target>> = Vec::with_capacity(header.len());
    for cell in header {
        let cell = plain(cell);
        let known = NAMES.into_iter().find(|(_, names)| names.contains(&cell.as_str()));
        let known = known.map(|(field, _)| Target::Known(field));
        let found = known.or_else(|| own_by_name(&cell, own).map(Target::of));
        targets.push(found.filter(|target| !targets.contains(&Some(target.clone()))));
    }
    targets
}

fn own_by_name<'a>(cell: &str, own: &'a [OwnField]) -> Option<&'a OwnField> {
    let slug = |field: &&OwnField| plain(Target::of(field).as_str()) == cell || plain(&field.slug) == cell;
    own.iter().find(slug).or_else(|| own.iter().find(|field| plain(&field.label) == cell))
}

/// Headers that stand there twice, or more often, each once.
#[must_use]
pub fn repeated(header: &[String]) -> Vec<String> {
    let mut repeated: Vec<String> = Vec::new();
    for (at, cell) in header.iter().enumerate() {
        let is_again = header.iter().take(at).any(|before| plain(before) == plain(cell));
        if is_again && !cell.is_empty() && !repeated.contains(cell) {
            repeated.push(cell.clone());
        }
    }
    repeated
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supporters::FieldKind;

    const EMAIL: Option<Target> = known(Field::Email);

    const fn known(field: Field) -> Option<Target> {
        Some(Target::Known(field))
    }

    fn own(slug: &str, label: &str) -> OwnField {
        let (slug, label) = (slug.to_owned(), label.to_owned());
        OwnField { number: 1, slug, label, kind: FieldKind::Text, choices: Vec::new() }
    }

    fn header(text: &str) -> Vec<String> {
        text.split(',').map(str::to_owned).collect()
    }

    #[test]
    fn every_preset_is_recognised_by_its_exact_headers() {
        let cases = [
            (
                Preset::Default,
                "id,email,given_name,family_name,phone,postal_code,region,country,language,status,tags,involvement,\
                 groups,source,form,signed_up_at,confirmed_at,unsubscribed_at,notice_id",
                15,
            ),
            (
                Preset::ActionNetwork,
                "first_name,last_name,email,can2_phone,zip_code,can2_state_abbreviated,can2_user_tags,\
                 can2_subscription_status,uuid",
                8,
            ),
            (
                Preset::EveryAction,
                "First Name,Last Name,Email Address,Phone,Zip,State,Email Subscription Status",
                7,
            ),
            (
                Preset::Nationbuilder,
                "first_name,last_name,email,mobile_number,primary_zip,primary_state,tag_list,email_opt_in,\
                 nationbuilder_id",
                8,
            ),
            (
                Preset::Mailchimp,
                "Email Address,First Name,Last Name,Phone Number,TAGS,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP",
                7,
            ),
            (Preset::Listmonk, "email,name,attributes", 3),
        ];
        for (preset, text, mapped) in cases {
            let header = header(text);
            assert_eq!(recognise(&header), Some(preset));
            let targets = map(&header, &[]);
            assert_eq!(targets.iter().flatten().count(), mapped, "{targets:?}");
            assert!(targets.contains(&EMAIL));
        }
        assert_eq!(recognise(&header("Mail,Vorname")), None);
        assert_eq!(map(&header("Mail,Vorname,Farbe"), &[]), [EMAIL, known(Field::GivenName), None]);
    }

    #[test]
    fn of_columns_that_mean_the_same_only_the_first_is_mapped() {
        let header = header("Email,email,E-Mail,Name,");
        assert_eq!(map(&header, &[]), [EMAIL, None, None, known(Field::Name), None]);
        assert_eq!(repeated(&header), ["email"]);
    }

    #[test]
    fn fields_that_staff_defined_are_known_by_name_slug_or_label() {
        let fields = [own("local", "Union local"), own("shirt-size", "Shirt"), own("email", "Email")];
        let header = header("email,field.local,Shirt Size,Union Local,Shirt,field.email,field.shoe");
        let mapped = map(&header, &fields);
        let names: Vec<_> = mapped.iter().map(|target| target.as_ref().map_or("", Target::as_str)).collect();
        assert_eq!(names, ["email", "field.local", "field.shirt-size", "", "", "field.email", ""]);
    }

    #[test]
    fn fields_are_named_as_the_api_names_them() {
        for (field, _) in NAMES {
            assert_eq!(Field::named(field.as_str()), Some(field));
        }
    }
}
