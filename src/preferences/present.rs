//! What a person's record is as lines of a page, in their language. Called by the page routes; looks nothing up.

use super::{
    holdings::{ExportRecord, Holdings, ShareRecord},
    pages::{DetailsValues, OfferedGroup, PageReceipt, SharedGroup, StoredField},
    words::{ChoiceWords, DetailWords, FAULTS},
};
use crate::{clock::Timestamp, error::FieldError, site, speech::Speech, supporters::Supporter};

/// The day of `at`, in UTC.
pub(super) fn day(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

pub(super) fn shared_groups(holdings: &Holdings) -> Vec<SharedGroup> {
    let group = |share: &ShareRecord| SharedGroup {
        slug: share.slug.clone(),
        name: share.name.clone(),
        since: day(share.given_at),
    };
    holdings.active_shares().map(group).collect()
}

/// Groups shared with, then the other members.
pub(super) fn offered_groups(holdings: &Holdings, members: Vec<(String, String)>) -> Vec<OfferedGroup> {
    let mut offered: Vec<OfferedGroup> = shared_groups(holdings)
        .into_iter()
        .map(|group| OfferedGroup { slug: group.slug, name: group.name, since: Some(group.since) })
        .collect();
    for (slug, name) in members {
        if !offered.iter().any(|group| group.slug == slug) {
            offered.push(OfferedGroup { slug, name, since: None });
        }
    }
    offered
}

pub(super) fn recalled(holdings: &Holdings, d: &DetailWords) -> Vec<String> {
    let line = |recall: &super::holdings::RecallRecord| {
        d.recalled.replace("{group}", &recall.group).replace("{date}", &day(recall.created_at))
    };
    holdings.recalls.iter().map(line).collect()
}

pub(super) fn history(holdings: &Holdings, d: &DetailWords) -> Vec<String> {
    let ended = holdings.shares.iter().filter_map(|share| Some((share, share.withdrawn_at?)));
    ended
        .map(|(share, withdrawn)| {
            d.history_line
                .replace("{group}", &share.name)
                .replace("{given}", &day(share.given_at))
                .replace("{withdrawn}", &day(withdrawn))
        })
        .collect()
}

pub(super) fn exports(holdings: &Holdings, d: &DetailWords, campaign: &str) -> Vec<String> {
    let line = |export: &ExportRecord| {
        let who = match (&export.group, export.taken_by.as_str()) {
            (Some(group), _) => d.taken_by_group.replace("{group}", group),
            (None, "owner") => d.taken_by_owner.replace("{campaign}", campaign),
            (None, "organizer") => d.taken_by_organizer.replace("{campaign}", campaign),
            (None, _) => d.taken_by_other.replace("{campaign}", campaign),
        };
        d.export_line
            .replace("{date}", &day(export.at))
            .replace("{who}", &who)
            .replace("{purpose}", &export.purpose)
    };
    holdings.exports.iter().map(line).collect()
}

/// What was agreed to: the campaign's wording, then that of each share.
pub(super) fn receipts(supporter: &Supporter, holdings: &Holdings) -> Vec<PageReceipt> {
    let campaign = holdings.receipt(supporter.notice_id, supporter.confirmed_at);
    let campaign = campaign.map(|consent| PageReceipt { group: None, consent });
    let of_share = |share: &ShareRecord| {
        let consent = holdings.receipt(share.notice_id, share.given_at)?;
        Some(PageReceipt { group: Some(share.name.clone()), consent })
    };
    campaign.into_iter().chain(holdings.active_shares().filter_map(of_share)).collect()
}

pub(super) fn stored_fields(supporter: &Supporter, holdings: &Holdings, d: &DetailWords) -> Vec<StoredField> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let phone_use = if supporter.phone_consent { d.phone_yes } else { d.phone_no };
    let phone = supporter.phone.as_ref().map(|number| phone_use.replace("{number}", number));
    let source = &holdings.source;
    let sources = [
        &source.code,
        &source.group,
        &source.page,
        &source.utm_source,
        &source.utm_medium,
        &source.utm_campaign,
    ];
    let sources: Vec<&str> = sources.into_iter().flatten().map(String::as_str).collect();
    let fields = [
        (d.email, supporter.email.clone()),
        (d.given_name, text(&supporter.given_name)),
        (d.family_name, text(&supporter.family_name)),
        (d.phone, text(&phone)),
        (d.postal_code, text(&supporter.postal_code)),
        (d.region, text(&supporter.region)),
        (d.country, text(&supporter.country)),
        (d.language, supporter.language.clone()),
        (d.involvement, supporter.involvement.replace(',', ", ")),
        (d.source, sources.join(", ")),
        (d.tags, holdings.tags.join(", ")),
        (d.signed_up, supporter.signed_up_at.to_string()),
        (d.confirmed, supporter.confirmed_at.to_string()),
    ];
    let own = fields.into_iter().map(|(label, value)| StoredField { label: label.to_owned(), value });
    let answers = holdings.fields.iter().map(|answer| {
        let value = match answer.value.as_str() {
            "true" => d.yes,
            "false" => d.no,
            other => other,
        };
        StoredField { label: answer.label.clone(), value: value.to_owned() }
    });
    let notes = holdings.notes.iter().map(|note| StoredField {
        label: d.note.replace("{date}", &day(note.created_at)),
        value: note.text.clone(),
    });
    own.chain(answers).chain(notes).collect()
}

pub(super) fn stored_values(supporter: &Supporter) -> DetailsValues {
    let stored = |value: &Option<String>| value.clone().unwrap_or_default();
    DetailsValues {
        given_name: stored(&supporter.given_name),
        family_name: stored(&supporter.family_name),
        postal_code: stored(&supporter.postal_code),
        language: Speech::of(&supporter.language).tag().to_owned(),
    }
}

/// What is wrong, in the language of the page.
pub(super) fn faults(faults: Vec<FieldError>, speech: Speech) -> Vec<site::FieldError> {
    let said = |fault: &FieldError| site::faults::said(speech, FAULTS, &fault.message);
    faults.into_iter().map(|fault| site::FieldError::new(&fault.field, said(&fault))).collect()
}

/// The sentence after sharing with a group ended.
pub(super) fn withdrawn(w: &ChoiceWords, group: &str) -> String {
    w.withdrawn.replace("{group}", group)
}
