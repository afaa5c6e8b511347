//! Addresses that no request goes to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is not to be called, if it is one of those that only a machine's own network knows: link-local ones,
/// and those at which clouds tell a machine its secrets.
pub(super) fn forbidden(address: IpAddr) -> Option<&'static str> {
    let address = match address {
        IpAddr::V6(address) => embedded(address).map_or(IpAddr::V6(address), IpAddr::V4),
        v4 @ IpAddr::V4(_) => v4,
    };
    match address {
        IpAddr::V4(address) if METADATA.contains(&address.octets()) => Some("a metadata address"),
        IpAddr::V4(address) if address.is_link_local() => Some("a link-local address"),
        IpAddr::V6(address) if address.segments() == METADATA_V6 => Some("a metadata address"),
        IpAddr::V6(address) if address.is_unicast_link_local() => Some("a link-local address"),
        _ => None,
    }
}

/// Those that are not link-local: of Alibaba, Azure and Oracle. All others are 169.254.169.254.
const METADATA: [[u8; 4]; 3] = [[100, 100, 100, 200], [168, 63, 129, 16], [192, 0, 0, 192]];
/// `fd00:ec2::254`, of AWS.
const METADATA_V6: [u16; 8] = [0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254];

/// The address of the older kind that one of the newer leads to.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let of = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        // Mapped and compatible, NAT64, 6to4.
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => of(high, low),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => of(high, low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_spelling_of_a_metadata_address_gets_through() {
        for address in [
            "169.254.169.254",
            "169.254.0.1",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "fe80::1",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "64:ff9b::169.254.169.254",
            "2002:a9fe:a9fe::1",
        ] {
            assert!(forbidden(address.parse().unwrap()).is_some(), "{address}");
        }
        for address in ["127.0.0.1", "10.0.0.1", "192.168.1.1", "8.8.8.8", "::1", "2001:db8::1", "fd00::1"] {
            assert!(forbidden(address.parse().unwrap()).is_none(), "{address}");
        }
    }
}
