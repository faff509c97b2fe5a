//! The staff's part of the API.

mod accounts;
mod links;
mod own;
mod session;
mod tokens;
mod totp;

use actix_web::web::ServiceConfig;

// With the descriptions that the API document is made of.
pub(crate) use self::{accounts::*, links::*, own::*, session::*, tokens::*, totp::*};

use crate::http::Endpoint;

/// Mounts the routes.
pub fn api(config: &mut ServiceConfig) {
    Endpoint::at("/api/v1/admin/session").post(log_in).delete(log_out).mount(config);
    Endpoint::at("/api/v1/admin/me").get(me).mount(config);
    Endpoint::at("/api/v1/admin/me/password").post(change_password).mount(config);
    Endpoint::at("/api/v1/admin/me/sessions").get(list_sessions).mount(config);
    Endpoint::at("/api/v1/admin/me/sessions/{id}").delete(end_session).mount(config);
    Endpoint::at("/api/v1/admin/me/totp").post(begin_totp).delete(remove_totp).mount(config);
    Endpoint::at("/api/v1/admin/me/totp/confirmation").post(confirm_totp).mount(config);
    Endpoint::at("/api/v1/admin/me/totp/recovery-codes").post(renew_recovery_codes).mount(config);
    Endpoint::at("/api/v1/admin/tokens").get(list_tokens).post(create_token).mount(config);
    Endpoint::at("/api/v1/admin/tokens/{id}").delete(revoke_token).mount(config);
    Endpoint::at("/api/v1/admin/staff").get(list_staff).post(invite_staff).mount(config);
    Endpoint::at("/api/v1/admin/staff/{id}").patch(change_staff).delete(take_back_invitation).mount(config);
    Endpoint::at("/api/v1/admin/staff/{id}/invitation").post(invite_again).mount(config);
    Endpoint::at("/api/v1/admin/staff/{id}/password-reset").post(send_reset).mount(config);
    Endpoint::at("/api/v1/admin/staff/{id}/totp").delete(reset_totp).mount(config);
    Endpoint::at("/api/v1/admin/staff/{id}/tokens").get(list_tokens_of).mount(config);
    Endpoint::at("/api/v1/admin/staff/{id}/tokens/{token}").delete(revoke_token_of).mount(config);
    Endpoint::at("/api/v1/admin/settings").get(show_settings).patch(change_settings).mount(config);
    Endpoint::at("/api/v1/admin/invitations").post(accept_invitation).mount(config);
    Endpoint::at("/api/v1/admin/password-resets").post(request_reset).mount(config);
    Endpoint::at("/api/v1/admin/password-resets/completion").post(complete_reset).mount(config);
}
