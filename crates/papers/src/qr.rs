//! A text as a QR code (二维码), as SVG; and the text of a QR code in a picture.
//!
//! Guarantees: a picture larger than a scanned page is refused before it is unpacked. Deliberately absent: PDF scans;
//! nothing here turns their pages into pictures.

use anyhow::Context;
use image::{ImageReader, Limits};
use qrcode::QrCode;
use qrcode::render::svg;
use std::io::Cursor;

/// The longest side of a picture that is looked at, in pixels: A4 at 600 dots an inch.
const SIDE: u32 = 7_200;

/// A QR code of a text as SVG (二维码), black on white with its quiet zone.
///
/// # Errors
/// When the text is too long for a QR code (more than about 2 900 bytes).
pub fn qr_svg(text: &str) -> anyhow::Result<String> {
    let code = QrCode::new(text).context("文字太长，放不进二维码 (too long for a QR code)")?;
    Ok(code
        .render::<svg::Color<'_>>()
        .dark_color(svg::Color("#000000"))
        .light_color(svg::Color("#ffffff"))
        .min_dimensions(120, 120)
        .build())
}

/// The text of the first QR code in a photograph or scan (读二维码), JPEG or PNG; `None` if there is none that can be read.
pub fn qr_in(picture: &[u8]) -> Option<String> {
    qrs_in(picture)?.into_iter().next()
}

/// The texts of all QR codes in a picture (读全部二维码); `None` if it is no picture.
pub fn qrs_in(picture: &[u8]) -> Option<Vec<String>> {
    let mut reader = ImageReader::new(Cursor::new(picture))
        .with_guessed_format()
        .ok()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE);
    limits.max_image_height = Some(SIDE);
    limits.max_alloc = Some(256 << 20);
    reader.limits(limits);
    let grey = reader.decode().ok()?.to_luma8();
    let (width, height) = (
        usize::try_from(grey.width()).ok()?,
        usize::try_from(grey.height()).ok()?,
    );
    let pixels = grey.into_raw();
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
        pixels.get(y * width + x).copied().unwrap_or(255)
    });
    let found = prepared
        .detect_grids()
        .iter()
        .filter_map(|grid| grid.decode().ok())
        .map(|(_, text)| text)
        .collect();
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::{qr_in, qr_svg};
    use image::{GrayImage, ImageFormat, Luma};
    use std::io::Cursor;

    /// A page with the code somewhere on it, each of its squares so many pixels, tilted by one pixel in so many rows.
    fn page(text: &str, square: u32, tilt: u32) -> Vec<u8> {
        let code = qrcode::QrCode::new(text).unwrap();
        let side = u32::try_from(code.width()).unwrap();
        let colors = code.to_colors();
        let mut page = GrayImage::from_pixel(900, 1_200, Luma([245]));
        for y in 0..side * square {
            for x in 0..side * square {
                let at = usize::try_from(y / square * side + x / square).unwrap();
                if colors[at] == qrcode::Color::Dark {
                    page.put_pixel(
                        500 + x - y.checked_div(tilt).unwrap_or(0),
                        60 + y,
                        Luma([20]),
                    );
                }
            }
        }
        let mut bytes = Cursor::new(Vec::new());
        page.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn the_mark_of_a_form_is_read_from_its_scan_and_nothing_from_a_blank_page() {
        let mark = "HMSQ1:0190f0a0b0c0d0e0f001020304050607:0190f0a0b0c0d0e0f001020304050608:0123456789abcdef0123";
        assert_eq!(qr_in(&page(mark, 6, 0)).as_deref(), Some(mark));
        assert_eq!(
            qr_in(&page(mark, 6, 30)).as_deref(),
            Some(mark),
            "a sheet laid in askew"
        );
        let mut blank = Cursor::new(Vec::new());
        GrayImage::from_pixel(50, 50, Luma([255]))
            .write_to(&mut blank, ImageFormat::Png)
            .unwrap();
        assert_eq!(qr_in(&blank.into_inner()), None);
        assert_eq!(qr_in(b"%PDF-1.7"), None);
    }

    #[test]
    fn a_link_becomes_an_svg_and_a_novel_is_refused() {
        let svg = qr_svg("https://example.test/progress/ABCD").unwrap();
        assert!(svg.contains("<svg") && svg.contains("#000000"));
        assert!(qr_svg(&"字".repeat(3_000)).is_err());
    }
}
