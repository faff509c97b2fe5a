//! `/dev/mailbox`: the mails of a developer's machine. Mounted only there.

use actix_web::{
    HttpResponse,
    http::header,
    web::{self, Data, Path},
};

use super::{
    Ops,
    pages::{MailboxMessagePage, MailboxPage, MailboxRow},
};
use crate::{
    clock::Timestamp,
    error::AppError,
    http::{Endpoint, Page},
    mail::transport::mailbox::{Mailbox, Stored},
};

/// Mails on the list.
const SHOWN: usize = 200;

fn moment(at: std::time::SystemTime) -> String {
    let since = at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_seconds(i64::try_from(since.as_secs()).unwrap_or(0)).to_string()
}

async fn list(ops: Data<Ops>, mailbox: Data<Mailbox>) -> Result<Page, AppError> {
    let mails = mailbox.list(SHOWN).await.map_err(|error| AppError::internal(&error))?;
    let nonce = Page::nonce()?;
    let messages = mails.into_iter().map(|mail| MailboxRow {
        url: format!("/dev/mailbox/{}", mail.id),
        subject: mail.subject,
        to: mail.to,
        at: moment(mail.date),
    });
    Page::render(&MailboxPage { site: ops.kernel.site(&nonce), messages: messages.collect() }, nonce)
}

async fn read(mailbox: &Mailbox, id: &str) -> Result<Stored, AppError> {
    let missing = || AppError::NotFound("there is no such mail".to_owned());
    let id = id.parse().map_err(|_| missing())?;
    mailbox.read(id).await.map_err(|error| AppError::internal(&error))?.ok_or_else(missing)
}

async fn show(ops: Data<Ops>, mailbox: Data<Mailbox>, id: Path<String>) -> Result<Page, AppError> {
    let mail = read(&mailbox, &id).await?;
    let nonce = Page::nonce()?;
    let page = MailboxMessagePage {
        site: ops.kernel.site(&nonce),
        subject: mail.summary.subject,
        from: ops.kernel.config.mail.from.clone(),
        to: mail.summary.to,
        at: moment(mail.summary.date),
        text: mail.text.unwrap_or_default(),
        html_url: mail.html.map(|_| format!("/dev/mailbox/{id}/html")),
        eml_url: format!("/dev/mailbox/{id}/raw"),
    };
    Page::render(&page, nonce)
}

/// The HTML part, shut in by a policy of its own: a mail must not act as a page of ours.
async fn html(mailbox: Data<Mailbox>, id: Path<String>) -> Result<HttpResponse, AppError> {
    let mail = read(&mailbox, &id).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-popups allow-top-navigation-by-user-activation",
        ))
        .body(mail.html.unwrap_or_default()))
}

async fn raw(mailbox: Data<Mailbox>, id: Path<String>) -> Result<HttpResponse, AppError> {
    let mail = read(&mailbox, &id).await?;
    Ok(HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8")).body(mail.raw))
}

/// Mounts the pages.
pub fn routes(config: &mut web::ServiceConfig) {
    Endpoint::at("/dev/mailbox").get(list).mount(config);
    Endpoint::at("/dev/mailbox/{id}").get(show).mount(config);
    Endpoint::at("/dev/mailbox/{id}/html").get(html).mount(config);
    Endpoint::at("/dev/mailbox/{id}/raw").get(raw).mount(config);
}
