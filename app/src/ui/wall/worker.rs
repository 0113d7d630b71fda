//! The address of the worker that holds the one live stream of a browser (`public/live-worker.js`).

const SCRIPT: &str = include_str!("../../../../public/live-worker.js");

/// The address, with a digest of the script: browsers keep a worker as long as any tab uses its address, so that a tab of a new
/// release must not ask for that of the old one.
pub fn address() -> String {
    format!("/live-worker.js?v={:016x}", digest(SCRIPT))
}

/// FNV-1a.
fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_script_has_another_address() {
        assert_eq!(digest(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(digest("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(address(), format!("/live-worker.js?v={:016x}", digest(SCRIPT)));
        assert_ne!(digest(SCRIPT), digest(&SCRIPT.replace("AGAIN", "LATER")));
    }
}
