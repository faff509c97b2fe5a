//! Rows and views of supporters.

use diesel::prelude::{Insertable, Queryable, Selectable};
use serde::Serialize;
use utoipa::ToSchema;

use super::{filter::SearchWords, status::Status};
use crate::{
    clock::Timestamp,
    contact::{EmailAddress, Involvement},
    id::Id,
    keys::AddressHash,
    store::schema::supporters,
};

/// A supporter as stored.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = supporters)]
pub struct Supporter {
    /// Small number beside the id; also the order of the list.
    pub number: i64,
    /// Names the person in the API.
    pub id: Id,
    /// Where mail goes.
    pub email: String,
    /// The e-mail identity's matching key.
    pub email_key: String,
    /// `confirmed`, `unsubscribed` or `suppressed`.
    pub status: Status,
    /// Given name.
    pub given_name: Option<String>,
    /// Family name.
    pub family_name: Option<String>,
    /// Phone in E.164.
    pub phone: Option<String>,
    /// Whether the phone may be used.
    pub phone_consent: bool,
    /// Postal code.
    pub postal_code: Option<String>,
    /// State or region.
    pub region: Option<String>,
    /// Country code.
    pub country: Option<String>,
    /// BCP 47 language.
    pub language: String,
    /// How the person is involved, separated by commas.
    pub involvement: String,
    /// Slug of the form of the first sign-up.
    pub form: String,
    /// What was agreed to last.
    pub notice_id: Id,
    /// Source code of the first sign-up.
    pub source_code: Option<String>,
    /// Version that preference links must carry.
    pub link_version: i32,
    /// Sign-ups and links from before are void.
    pub voided_at: Option<Timestamp>,
    /// When the sign-up was sent that was confirmed last.
    pub signed_up_at: Timestamp,
    /// When it was confirmed.
    pub confirmed_at: Timestamp,
    /// When the person left.
    pub unsubscribed_at: Option<Timestamp>,
    /// Since when the person is known.
    pub created_at: Timestamp,
    /// Until when the person is in no export.
    pub paused_until: Option<Timestamp>,
}

/// What the person may change by themselves.
#[derive(Clone, Default)]
pub struct Profile {
    /// Given name.
    pub given_name: Option<String>,
    /// Family name.
    pub family_name: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// State or region that goes with it.
    pub region: Option<String>,
}

/// What a confirmed sign-up, or a list, says of a person.
#[derive(Clone)]
pub struct Confirmed {
    /// The proven address.
    pub email: EmailAddress,
    /// What was typed of the person.
    pub profile: Profile,
    /// Phone in E.164.
    pub phone: Option<String>,
    /// Whether it may be used.
    pub phone_consent: bool,
    /// Country code.
    pub country: Option<String>,
    /// BCP 47 language.
    pub language: String,
    /// How the person is involved.
    pub involvement: Vec<Involvement>,
    /// Slug of the form.
    pub form: String,
    /// What was agreed to.
    pub notice_id: Id,
    /// Source code, group, page and UTM source, medium, campaign.
    pub source: [Option<String>; 6],
    /// When the sign-up was sent.
    pub signed_up_at: Timestamp,
}

#[derive(Insertable)]
#[diesel(table_name = supporters, treat_none_as_default_value = false)]
pub(super) struct NewSupporter {
    pub id: Id,
    pub email: String,
    pub email_key: String,
    pub address_hash: AddressHash,
    pub status: Status,
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    pub phone: Option<String>,
    pub phone_consent: bool,
    pub postal_code: Option<String>,
    pub region: Option<String>,
    pub country: Option<String>,
    pub language: String,
    pub involvement: String,
    pub form: String,
    pub notice_id: Id,
    pub source_code: Option<String>,
    pub source_group: Option<String>,
    pub source_page: Option<String>,
    pub utm_source: Option<String>,
    pub utm_medium: Option<String>,
    pub utm_campaign: Option<String>,
    #[diesel(embed)]
    pub words: SearchWords,
    pub link_version: i32,
    pub voided_at: Option<Timestamp>,
    pub signed_up_at: Timestamp,
    pub confirmed_at: Timestamp,
    pub unsubscribed_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl NewSupporter {
    /// The stored columns of somebody new, confirmed at `now`: the one place that derives them.
    pub(super) fn of(
        confirmed: Confirmed,
        (email_key, address_hash): (String, AddressHash),
        now: Timestamp,
    ) -> Self {
        let [source_code, source_group, source_page, utm_source, utm_medium, utm_campaign] = confirmed.source;
        let email = confirmed.email.as_str().to_owned();
        Self {
            id: Id::new(),
            words: words(&confirmed.profile, &email_key),
            email,
            email_key,
            address_hash,
            status: Status::Confirmed,
            given_name: confirmed.profile.given_name,
            family_name: confirmed.profile.family_name,
            phone: confirmed.phone,
            phone_consent: confirmed.phone_consent,
            postal_code: confirmed.profile.postal_code,
            region: confirmed.profile.region,
            country: confirmed.country,
            language: confirmed.language,
            involvement: join(&confirmed.involvement),
            form: confirmed.form,
            notice_id: confirmed.notice_id,
            source_code,
            source_group,
            source_page,
            utm_source,
            utm_medium,
            utm_campaign,
            link_version: 1,
            voided_at: None,
            signed_up_at: confirmed.signed_up_at,
            confirmed_at: now,
            unsubscribed_at: None,
            created_at: now,
            updated_at: now,
        }
    }
}

/// Kinds of involvement as they are stored.
pub(super) fn join(involvement: &[Involvement]) -> String {
    involvement.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(",")
}

/// What the person is found by.
pub(super) fn words(profile: &Profile, email_key: &str) -> SearchWords {
    SearchWords::of(profile.given_name.as_deref(), profile.family_name.as_deref(), email_key)
}

/// A supporter as staff see one in a list.
#[derive(Serialize, ToSchema)]
pub struct SupporterView {
    /// Names the person in the API.
    #[schema(value_type = String)]
    pub id: Id,
    /// Where mail goes.
    pub email: String,
    /// Whether they are in, have left, or must be left alone.
    pub status: Status,
    /// Given name.
    pub given_name: Option<String>,
    /// Family name.
    pub family_name: Option<String>,
    /// Phone in E.164.
    pub phone: Option<String>,
    /// Whether the phone may be used.
    pub phone_consent: bool,
    /// Postal code.
    pub postal_code: Option<String>,
    /// State or region.
    pub region: Option<String>,
    /// Country code.
    pub country: Option<String>,
    /// BCP 47 language.
    pub language: String,
    /// How the person is involved.
    pub involvement: Vec<String>,
    /// Slug of the form of the first sign-up.
    pub form: String,
    /// Source code of the first sign-up.
    pub source: Option<String>,
    /// When the sign-up was sent that was confirmed last.
    #[schema(value_type = String, format = DateTime)]
    pub signed_up_at: Timestamp,
    /// When it was confirmed.
    #[schema(value_type = String, format = DateTime)]
    pub confirmed_at: Timestamp,
    /// When the person left.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub unsubscribed_at: Option<Timestamp>,
    /// Since when the person is known.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

impl From<Supporter> for SupporterView {
    fn from(row: Supporter) -> Self {
        Self {
            id: row.id,
            email: row.email,
            status: row.status,
            given_name: row.given_name,
            family_name: row.family_name,
            phone: row.phone,
            phone_consent: row.phone_consent,
            postal_code: row.postal_code,
            region: row.region,
            country: row.country,
            language: row.language,
            involvement: row
                .involvement
                .split(',')
                .filter(|one| !one.is_empty())
                .map(str::to_owned)
                .collect(),
            form: row.form,
            source: row.source_code,
            signed_up_at: row.signed_up_at,
            confirmed_at: row.confirmed_at,
            unsubscribed_at: row.unsubscribed_at,
            created_at: row.created_at,
        }
    }
}
