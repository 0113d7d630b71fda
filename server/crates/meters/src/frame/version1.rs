//! Version 1: `header (8) || TDES-EDE-CBC(body) || retail MAC (8)`; the IV is the encrypted header.

use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::FrameError;
use crate::cipher::{Block, cbc_decrypt, cbc_encrypt, encrypt_block, retail_mac};

type Keys = [[u8; 16]; 2];

pub(super) fn seal([enc, mac]: &Keys, head: Vec<u8>, body: &[u8]) -> Vec<u8> {
    let mut frame = head;
    let iv = frame.first_chunk().map_or([0; 8], |head| encrypt_block(enc, *head));
    frame.extend(cbc_encrypt(enc, iv, body));
    let tag = retail_mac(mac, &frame);
    frame.extend(tag);
    frame
}

/// Splits into header, ciphertext and MAC. The length must be at least 24 and a multiple of 8.
pub(super) fn split(frame: &[u8]) -> Result<(&Block, &[u8], &Block), FrameError> {
    if frame.len() < 24 || !frame.len().is_multiple_of(8) {
        return Err(FrameError::Length);
    }
    let (head, rest) = frame.split_first_chunk().ok_or(FrameError::Length)?;
    let (secret, mac) = rest.split_last_chunk().ok_or(FrameError::Length)?;
    Ok((head, secret, mac))
}

pub(super) fn open([enc, mac]: &Keys, head: &Block, secret: &[u8], tag: &Block) -> Result<Vec<u8>, FrameError> {
    let expected = retail_mac(mac, &[head, secret].concat());
    verify_slices_are_equal(&expected, tag).map_err(|_| FrameError::Mac)?;
    Ok(cbc_decrypt(enc, encrypt_block(enc, *head), secret))
}
