//! The OpenAPI 3.1 document, from the code of the routes.

use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use crate::{
    exports::routes as exports,
    forms::routes as forms,
    groups::own_routes as own_group,
    groups::recall_routes as recalls,
    groups::routes::{logo as group_logo, public as group_public, review as group_review},
    imports::routes as imports,
    ops::outbox,
    preferences::routes as preferences,
    signups::routes as signups,
    staff::{audit_routes as audit, routes as staff},
    stats::routes as stats,
    supporters::{
        field_routes as fields, record_routes as records, routes as supporters, segment_routes as segments,
        tag_routes as tags,
    },
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Openhearth",
        description = "Sign-ups confirmed by e-mail, consent by name, contact lists. Errors are \
                       application/problem+json (RFC 9457); unknown JSON fields are refused with 422; bodies are \
                       at most 64 KiB; times are RFC 3339 in UTC.",
        license(name = "MIT")
    ),
    paths(
        signups::create_signup, signups::create_confirmation, signups::list_signups,
        preferences::show, preferences::change, preferences::erase, preferences::prove_consent,
        audit::list_entries, audit::verify_trail, audit::export_entries,
        staff::log_in, staff::log_out, staff::me, staff::change_password, staff::list_sessions, staff::end_session,
        staff::begin_totp, staff::confirm_totp, staff::renew_recovery_codes, staff::remove_totp,
        staff::list_tokens, staff::create_token, staff::revoke_token, staff::list_tokens_of, staff::revoke_token_of,
        staff::list_staff, staff::invite_staff, staff::change_staff, staff::take_back_invitation,
        staff::invite_again, staff::send_reset, staff::reset_totp, staff::show_settings, staff::change_settings,
        staff::accept_invitation, staff::request_reset, staff::complete_reset,
        forms::show_form, forms::change_form, outbox::list_mails, outbox::retry_mails,
        group_public::create_application, group_public::list_directory, group_public::show_member,
        group_review::list_groups, group_review::show_group, group_review::change_group,
        group_review::approve_group, group_review::decline_group, group_review::ask_group,
        group_review::leave_group, group_logo::put_logo, group_logo::delete_logo,
        supporters::list_supporters,
        records::show_supporter, records::change_supporter, records::erase_supporter, records::suppress_supporter,
        records::merge_supporters, records::list_notes, records::add_note, records::delete_note,
        tags::list_tags, tags::create_tag, tags::rename_tag, tags::delete_tag, tags::apply_tag,
        tags::show_tag_operation,
        fields::list_all_fields, fields::create_field, fields::change_field, fields::delete_field,
        segments::list_segments, segments::show_segment, segments::create_segment, segments::change_segment,
        segments::delete_segment,
        exports::list_exports, exports::export_csv, exports::export_ndjson, exports::export_xlsx, stats::show_stats,
        recalls::feed, recalls::feed_ndjson, recalls::acknowledge, recalls::show_webhook, recalls::set_webhook,
        recalls::remove_webhook, recalls::standings, recalls::replay,
        imports::upload_import, imports::list_imports, imports::show_import, imports::map_import,
        imports::start_import, imports::cancel_import, imports::refused_rows,
        own_group::group_stats, own_group::invite, own_group::qr
    ),
    modifiers(&Security)
)]
struct Document;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("oh_…").build();
        components.add_security_scheme("token", SecurityScheme::Http(bearer));
        let cookie =
            ApiKey::Cookie(ApiKeyValue::with_description("oh_session", "__Host-oh_session under https"));
        components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    }
}

/// The document.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}
