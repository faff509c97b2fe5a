//! The ways to a group's join link: the link, a QR code of it, and a piece of HTML for the group's own site. Pure.

use qrcode::{Color, EcLevel, QrCode};
use serde::Serialize;
use utoipa::ToSchema;

/// White modules around the code, as ISO/IEC 18004 asks.
const QUIET: usize = 4;

/// Where people sign up by this group's link.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InviteView {
    /// The join page; this group is offered first there, unticked.
    pub join_url: String,
    /// The link as a picture for print.
    pub qr_url: String,
    /// HTML for the group's own site: a link, no script, nothing that is fetched.
    pub embed_html: String,
}

impl InviteView {
    /// The ways to the group with this slug.
    pub(super) fn of(base_url: &str, slug: &str, campaign: &str) -> Self {
        let join_url = join_url(base_url, slug);
        let embed_html =
            format!("<p><a href=\"{join_url}\" rel=\"noopener\">Join {}</a></p>", escaped(campaign));
        Self { qr_url: format!("{base_url}/api/v1/groups/{slug}/qr.svg"), join_url, embed_html }
    }
}

/// Where people sign up by this group's link.
pub(super) fn join_url(base_url: &str, slug: &str) -> String {
    format!("{base_url}/join?group={slug}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A QR code of `text` as SVG: black modules on white, one unit each.
pub(super) fn qr_svg(text: &str) -> Result<String, qrcode::types::QrError> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M)?;
    let (width, side) = (code.width(), code.width() + 2 * QUIET);
    let mut path = String::new();
    for (at, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            path.push_str(&format!("M{} {}h1v1h-1z", at % width + QUIET, at / width + QUIET));
        }
    }
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/><path d=\"{path}\" fill=\"#000\"/></svg>"
    ))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_three_finders_and_its_quiet_zone() {
        let svg = qr_svg("https://join.example.org/join?group=valley").unwrap();
        assert!(svg.starts_with("<svg xmlns="));
        // The finder at the upper left: seven dark modules in its first row, none in the quiet zone.
        assert!((4..11).all(|x| svg.contains(&format!("M{x} 4h1v1h-1z"))) && !svg.contains("M11 4h"));
        assert!(!svg.contains("M3 "));
    }

    #[test]
    fn an_embed_is_a_link_whatever_the_campaign_is_called() {
        let invite = InviteView::of("https://join.example.org", "valley", "Good \"Steel\" & <Co>");
        assert_eq!(
            invite.embed_html,
            "<p><a href=\"https://join.example.org/join?group=valley\" rel=\"noopener\">Join Good &quot;Steel&quot; \
             &amp; &lt;Co&gt;</a></p>"
        );
    }
}
