//! What bills are packed in, opened with a bound: a file of a few kilobytes can say that it unpacks to all memory there is.

use std::io::{Cursor, Read};

use encoding_rs::GBK;
use flate2::bufread::{MultiGzDecoder, ZlibDecoder};
use zip::ZipArchive;

/// More than a packed bill ever is, bytes.
pub const MOST_PACKED: usize = 16 << 20;
/// More than a plain bill ever is, bytes, all its files together: a hundred thousand lines.
const MOST_PLAIN: usize = 48 << 20;
/// More files than a bill ever has.
const MOST_FILES: usize = 32;
/// What each file's line in a zip's directory begins with.
const DIRECTORY_LINE: &[u8] = b"PK\x01\x02";

/// Why something is not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnpackError {
    /// Cut off, changed, or something else altogether.
    #[error("is not packed as it should be")]
    Form,
    /// It would be larger than any bill, or hold more files.
    #[error("unpacks to more than any bill is")]
    TooMuch,
    /// Not of its encoding.
    #[error("is not in its encoding")]
    Encoding,
}

/// What a gzip file holds.
///
/// # Errors
/// [`UnpackError`].
pub fn gunzip(packed: &[u8]) -> Result<Vec<u8>, UnpackError> {
    let mut left = MOST_PLAIN;
    bounded(MultiGzDecoder::new(packed), &mut left)
}

/// What a zlib stream holds (RFC 1950, what PHP's `gzcompress` and Java's `Deflater` write).
///
/// # Errors
/// [`UnpackError`].
pub fn inflate(packed: &[u8]) -> Result<Vec<u8>, UnpackError> {
    let (mut left, mut decoder) = (MOST_PLAIN, ZlibDecoder::new(packed));
    let plain = bounded(&mut decoder, &mut left)?;
    if decoder.into_inner().is_empty() { Ok(plain) } else { Err(UnpackError::Form) }
}

/// The files in a zip with their names, folders left out. A name that is not of its encoding is empty here.
///
/// # Errors
/// [`UnpackError`]; also where a file's checksum is wrong, or it is encrypted.
pub fn unzip(packed: &[u8]) -> Result<Vec<(String, Vec<u8>)>, UnpackError> {
    // Before the directory is read into memory: its lines are larger there than here.
    let lines = packed.windows(DIRECTORY_LINE.len()).filter(|bytes| *bytes == DIRECTORY_LINE).count();
    if packed.len() > MOST_PACKED || lines > MOST_FILES {
        return Err(UnpackError::TooMuch);
    }
    let mut archive = ZipArchive::new(Cursor::new(packed)).map_err(|_| UnpackError::Form)?;
    let (mut files, mut left) = (Vec::new(), MOST_PLAIN);
    for index in 0..archive.len() {
        let file = archive.by_index(index).map_err(|_| UnpackError::Form)?;
        if file.is_dir() {
            continue;
        }
        let name = file.name().map(std::borrow::Cow::into_owned).unwrap_or_default();
        files.push((name, bounded(file, &mut left)?));
    }
    Ok(files)
}

/// GBK as text.
///
/// # Errors
/// [`UnpackError::Encoding`] at the first byte that is none of it.
pub fn gbk(bytes: &[u8]) -> Result<String, UnpackError> {
    let text = GBK.decode_without_bom_handling_and_without_replacement(bytes);
    text.map(std::borrow::Cow::into_owned).ok_or(UnpackError::Encoding)
}

/// All of it, or nothing where it is more than `left`, from which it is taken.
fn bounded(reader: impl Read, left: &mut usize) -> Result<Vec<u8>, UnpackError> {
    let mut plain = Vec::new();
    let most = *left as u64 + 1;
    reader.take(most).read_to_end(&mut plain).map_err(|_| UnpackError::Form)?;
    *left = left.checked_sub(plain.len()).ok_or(UnpackError::TooMuch)?;
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};
    use zip::write::{SimpleFileOptions, ZipWriter};

    fn gzipped(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn zlibbed(plain: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, plain) in files {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(plain).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn what_was_packed_comes_out() {
        let plain = "账单 bill ".repeat(1_000).into_bytes();
        assert_eq!(gunzip(&gzipped(&plain)), Ok(plain.clone()));
        assert_eq!(inflate(&zlibbed(&plain)), Ok(plain.clone()));
        let files = unzip(&zipped(&[("folder/INN_ZM_1", &plain), ("empty", b"")])).unwrap();
        assert_eq!(files, [("folder/INN_ZM_1".to_owned(), plain), ("empty".to_owned(), Vec::new())]);
        assert_eq!(unzip(&zipped(&[])), Ok(Vec::new()));
    }

    #[test]
    fn what_is_cut_off_changed_or_something_else_is_refused() {
        // Long enough that a byte in the middle lies in what was packed.
        let plain: Vec<u8> = (0..20_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        for (packed, open) in [
            (gzipped(&plain), (|bytes| gunzip(bytes).map(|_| ())) as fn(&[u8]) -> Result<(), UnpackError>),
            (zlibbed(&plain), |bytes| inflate(bytes).map(|_| ())),
            (zipped(&[("a", &plain)]), |bytes| unzip(bytes).map(|_| ())),
        ] {
            assert_eq!(open(&packed), Ok(()));
            for end in [0, 1, 10, packed.len() / 2, packed.len() - 1] {
                assert_eq!(open(&packed[..end]), Err(UnpackError::Form), "{end} of {}", packed.len());
            }
            let mut changed = packed.clone();
            let middle = changed.len() / 2;
            changed[middle] ^= 0x10;
            assert_eq!(open(&changed), Err(UnpackError::Form));
            assert_eq!(open(b"<html>no bill</html>"), Err(UnpackError::Form));
        }
        assert_eq!(inflate(&[zlibbed(b"a"), b"more".to_vec()].concat()), Err(UnpackError::Form));
    }

    #[test]
    fn a_bomb_does_not_go_off() {
        let much = vec![0; MOST_PLAIN + 1];
        let (gzip, zlib) = (gzipped(&much), zlibbed(&much));
        assert!(gzip.len() < 100_000, "{}", gzip.len());
        assert_eq!(gunzip(&gzip), Err(UnpackError::TooMuch));
        assert_eq!(inflate(&zlib), Err(UnpackError::TooMuch));
        assert_eq!(unzip(&zipped(&[("a", &much)])), Err(UnpackError::TooMuch));
        // Each within the bound, and all together above it.
        let part = vec![0; MOST_PLAIN / 4];
        let five: Vec<(String, &[u8])> = (0..5).map(|n| (n.to_string(), &*part)).collect();
        let five: Vec<(&str, &[u8])> = five.iter().map(|(name, plain)| (&**name, *plain)).collect();
        assert_eq!(unzip(&zipped(&five)), Err(UnpackError::TooMuch));
        assert!(unzip(&zipped(&five[..4])).is_ok());
        let many: Vec<String> = (0..=MOST_FILES).map(|n| n.to_string()).collect();
        let many: Vec<(&str, &[u8])> = many.iter().map(|name| (&**name, &b""[..])).collect();
        assert_eq!(unzip(&zipped(&many)), Err(UnpackError::TooMuch));
    }

    #[test]
    fn gbk_is_read_strictly() {
        assert_eq!(gbk(&[0xd6, 0xa7, 0xb8, 0xb6, 0xb1, 0xa6, b'1']), Ok("支付宝1".to_owned()));
        assert_eq!(gbk("支付宝".as_bytes()), Err(UnpackError::Encoding), "UTF-8");
        assert_eq!(gbk(&[0xd6]), Err(UnpackError::Encoding), "half a character");
        assert_eq!(gbk(&[0xff, 0xfe]), Err(UnpackError::Encoding));
    }
}
