//! The two constructions over triple DES that frame version 1 needs: CBC, and the retail MAC (ISO/IEC 9797-1 algorithm 3).

use des::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use des::{Des, TdesEde2};

pub(super) type Block = [u8; 8];

/// Encrypts one block with two-key triple DES.
pub(super) fn encrypt_block(key: &[u8; 16], block: Block) -> Block {
    let mut block = block.into();
    TdesEde2::new(key.into()).encrypt_block(&mut block);
    block.into()
}

/// Encrypts whole blocks in CBC mode; a trailing partial block is dropped, so callers pad first.
pub(super) fn cbc_encrypt(key: &[u8; 16], iv: Block, plain: &[u8]) -> Vec<u8> {
    let cipher = TdesEde2::new(key.into());
    let mut chain = iv;
    let mut out = Vec::with_capacity(plain.len());
    for block in plain.as_chunks::<8>().0 {
        let mut mixed = xor(*block, chain).into();
        cipher.encrypt_block(&mut mixed);
        chain = mixed.into();
        out.extend_from_slice(&chain);
    }
    out
}

/// The inverse of [`cbc_encrypt`].
pub(super) fn cbc_decrypt(key: &[u8; 16], iv: Block, secret: &[u8]) -> Vec<u8> {
    let cipher = TdesEde2::new(key.into());
    let mut chain = iv;
    let mut out = Vec::with_capacity(secret.len());
    for block in secret.as_chunks::<8>().0 {
        let mut mixed = (*block).into();
        cipher.decrypt_block(&mut mixed);
        out.extend_from_slice(&xor(mixed.into(), chain));
        chain = *block;
    }
    out
}

/// The retail MAC: DES-CBC under the left half, the final block decrypted with the right half and encrypted with the
/// left, over the text with padding method 2 (0x80, then zeros to a whole block).
pub(super) fn retail_mac(key: &[u8; 16], text: &[u8]) -> Block {
    let [left, right] = halves(key).map(|half| Des::new(&half.into()));
    let (whole, rest) = text.as_chunks::<8>();
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(rest.iter().chain(&[0x80])) {
        *to = *from;
    }
    let mut chain = [0; 8];
    for block in whole.iter().chain(std::iter::once(&last)) {
        let mut mixed = xor(*block, chain).into();
        left.encrypt_block(&mut mixed);
        chain = mixed.into();
    }
    let mut end = chain.into();
    right.decrypt_block(&mut end);
    left.encrypt_block(&mut end);
    end.into()
}

fn halves(key: &[u8; 16]) -> [Block; 2] {
    let [a, b, c, d, e, f, g, h, rest @ ..] = *key;
    [[a, b, c, d, e, f, g, h], rest]
}

fn xor(mut a: Block, b: Block) -> Block {
    for (to, from) in a.iter_mut().zip(b) {
        *to ^= from;
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retail_mac_known_answer() {
        let key = hex::decode("0123456789ABCDEFFEDCBA9876543210").unwrap().try_into().unwrap();
        assert_eq!(hex::encode_upper(retail_mac(&key, b"Now is the time for all ")), "E9086230CA3BE796");
    }

    #[test]
    fn padding_distinguishes_texts() {
        let key = [7; 16];
        assert_ne!(retail_mac(&key, b"seven.."), retail_mac(&key, b"seven..\0"));
        assert_ne!(retail_mac(&key, b""), retail_mac(&key, b"\x80"));
    }

    #[test]
    fn cbc_round_trip() {
        let (key, iv, plain) = ([9; 16], [3; 8], [5; 24]);
        let secret = cbc_encrypt(&key, iv, &plain);
        assert_ne!(secret.get(..8), secret.get(8..16));
        assert_eq!(cbc_decrypt(&key, iv, &secret), plain);
    }
}
