//! Decompression of statement files with size limits, because a file of a few kilobytes can expand to all available memory.

use std::io::{Cursor, Read};

use encoding_rs::GBK;
use flate2::bufread::{MultiGzDecoder, ZlibDecoder};
use zip::ZipArchive;

/// Largest compressed statement, bytes.
pub const MAX_PACKED_BYTES: usize = 16 << 20;
/// Largest decompressed statement, bytes, over all of its files: about a hundred thousand lines.
const MAX_PLAIN_BYTES: usize = 48 << 20;
/// Most files of a zip archive.
const MAX_FILES: usize = 32;
/// The signature of an entry in a zip archive's central directory.
const DIRECTORY_ENTRY: &[u8] = b"PK\x01\x02";

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnpackError {
    #[error("is not a valid archive")]
    Form,
    #[error("exceeds the size limit when decompressed")]
    TooMuch,
    #[error("is not in the expected character encoding")]
    Encoding,
}

/// Decompresses a gzip file.
///
/// # Errors
/// [`UnpackError::Form`], [`UnpackError::TooMuch`].
pub fn gunzip(packed: &[u8]) -> Result<Vec<u8>, UnpackError> {
    let mut remaining = MAX_PLAIN_BYTES;
    bounded(MultiGzDecoder::new(packed), &mut remaining)
}

/// Decompresses a zlib stream (RFC 1950).
///
/// # Errors
/// [`UnpackError::Form`], also for trailing bytes; [`UnpackError::TooMuch`].
pub fn inflate(packed: &[u8]) -> Result<Vec<u8>, UnpackError> {
    let (mut remaining, mut decoder) = (MAX_PLAIN_BYTES, ZlibDecoder::new(packed));
    let plain = bounded(&mut decoder, &mut remaining)?;
    if decoder.into_inner().is_empty() { Ok(plain) } else { Err(UnpackError::Form) }
}

/// The names and contents of the files in a zip archive, without directories. A name that cannot be decoded becomes empty.
///
/// # Errors
/// [`UnpackError::Form`], also for a wrong checksum or an encrypted file; [`UnpackError::TooMuch`].
pub fn unzip(packed: &[u8]) -> Result<Vec<(String, Vec<u8>)>, UnpackError> {
    // Counted before parsing, because a parsed directory entry takes more memory than its bytes here.
    let entries = packed.windows(DIRECTORY_ENTRY.len()).filter(|bytes| *bytes == DIRECTORY_ENTRY).count();
    if packed.len() > MAX_PACKED_BYTES || entries > MAX_FILES {
        return Err(UnpackError::TooMuch);
    }
    let mut archive = ZipArchive::new(Cursor::new(packed)).map_err(|_| UnpackError::Form)?;
    let (mut files, mut remaining) = (Vec::new(), MAX_PLAIN_BYTES);
    for index in 0..archive.len() {
        let file = archive.by_index(index).map_err(|_| UnpackError::Form)?;
        if file.is_dir() {
            continue;
        }
        let name = file.name().map(std::borrow::Cow::into_owned).unwrap_or_default();
        files.push((name, bounded(file, &mut remaining)?));
    }
    Ok(files)
}

/// The text of bytes in GBK.
///
/// # Errors
/// [`UnpackError::Encoding`] for any byte sequence that is not GBK.
pub fn gbk(bytes: &[u8]) -> Result<String, UnpackError> {
    let text = GBK.decode_without_bom_handling_and_without_replacement(bytes);
    text.map(std::borrow::Cow::into_owned).ok_or(UnpackError::Encoding)
}

/// Reads to the end and subtracts the length from `remaining`; fails if that is exceeded.
fn bounded(reader: impl Read, remaining: &mut usize) -> Result<Vec<u8>, UnpackError> {
    let mut plain = Vec::new();
    let limit = *remaining as u64 + 1;
    reader.take(limit).read_to_end(&mut plain).map_err(|_| UnpackError::Form)?;
    *remaining = remaining.checked_sub(plain.len()).ok_or(UnpackError::TooMuch)?;
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
    fn packed_data_unpacks_unchanged() {
        let plain = "账单 statement ".repeat(1_000).into_bytes();
        assert_eq!(gunzip(&gzipped(&plain)), Ok(plain.clone()));
        assert_eq!(inflate(&zlibbed(&plain)), Ok(plain.clone()));
        let files = unzip(&zipped(&[("folder/INN_ZM_1", &plain), ("empty", b"")])).unwrap();
        assert_eq!(files, [("folder/INN_ZM_1".to_owned(), plain), ("empty".to_owned(), Vec::new())]);
        assert_eq!(unzip(&zipped(&[])), Ok(Vec::new()));
    }

    #[test]
    fn truncated_or_altered_archives_are_rejected() {
        // Incompressible, so that the middle byte belongs to the compressed data.
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
            assert_eq!(open(b"<html>error</html>"), Err(UnpackError::Form));
        }
        assert_eq!(inflate(&[zlibbed(b"a"), b"more".to_vec()].concat()), Err(UnpackError::Form));
    }

    #[test]
    fn decompression_bombs_are_rejected() {
        let oversized = vec![0; MAX_PLAIN_BYTES + 1];
        let (gzip, zlib) = (gzipped(&oversized), zlibbed(&oversized));
        assert!(gzip.len() < 100_000, "{}", gzip.len());
        assert_eq!(gunzip(&gzip), Err(UnpackError::TooMuch));
        assert_eq!(inflate(&zlib), Err(UnpackError::TooMuch));
        assert_eq!(unzip(&zipped(&[("a", &oversized)])), Err(UnpackError::TooMuch));
        // Each file is within the limit, all five together are not.
        let part = vec![0; MAX_PLAIN_BYTES / 4];
        let five: Vec<(String, &[u8])> = (0..5).map(|n| (n.to_string(), &*part)).collect();
        let five: Vec<(&str, &[u8])> = five.iter().map(|(name, plain)| (&**name, *plain)).collect();
        assert_eq!(unzip(&zipped(&five)), Err(UnpackError::TooMuch));
        assert!(unzip(&zipped(&five[..4])).is_ok());
        let many: Vec<String> = (0..=MAX_FILES).map(|n| n.to_string()).collect();
        let many: Vec<(&str, &[u8])> = many.iter().map(|name| (&**name, &b""[..])).collect();
        assert_eq!(unzip(&zipped(&many)), Err(UnpackError::TooMuch));
    }

    #[test]
    fn invalid_gbk_is_rejected() {
        assert_eq!(gbk(&[0xd6, 0xa7, 0xb8, 0xb6, 0xb1, 0xa6, b'1']), Ok("支付宝1".to_owned()));
        assert_eq!(gbk("支付宝".as_bytes()), Err(UnpackError::Encoding), "UTF-8");
        assert_eq!(gbk(&[0xd6]), Err(UnpackError::Encoding), "half a character");
        assert_eq!(gbk(&[0xff, 0xfe]), Err(UnpackError::Encoding));
    }
}
