//! A logo as it comes in and as it is served: recognised by its first bytes, decoded within bounds, turned upright, made
//! small and written anew as PNG, so that nothing of the file itself is kept: no metadata, no script, nothing hidden.
//! Pure, and slow enough to need a thread of its own.

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits,
    imageops::{self, FilterType},
};

/// Bytes of a file that is taken.
pub const MOST_BYTES: usize = 1024 * 1024;
/// Pixels of a side that is decoded.
const MOST_SIDE: u32 = 4096;
/// Bytes that decoding may take: four for each pixel of the largest.
const MOST_MEMORY: u64 = 80 * 1024 * 1024;
/// Pixels of a side that is served.
const SIDE: u32 = 400;

/// Why a file is no logo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// Not one of the formats, whatever it is called.
    #[error("send a PNG, JPEG or WebP image; SVG is not taken, since it can hold programs")]
    Format,
    /// Larger than is decoded.
    #[error("make the image at most 4096 pixels wide and high")]
    TooLarge,
    /// Broken, or not what its first bytes say.
    #[error("this image cannot be read; save it again and send that")]
    Broken,
}

impl PictureError {
    /// The stable code for `errors[].code` in a problem document.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Format => "unsupported_format",
            Self::TooLarge => "too_large",
            Self::Broken => "broken_image",
        }
    }
}

/// The PNG that is served for `file`: at most 400 pixels wide and high.
///
/// # Errors
/// Why there is none.
pub fn to_png(file: &[u8]) -> Result<Vec<u8>, PictureError> {
    let format = image::guess_format(file).map_err(|_| PictureError::Format)?;
    if !matches!(format, ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP) {
        return Err(PictureError::Format);
    }
    let mut reader = ImageReader::with_format(Cursor::new(file), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(MOST_SIDE);
    limits.max_image_height = Some(MOST_SIDE);
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(refused)?;
    let (width, height) = decoder.dimensions();
    if width > MOST_SIDE || height > MOST_SIDE || decoder.total_bytes() > MOST_MEMORY {
        return Err(PictureError::TooLarge);
    }
    let orientation = decoder.orientation().map_err(refused)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(refused)?;
    picture.apply_orientation(orientation);
    let mut pixels = picture.into_rgba8();
    let longest = pixels.width().max(pixels.height());
    if longest > SIDE {
        let scaled = |side: u32| {
            let side = u64::from(side) * u64::from(SIDE) / u64::from(longest);
            u32::try_from(side).unwrap_or(SIDE).max(1)
        };
        let (width, height) = (scaled(pixels.width()), scaled(pixels.height()));
        pixels = imageops::resize(&pixels, width, height, FilterType::Triangle);
    }
    let mut png = Cursor::new(Vec::new());
    pixels.write_to(&mut png, ImageFormat::Png).map_err(|_| PictureError::Broken)?;
    Ok(png.into_inner())
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn refused(error: image::ImageError) -> PictureError {
    match error {
        image::ImageError::Limits(_) => PictureError::TooLarge,
        image::ImageError::Unsupported(_) => PictureError::Format,
        _ => PictureError::Broken,
    }
}

#[cfg(test)]
mod tests {
    use image::{ExtendedColorType, ImageEncoder, codecs::jpeg::JpegEncoder};
    use proptest::prelude::*;

    use super::*;

    fn encoded(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        let made = DynamicImage::new_rgb8(width, height).write_to(&mut out, format);
        assert!(made.is_ok(), "{made:?}");
        out.into_inner()
    }

    fn size(png: &[u8]) -> Option<(u32, u32)> {
        let picture = image::load_from_memory_with_format(png, ImageFormat::Png).ok()?;
        Some((picture.width(), picture.height()))
    }

    #[test]
    fn each_format_becomes_a_small_png() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
            let png = to_png(&encoded(800, 200, format));
            assert_eq!(png.as_deref().map(size), Ok(Some((400, 100))), "{format:?}");
            assert_eq!(to_png(&encoded(30, 20, format)).as_deref().map(size), Ok(Some((30, 20))));
        }
        assert_eq!(to_png(&encoded(4096, 1, ImageFormat::Png)).as_deref().map(size), Ok(Some((400, 1))));
    }

    #[test]
    fn metadata_is_left_behind() {
        let mut jpeg = Vec::new();
        let mut encoder = JpegEncoder::new(&mut jpeg);
        assert!(encoder.set_exif_metadata(b"II*\0\x08\0\0\0\0\0 taken at 40.4406,-79.9959".to_vec()).is_ok());
        assert!(encoder.write_image(&[0; 12], 2, 2, ExtendedColorType::Rgb8).is_ok());
        let holds = |bytes: &[u8]| bytes.windows(8).any(|part| part == b"-79.9959");
        assert!(holds(&jpeg));
        assert!(to_png(&jpeg).is_ok_and(|png| !holds(&png)));
    }

    #[test]
    fn what_is_no_picture_of_these_formats_is_refused() {
        let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
        for file in [&b""[..], b"x", svg, b"GIF89a\x01\0\x01\0\0\0\0;", b"BM", b"<?xml version='1.0'?><svg/>"]
        {
            assert_eq!(to_png(file), Err(PictureError::Format));
        }
        let whole = encoded(300, 300, ImageFormat::Png);
        assert_eq!(to_png(&whole[..whole.len() / 2]), Err(PictureError::Broken));
    }

    /// A PNG whose head promises so many pixels, and that holds none.
    fn bomb(width: u32, height: u32) -> Vec<u8> {
        let mut head = b"IHDR".to_vec();
        head.extend(width.to_be_bytes());
        head.extend(height.to_be_bytes());
        head.extend([8, 6, 0, 0, 0]);
        let mut table = [0u32; 256];
        for (n, slot) in (0u32..).zip(&mut table) {
            *slot = (0..8).fold(n, |c, _| if c & 1 == 1 { 0xEDB8_8320 ^ (c >> 1) } else { c >> 1 });
        }
        let crc = !head
            .iter()
            .fold(!0u32, |crc, byte| table[usize::from(crc.to_le_bytes()[0] ^ byte)] ^ (crc >> 8));
        let mut file = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
        file.extend(head);
        file.extend(crc.to_be_bytes());
        file
    }

    #[test]
    fn a_bomb_is_refused_by_what_it_promises() {
        for (width, height) in [(60_000, 60_000), (4097, 1), (1, 1_000_000), (u32::MAX >> 1, 7)] {
            assert_eq!(to_png(&bomb(width, height)), Err(PictureError::TooLarge), "{width} × {height}");
        }
        // Few bytes of file, many of pixels: within bounds it is decoded, and no more memory than bounded taken.
        let wide = encoded(4096, 4096, ImageFormat::Png);
        assert!(wide.len() < MOST_BYTES);
        assert_eq!(to_png(&wide).as_deref().map(size), Ok(Some((400, 400))));
        assert_eq!(to_png(&encoded(5000, 10, ImageFormat::Jpeg)), Err(PictureError::TooLarge));
        assert_eq!(to_png(&encoded(5000, 10, ImageFormat::WebP)), Err(PictureError::TooLarge));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_damage_makes_decoding_panic(format in 0usize..3, cut in 0usize..400, at in 0usize..400, to: u8) {
            let format = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP][format];
            let mut file = encoded(20, 20, format);
            if let Some(byte) = file.get_mut(at) {
                *byte = to;
            }
            file.truncate(cut.max(12));
            let _ = to_png(&file);
        }
    }
}
