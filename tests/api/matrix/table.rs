//! Every route, and who it is for. A new route fails the matrix until it has its line here:
//!
//! - `Open`: no session or token is asked for.
//! - `Own`: one's own account (`Access<OwnAccount>`).
//! - `Needs("scope")`: a capability without `bound`. `Bound("scope")`: one with it. `Session("scope")`: one that is
//!   `by_session`.
//! - A GET or a POST whose answer lists people by name: `.shows_people()`.
//! - A path with a supporter's or a group's id: `.of(Of::Supporter)`, `.of(Group)`; whoever is bound to group A must then get
//!   403 or 404 for B's.
//! - What the request must carry to be understood: `.query("purpose=x")`, `.json(r#"{"name":"x"}"#)`, `.body(type, text)`.
//!
//! Unsafe methods are really carried out, GETs first, those who may not before those who may.

// Beside these, as they are needed: `put`, `Of::Supporter`.
use super::line::{
    Line,
    Of::{self, Group},
    Who::{Bound, Needs, Open, Own, Session},
    delete, get, patch, post, put,
};

pub const LINES: &[Line] = &[
    // site and ops
    get("/", Open),
    get("/static/{path:.*}", Open),
    get("/healthz", Open),
    get("/readyz", Open),
    get("/.well-known/security.txt", Open),
    get("/metrics", Open),
    get("/api/docs", Open),
    get("/api/v1/openapi.json", Open),
    get("/dev/mailbox", Open),
    get("/dev/mailbox/{id}", Open),
    get("/dev/mailbox/{id}/html", Open),
    get("/dev/mailbox/{id}/raw", Open),
    // sign-ups
    get("/join", Open),
    post("/join", Open),
    get("/join/check-inbox", Open),
    get("/confirm/{token}", Open),
    post("/confirm/{token}", Open),
    post("/api/v1/signups", Open),
    post("/api/v1/confirmations", Open),
    get("/api/v1/admin/signups", Needs("supporters:read")).shows_people(),
    get("/api/v1/admin/outbox", Needs("supporters:read")),
    post("/api/v1/admin/outbox/retry", Needs("supporters:write")),
    // groups
    get("/api/v1/admin/forms/{slug}", Needs("forms")),
    patch("/api/v1/admin/forms/{slug}", Needs("forms")),
    get("/groups", Open).names_groups(),
    get("/groups/{slug}", Open),
    get("/groups/{slug}/logo", Open),
    get("/groups/apply", Open),
    post("/groups/apply", Open),
    get("/groups/apply/sent", Open),
    get("/groups/answer/{token}", Open),
    post("/groups/answer/{token}", Open),
    get("/groups/confirm/{token}", Open),
    post("/groups/confirm/{token}", Open),
    get("/api/v1/groups", Open).names_groups(),
    post("/api/v1/groups", Open),
    get("/api/v1/groups/{slug}", Open),
    get("/api/v1/admin/groups", Needs("groups")),
    get("/api/v1/admin/groups/{id}", Bound("groups")).of(Group),
    patch("/api/v1/admin/groups/{id}", Bound("groups")).of(Group),
    post("/api/v1/admin/groups/{id}/approve", Needs("groups")),
    post("/api/v1/admin/groups/{id}/decline", Needs("groups")).json(r#"{"reason":"x"}"#),
    post("/api/v1/admin/groups/{id}/ask", Needs("groups")).json(r#"{"question":"x"}"#),
    post("/api/v1/admin/groups/{id}/leave", Needs("groups")),
    put("/api/v1/admin/groups/{id}/logo", Bound("groups")).of(Group),
    delete("/api/v1/admin/groups/{id}/logo", Bound("groups")).of(Group),
    // preferences
    get("/unsubscribe/{token}", Open),
    post("/unsubscribe/{token}", Open),
    get("/not-me/{token}", Open),
    post("/not-me/{token}", Open),
    get("/preferences/{token}", Open),
    post("/preferences/{token}", Open),
    post("/preferences/{token}/link", Open),
    post("/preferences/{token}/withdraw", Open),
    post("/preferences/{token}/share", Open),
    post("/preferences/{token}/pause", Open),
    post("/preferences/{token}/resume", Open),
    post("/preferences/{token}/leave", Open),
    post("/preferences/{token}/erase", Open),
    get("/preferences/{token}/data.json", Open),
    get("/api/v1/preferences/{token}", Open),
    patch("/api/v1/preferences/{token}", Open),
    delete("/api/v1/preferences/{token}", Open),
    // staff
    get("/setup/{token}", Open),
    post("/setup/{token}", Open),
    get("/invite/{token}", Open),
    post("/invite/{token}", Open),
    get("/reset", Open),
    post("/reset", Open),
    post("/api/v1/admin/invitations", Open),
    post("/api/v1/admin/password-resets", Open),
    post("/api/v1/admin/password-resets/completion", Open),
    post("/api/v1/admin/me/password", Own).json(r#"{"current_password":"x","new_password":"x"}"#),
    get("/api/v1/admin/me/sessions", Own),
    delete("/api/v1/admin/me/sessions/{id}", Own),
    post("/api/v1/admin/me/totp", Own).json(r#"{"current_password":"x"}"#),
    delete("/api/v1/admin/me/totp", Own).json(r#"{"current_password":"x"}"#),
    post("/api/v1/admin/me/totp/confirmation", Own).json(r#"{"code":"123456"}"#),
    post("/api/v1/admin/me/totp/recovery-codes", Own).json(r#"{"current_password":"x"}"#),
    get("/api/v1/admin/staff", Needs("staff")),
    post("/api/v1/admin/staff", Session("staff")).json(r#"{"email":"x","role":"analyst"}"#),
    patch("/api/v1/admin/staff/{id}", Session("staff")),
    delete("/api/v1/admin/staff/{id}", Session("staff")),
    post("/api/v1/admin/staff/{id}/invitation", Session("staff")),
    post("/api/v1/admin/staff/{id}/password-reset", Session("staff")),
    delete("/api/v1/admin/staff/{id}/totp", Session("staff")),
    get("/api/v1/admin/staff/{id}/tokens", Needs("staff")),
    delete("/api/v1/admin/staff/{id}/tokens/{token}", Session("staff")),
    get("/api/v1/admin/settings", Needs("staff")),
    patch("/api/v1/admin/settings", Session("staff")),
    get("/reset/{token}", Open),
    post("/reset/{token}", Open),
    post("/api/v1/admin/session", Open),
    delete("/api/v1/admin/session", Own).ends_session(),
    get("/api/v1/admin/me", Own),
    get("/api/v1/admin/tokens", Own),
    post("/api/v1/admin/tokens", Own).json(r#"{"name":"x","scopes":["stats"]}"#),
    delete("/api/v1/admin/tokens/{id}", Own),
    // audit
    get("/api/v1/admin/audit", Needs("audit")),
    get("/api/v1/admin/audit/verify", Needs("audit")),
    get("/api/v1/admin/exports/audit.ndjson", Needs("audit")),
    // supporters, segments, tags, fields
    get("/api/v1/admin/supporters", Bound("supporters:read")).shows_people(),
    get("/api/v1/admin/supporters/{id}", Needs("supporters:read")).of(Of::Supporter),
    patch("/api/v1/admin/supporters/{id}", Needs("supporters:write")).of(Of::Supporter),
    delete("/api/v1/admin/supporters/{id}", Needs("supporters:write")),
    post("/api/v1/admin/supporters/{id}/suppress", Needs("supporters:write")),
    post("/api/v1/admin/supporters/{id}/merge", Needs("supporters:write"))
        .json(r#"{"other":"01900000-0000-7000-8000-000000000000"}"#),
    get("/api/v1/admin/supporters/{id}/notes", Needs("supporters:read")).of(Of::Supporter),
    post("/api/v1/admin/supporters/{id}/notes", Needs("supporters:write")).json(r#"{"text":"x"}"#),
    delete("/api/v1/admin/supporters/{id}/notes/{note}", Needs("supporters:write")),
    get("/api/v1/admin/tags", Needs("supporters:read")),
    post("/api/v1/admin/tags", Needs("supporters:write")).json(r#"{"slug":"x"}"#),
    patch("/api/v1/admin/tags/{slug}", Needs("forms")).json(r#"{"slug":"x"}"#),
    delete("/api/v1/admin/tags/{slug}", Needs("forms")),
    post("/api/v1/admin/tags/{slug}/apply", Needs("supporters:write")).json(r#"{"action":"add"}"#),
    get("/api/v1/admin/tag-operations/{id}", Needs("supporters:read")),
    get("/api/v1/admin/fields", Needs("supporters:read")),
    post("/api/v1/admin/fields", Needs("forms")).json(r#"{"slug":"x","label":"X","kind":"text"}"#),
    patch("/api/v1/admin/fields/{slug}", Needs("forms")),
    delete("/api/v1/admin/fields/{slug}", Needs("forms")),
    get("/api/v1/admin/segments", Needs("supporters:read")),
    get("/api/v1/admin/segments/{slug}", Needs("supporters:read")),
    post("/api/v1/admin/segments", Needs("supporters:write")).json(r#"{"slug":"x","name":"X","query":""}"#),
    patch("/api/v1/admin/segments/{slug}", Needs("supporters:write"))
        .json(r#"{"slug":"x","name":"X","query":""}"#),
    delete("/api/v1/admin/segments/{slug}", Needs("supporters:write")),
    // imports
    get("/api/v1/admin/imports", Needs("imports")),
    post("/api/v1/admin/imports", Needs("imports")).body(
        "multipart/form-data; boundary=x",
        "--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nemail\r\n--x--\r\n",
    ),
    get("/api/v1/admin/imports/{id}", Needs("imports")).of(Of::Import).shows_people(),
    patch("/api/v1/admin/imports/{id}/mapping", Needs("imports")).json(r#"{"columns":[]}"#),
    post("/api/v1/admin/imports/{id}/start", Needs("imports")).json("{}"),
    post("/api/v1/admin/imports/{id}/cancel", Needs("imports")),
    get("/api/v1/admin/imports/{id}/refused.csv", Needs("imports")).of(Of::Import).shows_people(),
    // exports
    get("/api/v1/admin/exports", Needs("exports")),
    get("/api/v1/admin/exports/supporters.csv", Bound("exports"))
        .query("purpose=newsletter")
        .also("purpose=newsletter&gzip=true")
        .shows_people(),
    get("/api/v1/admin/exports/supporters.ndjson", Bound("exports"))
        .query("purpose=newsletter")
        .also("purpose=newsletter&gzip=true")
        .shows_people(),
    get("/api/v1/admin/exports/supporters.xlsx", Bound("exports")).query("purpose=newsletter").shows_people(),
    // stats
    get("/api/v1/admin/stats", Needs("stats")),
    // imports
    // groups
    get("/api/v1/admin/supporters/{id}/consent.html", Needs("supporters:read")).of(Of::Supporter),
    get("/api/v1/admin/groups/{id}/stats", Bound("groups")).of(Of::Group),
    get("/api/v1/groups/{slug}/invite", Bound("groups")).of(Of::Group),
    get("/api/v1/groups/{slug}/qr.svg", Bound("groups")).of(Of::Group),
    // recalls
    get("/api/v1/groups/{slug}/recalls", Bound("groups")).of(Of::Group),
    get("/api/v1/groups/{slug}/recalls.ndjson", Bound("groups")).of(Of::Group),
    post("/api/v1/groups/{slug}/recalls/acknowledge", Bound("groups")).of(Of::Group).json(r#"{"up_to":1}"#),
    get("/api/v1/groups/{slug}/webhook", Bound("groups")).of(Of::Group),
    post("/api/v1/groups/{slug}/webhook", Bound("groups"))
        .of(Of::Group)
        .json(r#"{"url":"https://127.0.0.1/"}"#),
    delete("/api/v1/groups/{slug}/webhook", Bound("groups")).of(Of::Group),
    get("/api/v1/admin/recalls", Needs("groups")),
    post("/api/v1/admin/groups/{id}/recalls/replay", Needs("groups")).of(Of::Group),
];
