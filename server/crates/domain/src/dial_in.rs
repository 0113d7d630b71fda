//! Who a gateway that dials in is, by the first bytes that it sends.

use model::gateway::BytePattern;
use model::ids::GatewayId;

/// What the bytes received so far say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognition {
    /// A gateway's registration, and perhaps what follows it.
    Named(GatewayId),
    /// More bytes may still make it one.
    Incomplete,
    /// No gateway registers so.
    Unknown,
}

/// Compares what was received with the registrations, none of which begins another.
#[must_use]
pub fn recognise<'a>(registrations: impl IntoIterator<Item = (GatewayId, &'a BytePattern)>, received: &[u8]) -> Recognition {
    let mut may_become = false;
    for (gateway, pattern) in registrations {
        let bytes = pattern.bytes();
        if received.starts_with(bytes) {
            return Recognition::Named(gateway);
        }
        may_become |= bytes.starts_with(received);
    }
    if may_become { Recognition::Incomplete } else { Recognition::Unknown }
}

#[cfg(test)]
mod tests {
    use model::ids::Uuid;

    use super::*;
    use crate::rng::Rng;

    fn registered() -> Vec<(GatewayId, BytePattern)> {
        let texts = ["GW-0001", "GW-0002", "hex:AA 55 01", "hex:AA 55 02 00"];
        (1..).zip(texts).map(|(n, text)| (GatewayId(Uuid::from_u128(n)), BytePattern::parse(text).unwrap())).collect()
    }

    fn of(received: &[u8]) -> Recognition {
        let known = registered();
        recognise(known.iter().map(|(gateway, pattern)| (*gateway, pattern)), received)
    }

    #[test]
    fn a_registration_names_its_gateway() {
        let named = |n| Recognition::Named(GatewayId(Uuid::from_u128(n)));
        assert_eq!(of(b"GW-0001"), named(1));
        assert_eq!(of(b"GW-0002\r\n"), named(2));
        assert_eq!(of(&[0xaa, 0x55, 1, 0xff]), named(3));
        assert_eq!(of(&[0xaa, 0x55, 2, 0]), named(4));
    }

    #[test]
    fn bytes_are_waited_for_only_while_they_may_name_a_gateway() {
        for begun in [&b""[..], b"G", b"GW-000", &[0xaa], &[0xaa, 0x55, 2]] {
            assert_eq!(of(begun), Recognition::Incomplete, "{begun:x?}");
        }
        for unknown in [&b"X"[..], b"GW-0003", b"gw-0001", &[0xaa, 0x55, 3], &[0xaa, 0x55, 2, 1]] {
            assert_eq!(of(unknown), Recognition::Unknown, "{unknown:x?}");
        }
    }

    #[test]
    fn byte_by_byte_ends_as_at_once() {
        let rng = Rng::from_seed([3; 32]);
        let known = registered();
        for n in 0..20_000_usize {
            let mut bytes = rng.bytes::<10>().to_vec();
            // Three of four begin like a registration.
            if n % 4 > 0
                && let Some((_, pattern)) = known.get(n % known.len())
            {
                let keep = rng.below(pattern.bytes().len() as u64 + 1) as usize;
                bytes.splice(..keep, pattern.bytes().iter().take(keep).copied());
            }
            let stepwise = (0..=bytes.len()).map(|end| of(&bytes[..end])).find(|found| *found != Recognition::Incomplete);
            assert_eq!(stepwise.unwrap_or(Recognition::Incomplete), of(&bytes), "{bytes:x?}");
        }
    }

    #[test]
    fn without_gateways_nobody_is_known() {
        assert_eq!(recognise([], b"GW"), Recognition::Unknown);
        assert_eq!(recognise([], b""), Recognition::Unknown);
    }
}
