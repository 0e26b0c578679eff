//! A text as a QR code (二维码), as SVG.

use anyhow::Context;
use qrcode::QrCode;
use qrcode::render::svg;

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

#[cfg(test)]
mod tests {
    use super::qr_svg;

    #[test]
    fn a_link_becomes_an_svg_and_a_novel_is_refused() {
        let svg = qr_svg("https://example.test/progress/ABCD").unwrap();
        assert!(svg.contains("<svg") && svg.contains("#000000"));
        assert!(qr_svg(&"字".repeat(3_000)).is_err());
    }
}
