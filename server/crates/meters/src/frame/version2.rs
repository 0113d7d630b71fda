//! Version 2: `header (12) || AES-256-GCM(body) || tag (16)`; the header is nonce and associated data.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use super::FrameError;

const TAG: usize = 16;

pub(super) fn seal(key: [u8; 32], head: Vec<u8>, mut body: Vec<u8>) -> Result<Vec<u8>, FrameError> {
    let nonce = Nonce::try_assume_unique_for_key(&head)?;
    cipher(key)?.seal_in_place_append_tag(nonce, Aad::from(&head), &mut body)?;
    let mut frame = head;
    frame.extend(body);
    Ok(frame)
}

/// Splits into header, and ciphertext with tag. The length must be at least 36 and even.
pub(super) fn split(frame: &[u8]) -> Result<(&[u8; 12], &[u8]), FrameError> {
    if frame.len() < 36 || !frame.len().is_multiple_of(2) {
        return Err(FrameError::Length);
    }
    frame.split_first_chunk().ok_or(FrameError::Length)
}

pub(super) fn open(key: [u8; 32], head: &[u8; 12], secret: &[u8]) -> Result<Vec<u8>, FrameError> {
    let mut body = secret.to_vec();
    let nonce = Nonce::assume_unique_for_key(*head);
    cipher(key)?.open_in_place(nonce, Aad::from(head), &mut body).map_err(|_| FrameError::Mac)?;
    body.truncate(body.len().saturating_sub(TAG));
    Ok(body)
}

fn cipher(key: [u8; 32]) -> Result<LessSafeKey, FrameError> {
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key)?))
}
