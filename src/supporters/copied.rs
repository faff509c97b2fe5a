//! New supporters as PostgreSQL's COPY takes them, which is the fastest way in; diesel copies no embedded columns, so they
//! are written out. Called by `import.rs`.

use diesel::prelude::*;

use super::{Status, model::NewSupporter};
use crate::{clock::Timestamp, id::Id, keys::AddressHash, store::schema::supporters};

#[derive(Insertable)]
#[diesel(table_name = supporters, treat_none_as_default_value = false)]
struct Copied<'a> {
    id: Id,
    email: &'a str,
    email_key: &'a str,
    address_hash: AddressHash,
    status: Status,
    given_name: Option<&'a str>,
    family_name: Option<&'a str>,
    phone: Option<&'a str>,
    phone_consent: bool,
    postal_code: Option<&'a str>,
    region: Option<&'a str>,
    country: Option<&'a str>,
    language: &'a str,
    involvement: &'a str,
    form: &'a str,
    notice_id: Id,
    source_code: Option<&'a str>,
    source_group: Option<&'a str>,
    source_page: Option<&'a str>,
    utm_source: Option<&'a str>,
    utm_medium: Option<&'a str>,
    utm_campaign: Option<&'a str>,
    word_1: Option<&'a str>,
    word_2: Option<&'a str>,
    word_3: Option<&'a str>,
    word_4: Option<&'a str>,
    word_5: Option<&'a str>,
    word_6: Option<&'a str>,
    domain: Option<&'a str>,
    link_version: i32,
    voided_at: Option<Timestamp>,
    signed_up_at: Timestamp,
    confirmed_at: Timestamp,
    unsubscribed_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl<'a> From<&'a NewSupporter> for Copied<'a> {
    fn from(row: &'a NewSupporter) -> Self {
        // Each by name: a column that is added there and forgotten here does not compile.
        let NewSupporter {
            id,
            email,
            email_key,
            address_hash,
            status,
            given_name,
            family_name,
            phone,
            phone_consent,
            postal_code,
            region,
            country,
            language,
            involvement,
            form,
            notice_id,
            source_code,
            source_group,
            source_page,
            utm_source,
            utm_medium,
            utm_campaign,
            words,
            link_version,
            voided_at,
            signed_up_at,
            confirmed_at,
            unsubscribed_at,
            created_at,
            updated_at,
        } = row;
        let [word_1, word_2, word_3, word_4, word_5, word_6, domain] = words.columns();
        Self {
            id: *id,
            email,
            email_key,
            address_hash: *address_hash,
            status: *status,
            given_name: given_name.as_deref(),
            family_name: family_name.as_deref(),
            phone: phone.as_deref(),
            phone_consent: *phone_consent,
            postal_code: postal_code.as_deref(),
            region: region.as_deref(),
            country: country.as_deref(),
            language,
            involvement,
            form,
            notice_id: *notice_id,
            source_code: source_code.as_deref(),
            source_group: source_group.as_deref(),
            source_page: source_page.as_deref(),
            utm_source: utm_source.as_deref(),
            utm_medium: utm_medium.as_deref(),
            utm_campaign: utm_campaign.as_deref(),
            word_1,
            word_2,
            word_3,
            word_4,
            word_5,
            word_6,
            domain,
            link_version: *link_version,
            voided_at: *voided_at,
            signed_up_at: *signed_up_at,
            confirmed_at: *confirmed_at,
            unsubscribed_at: *unsubscribed_at,
            created_at: *created_at,
            updated_at: *updated_at,
        }
    }
}

/// Inserts `rows`, of which none may be there.
pub(super) fn copy(c: &mut PgConnection, rows: &[NewSupporter]) -> QueryResult<()> {
    let rows: Vec<Copied<'_>> = rows.iter().map(Copied::from).collect();
    diesel::copy_from(supporters::table).from_insertable(&rows).execute(c).map(drop)
}
