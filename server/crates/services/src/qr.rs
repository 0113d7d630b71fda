//! QR codes as the path of a picture.

use qrcodegen::{QrCode, QrCodeEcc};

/// Modules around a code that scanners need.
const QUIET: i32 = 4;

/// The code of a text: its size with the quiet zone, and the path of its dark modules; `None` where the text is too long.
#[must_use]
pub fn qr(text: &str) -> Option<(i32, String)> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let mut path = String::new();
    for (x, y) in (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y))) {
        if code.get_module(x, y) {
            path.push_str(&format!("M{} {}h1v1h-1z", x + QUIET, y + QUIET));
        }
    }
    Some((code.size() + 2 * QUIET, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qr_code_has_three_corners_and_a_quiet_zone() {
        let (size, path) = qr("weixin://wxpay/bizpayurl?pr=p4lpSuKzz").unwrap();
        assert_eq!(size, 37, "version 3 and four modules on either side");
        for corner in ["M4 4h1", "M32 4h1", "M4 32h1"] {
            assert!(path.contains(corner), "{corner}");
        }
        assert!(!path.contains("M3 ") && !path.contains("M33 "));
    }
}
