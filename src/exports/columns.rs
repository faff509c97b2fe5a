//! What a list shows: its columns with their headers, as the tools that take it expect them. Pure.

use super::value::Column;
use crate::{
    contact::Slug,
    error::FieldError,
    staff::Sight,
    supporters::{ContactField as Field, ContactFields as Fields, Field as OwnField},
};

/// A column with its header.
pub(super) type Headed = (String, Column);

/// Columns made for a tool that takes them.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    serde::Deserialize,
    serde::Serialize,
    utoipa::ToSchema,
    clap::ValueEnum,
)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Preset {
    /// Everything that is known; for somebody bound to one group, contact fields and the share's date.
    #[default]
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

/// What stands before the slug of a field that staff defined, in the name of its column.
pub(super) const OWN: &str = "field.";

/// Columns that can be asked for by name, in the order of the default export; fields that staff defined follow.
const NAMED: [(&str, Column); 20] = [
    ("id", Column::Id),
    ("email", Column::Email),
    ("given_name", Column::GivenName),
    ("family_name", Column::FamilyName),
    ("phone", Column::Phone),
    ("postal_code", Column::PostalCode),
    ("region", Column::Region),
    ("country", Column::Country),
    ("language", Column::Language),
    ("status", Column::Status),
    ("tags", Column::Tags),
    ("involvement", Column::Involvement),
    ("groups", Column::Groups),
    ("source", Column::Source),
    ("form", Column::Form),
    ("signed_up_at", Column::SignedUpAt),
    ("confirmed_at", Column::ConfirmedAt),
    ("unsubscribed_at", Column::UnsubscribedAt),
    ("notice_id", Column::NoticeId),
    ("shared_at", Column::SharedAt),
];

const ACTION_NETWORK: [(&str, Column); 9] = [
    ("first_name", Column::GivenName),
    ("last_name", Column::FamilyName),
    ("email", Column::Email),
    ("can2_phone", Column::Phone),
    ("zip_code", Column::PostalCode),
    ("can2_state_abbreviated", Column::Region),
    ("can2_user_tags", Column::TagList),
    ("can2_subscription_status", Column::Subscription),
    ("uuid", Column::Id),
];

const EVERY_ACTION: [(&str, Column); 7] = [
    ("First Name", Column::GivenName),
    ("Last Name", Column::FamilyName),
    ("Email Address", Column::Email),
    ("Phone", Column::Phone),
    ("Zip", Column::PostalCode),
    ("State", Column::Region),
    ("Email Subscription Status", Column::SubscriptionWord),
];

const NATIONBUILDER: [(&str, Column); 9] = [
    ("first_name", Column::GivenName),
    ("last_name", Column::FamilyName),
    ("email", Column::Email),
    ("mobile_number", Column::Phone),
    ("primary_zip", Column::PostalCode),
    ("primary_state", Column::Region),
    ("tag_list", Column::TagList),
    ("email_opt_in", Column::OptIn),
    ("nationbuilder_id", Column::Nothing),
];

/// The addresses people came from are kept only hashed, so that those columns stay empty.
const MAILCHIMP: [(&str, Column); 9] = [
    ("Email Address", Column::Email),
    ("First Name", Column::GivenName),
    ("Last Name", Column::FamilyName),
    ("Phone Number", Column::Phone),
    ("TAGS", Column::TagList),
    ("OPTIN_TIME", Column::OptInTime),
    ("OPTIN_IP", Column::Nothing),
    ("CONFIRM_TIME", Column::ConfirmTime),
    ("CONFIRM_IP", Column::Nothing),
];

const LISTMONK: [(&str, Column); 3] =
    [("email", Column::Email), ("name", Column::FullName), ("attributes", Column::Attributes)];

/// Header of the default export where staff have defined no fields.
#[must_use]
pub fn default_columns() -> Vec<&'static str> {
    NAMED.iter().map(|(name, _)| *name).filter(|name| *name != "shared_at").collect()
}

/// The columns of a list.
#[derive(Clone, Debug)]
pub struct Columns {
    pub(super) headed: Vec<Headed>,
    /// The fields that staff defined among them.
    pub(super) own: Vec<OwnField>,
    /// As it is recorded: the preset, or the columns by name.
    pub(super) name: String,
}

impl Preset {
    /// Whether it shows the fields that staff defined.
    pub(super) fn shows_own(self) -> bool {
        matches!(self, Self::Default | Self::Listmonk)
    }
}

impl Columns {
    /// The columns of `preset`. What somebody with `sight` may not see stays empty where a tool expects the column, and
    /// is not there in the default export. `known` are the fields that staff defined.
    pub(super) fn preset(preset: Preset, sight: Sight, known: &[OwnField]) -> Self {
        let rows: &[(&str, Column)] = match preset {
            Preset::Default => &NAMED,
            Preset::ActionNetwork => &ACTION_NETWORK,
            Preset::EveryAction => &EVERY_ACTION,
            Preset::Nationbuilder => &NATIONBUILDER,
            Preset::Mailchimp => &MAILCHIMP,
            Preset::Listmonk => &LISTMONK,
        };
        let is_shown = |column: Column| preset != Preset::Default || is_for(column, sight);
        let rows = rows.iter().filter(|(_, column)| is_shown(*column));
        let mut headed: Vec<Headed> = rows.map(|(name, column)| ((*name).to_owned(), *column)).collect();
        let takes_own = preset.shows_own() && sight == Sight::Everybody;
        let own = if takes_own { known.to_vec() } else { Vec::new() };
        if preset == Preset::Default {
            let names = own.iter().map(|field| format!("{OWN}{}", field.slug));
            headed.extend(names.enumerate().map(|(place, name)| (name, Column::Own(place))));
        }
        let name = serde_json::to_value(preset).ok().and_then(|name| name.as_str().map(str::to_owned));
        Self { headed, own, name: name.unwrap_or_default() }
    }

    /// Columns by name, separated by commas; `known` are the fields that staff defined.
    pub(super) fn named(list: &str, sight: Sight, known: &[OwnField]) -> Result<Self, Vec<FieldError>> {
        let (mut headed, mut own, mut faults) = (Vec::<Headed>::new(), Vec::new(), Vec::new());
        let mut fault = |code: &str, message: String| faults.push(FieldError::new("columns", code, message));
        for name in list.split(',').map(str::trim) {
            if let Some(slug) = name.strip_prefix(OWN) {
                match known.iter().find(|field| field.slug == slug) {
                    _ if sight != Sight::Everybody => {
                        fault("not_for_you", "fields are not for those who work for one group".to_owned());
                    }
                    // A slug holds nothing that must not be shown.
                    None if Slug::parse(slug).is_ok() => {
                        fault("unknown_column", format!("there is no field {slug}"));
                    }
                    None => fault("unknown_column", "there is no such field".to_owned()),
                    Some(_) if headed.iter().any(|(taken, _)| taken == name) => {
                        fault("duplicate", format!("{name} is there twice"));
                    }
                    Some(field) => {
                        headed.push((name.to_owned(), Column::Own(own.len())));
                        own.push(field.clone());
                    }
                }
                continue;
            }
            match NAMED.iter().find(|(known, _)| *known == name) {
                None => {
                    let known = NAMED.map(|(name, _)| name).join(", ");
                    // Not the name itself: it may be anything.
                    let message = format!("there is such a column only among {known} and {OWN}<slug>");
                    fault("unknown_column", message);
                    break;
                }
                Some(_) if headed.iter().any(|(taken, _)| taken == name) => {
                    fault("duplicate", format!("{name} is there twice"));
                }
                Some((_, column)) if !is_for(*column, sight) => {
                    let why = if sight == Sight::Everybody {
                        "is for those who work for one group"
                    } else {
                        "is not for those who work for one group"
                    };
                    fault("not_for_you", format!("{name} {why}"));
                }
                Some((_, column)) => headed.push((name.to_owned(), *column)),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let names: Vec<&str> = headed.iter().map(|(name, _)| name.as_str()).collect();
        Ok(Self { name: format!("columns:{}", names.join(",")), headed, own })
    }

    /// What must be read for them.
    pub(super) fn fields(&self) -> Fields {
        let own = self.own.iter().map(|field| field.number).collect();
        Fields::of(self.headed.iter().flat_map(|(_, column)| column.fields()).copied(), own)
    }
}

/// Whether somebody with `sight` may ask for the column: for a group, all it is made of must be for groups.
fn is_for(column: Column, sight: Sight) -> bool {
    match sight {
        Sight::Everybody => column != Column::SharedAt,
        Sight::Group(_) => {
            // Their status is always the same.
            column != Column::Status && column.fields().iter().all(|field: &Field| field.is_for_groups())
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;
    use crate::{id::Id, supporters::FieldKind};

    fn union() -> OwnField {
        let (slug, label) = ("union".to_owned(), "Your union".to_owned());
        OwnField { number: 7, slug, label, kind: FieldKind::Text, choices: Vec::new() }
    }

    fn headers(columns: &Columns) -> String {
        columns.headed.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn presets_have_the_headers_their_tools_take() {
        let expected = [
            (
                Preset::Default,
                "id,email,given_name,family_name,phone,postal_code,region,country,language,status,tags,involvement,groups,\
                 source,form,signed_up_at,confirmed_at,unsubscribed_at,notice_id",
            ),
            (
                Preset::ActionNetwork,
                "first_name,last_name,email,can2_phone,zip_code,can2_state_abbreviated,can2_user_tags,\
                 can2_subscription_status,uuid",
            ),
            (
                Preset::EveryAction,
                "First Name,Last Name,Email Address,Phone,Zip,State,Email Subscription Status",
            ),
            (
                Preset::Nationbuilder,
                "first_name,last_name,email,mobile_number,primary_zip,primary_state,tag_list,email_opt_in,\
                 nationbuilder_id",
            ),
            (
                Preset::Mailchimp,
                "Email Address,First Name,Last Name,Phone Number,TAGS,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP",
            ),
            (Preset::Listmonk, "email,name,attributes"),
        ];
        for (preset, header) in expected {
            assert_eq!(headers(&Columns::preset(preset, Sight::Everybody, &[])), header);
        }
    }

    #[test]
    fn a_group_sees_contact_fields_and_its_own_share_alone() {
        let sight = Sight::Group(Id::new());
        let seen = "id,email,given_name,family_name,phone,postal_code,region,country,language,shared_at";
        assert_eq!(headers(&Columns::preset(Preset::Default, sight, &[union()])), seen);
        assert_eq!(headers(&Columns::named(seen, sight, &[]).unwrap()), seen);
        for hidden in [
            "tags",
            "groups",
            "source",
            "form",
            "involvement",
            "confirmed_at",
            "notice_id",
            "status",
            "field.union",
        ] {
            let faults = Columns::named(&format!("email,{hidden}"), sight, &[union()]).unwrap_err();
            assert_eq!(faults[0].code, "not_for_you", "{hidden}");
        }
    }

    #[test]
    fn fields_that_staff_defined_are_columns_of_the_default_export_and_of_those_who_name_them() {
        let columns = Columns::preset(Preset::Default, Sight::Everybody, &[union()]);
        assert!(headers(&columns).ends_with(",notice_id,field.union"));
        assert_eq!(columns.own, [union()]);
        let chosen = Columns::named("field.union,email", Sight::Everybody, &[union()]).unwrap();
        assert_eq!(headers(&chosen), "field.union,email");
        assert_eq!((chosen.headed[0].1, chosen.own.len()), (Column::Own(0), 1));
        let unknown = Columns::named("field.shoe", Sight::Everybody, &[union()]).unwrap_err();
        assert_eq!(unknown[0].message, "there is no field shoe");
    }

    #[test]
    fn columns_are_taken_in_the_order_given_and_faults_are_named() {
        let chosen = Columns::named("email, tags,id", Sight::Everybody, &[]).unwrap();
        assert_eq!(
            (headers(&chosen).as_str(), chosen.name.as_str()),
            ("email,tags,id", "columns:email,tags,id")
        );
        for (list, code) in [
            ("", "unknown_column"),
            ("email,x", "unknown_column"),
            ("email,email", "duplicate"),
            ("field.union,field.union", "duplicate"),
            ("email,field.shoe", "unknown_column"),
            ("field.", "unknown_column"),
            ("shared_at", "not_for_you"),
        ] {
            assert_eq!(
                Columns::named(list, Sight::Everybody, &[union()]).unwrap_err()[0].code,
                code,
                "{list}"
            );
        }
    }
}
