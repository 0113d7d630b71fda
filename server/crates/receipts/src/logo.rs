//! The logo of a site, from a PNG file.

use model::receipt_sheet::Logo;
use png::{BitDepth, ColorType, Decoder, Limits, Transformations};

/// Why a file cannot be the logo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogoError {
    #[error("not a PNG file")]
    NotPng,
    /// More than [`Logo::MAX`] pixels a side or [`Logo::MAX_FILE`] bytes.
    #[error("too large")]
    TooLarge,
}

/// Reads a logo; what is transparent is white.
///
/// # Errors
/// [`LogoError`].
pub fn logo(file: &[u8]) -> Result<Logo, LogoError> {
    if file.len() > Logo::MAX_FILE {
        return Err(LogoError::TooLarge);
    }
    let mut decoder = Decoder::new_with_limits(std::io::Cursor::new(file), Limits { bytes: 4 << 20 });
    decoder.set_transformations(Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(|_| LogoError::NotPng)?;
    let side = |pixels: u32| usize::try_from(pixels).ok().filter(|pixels| (1..=Logo::MAX).contains(pixels));
    let (width, height) = (side(reader.info().width), side(reader.info().height));
    let (Some(width), Some(height)) = (width, height) else { return Err(LogoError::TooLarge) };
    let mut pixels = vec![0; reader.output_buffer_size().ok_or(LogoError::TooLarge)?];
    let info = reader.next_frame(&mut pixels).map_err(|_| LogoError::NotPng)?;
    if info.bit_depth != BitDepth::Eight {
        return Err(LogoError::NotPng);
    }
    let channels = info.color_type.samples();
    let grey: Vec<u8> = pixels.chunks_exact(channels).take(width * height).map(|pixel| grey(pixel, info.color_type)).collect();
    if grey.len() == width * height { Ok(Logo { width, height, grey }) } else { Err(LogoError::NotPng) }
}

fn grey(pixel: &[u8], kind: ColorType) -> u8 {
    let at = |n: usize| u32::from(pixel.get(n).copied().unwrap_or(255));
    let (light, alpha) = match kind {
        ColorType::Grayscale => (at(0), 255),
        ColorType::GrayscaleAlpha => (at(0), at(1)),
        // ITU-R BT.601.
        ColorType::Rgb | ColorType::Indexed => ((299 * at(0) + 587 * at(1) + 114 * at(2)) / 1000, 255),
        ColorType::Rgba => ((299 * at(0) + 587 * at(1) + 114 * at(2)) / 1000, at(3)),
    };
    u8::try_from((light * alpha + 255 * (255 - alpha)) / 255).unwrap_or(255)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(width: u32, height: u32, kind: ColorType, pixels: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width, height);
        encoder.set_color(kind);
        encoder.set_depth(BitDepth::Eight);
        encoder.write_header().unwrap().write_image_data(pixels).unwrap();
        file
    }

    #[test]
    fn colours_become_grey_and_transparency_white() {
        let file = file(2, 2, ColorType::Rgba, &[0, 0, 0, 255, 0, 0, 0, 0, 255, 255, 255, 255, 255, 0, 0, 255]);
        assert_eq!(logo(&file), Ok(Logo { width: 2, height: 2, grey: vec![0, 255, 255, 76] }));
    }

    #[test]
    fn other_files_are_refused() {
        assert_eq!(logo(b""), Err(LogoError::NotPng));
        assert_eq!(logo(b"<svg onload=alert(1)>"), Err(LogoError::NotPng));
        assert_eq!(logo(&vec![0; Logo::MAX_FILE + 1]), Err(LogoError::TooLarge));
        let wide = file(600, 1, ColorType::Grayscale, &[0; 600]);
        assert_eq!(logo(&wide), Err(LogoError::TooLarge));
        let whole = file(3, 3, ColorType::Grayscale, &[9; 9]);
        for end in 0..whole.len() {
            let cut = logo(&whole[..end]);
            assert!(cut.is_err() || cut == logo(&whole), "cut at {end}: the whole picture or none");
        }
    }
}
