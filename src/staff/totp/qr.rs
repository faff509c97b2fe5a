//! A QR code as inline SVG, for an app's camera. Black on white with the quiet zone of four modules (ISO/IEC 18004),
//! also on dark pages: cameras want it so.

use std::fmt::Write;

use qrcode::{Color, EcLevel, QrCode};

use crate::error::AppError;

const QUIET: usize = 4;

/// The picture of `text`.
///
/// # Errors
/// When the text is too long for a QR code, which ours is not.
pub fn svg(text: &str) -> Result<String, AppError> {
    let code =
        QrCode::with_error_correction_level(text, EcLevel::M).map_err(|error| AppError::internal(&error))?;
    let width = code.width();
    let colors = code.to_colors();
    let mut path = String::new();
    for (y, row) in colors.chunks(width.max(1)).enumerate() {
        let mut x = 0;
        while x < row.len() {
            let dark = row[x..].iter().take_while(|color| **color == Color::Dark).count();
            if dark > 0 {
                // Writing to a String cannot fail.
                let _ = write!(path, "M{} {}h{dark}v1h-{dark}z", x + QUIET, y + QUIET);
            }
            x += dark.max(1);
        }
    }
    let side = width + 2 * QUIET;
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" role=\"img\" \
         aria-label=\"QR code for your authenticator app\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
    ))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    /// The dark modules of the path, read back as a reader of SVG would.
    fn dark(svg: &str) -> Vec<(usize, usize)> {
        let path = svg.rsplit("d=\"").next().unwrap().split('"').next().unwrap();
        let pieces = path.split('z').filter(|piece| !piece.is_empty());
        let mut found = Vec::new();
        for piece in pieces {
            let (at, rest) = piece[1..].split_once('h').unwrap();
            let (x, y) = at.split_once(' ').unwrap();
            let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
            let length: usize = rest.split('v').next().unwrap().parse().unwrap();
            found.extend((x..x + length).map(|x| (x, y)));
        }
        found
    }

    #[test]
    fn the_picture_has_every_dark_module_and_no_other() {
        let text = "otpauth://totp/x:y?secret=GEZDGNBVGY3TQOJQ";
        let code = QrCode::with_error_correction_level(text, EcLevel::M).unwrap();
        let width = code.width();
        let colors = code.to_colors();
        let expected: Vec<_> = (0..width * width)
            .filter(|at| colors[*at] == Color::Dark)
            .map(|at| (at % width + QUIET, at / width + QUIET))
            .collect();
        assert_eq!(dark(&svg(text).unwrap()), expected);
    }
}
