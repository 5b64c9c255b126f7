//! Rules of pg_hba.conf: which connections one is about, and whether an earlier one decides about them first.

use crate::snapshot::Row;
// The type of an address, from where there are no sockets.
use core::net::IpAddr;

/// A rule.
#[derive(Clone, Debug)]
pub struct HbaRule<'a> {
    /// Its row.
    pub row: Row<'a>,
    kind: &'a str,
    databases: Vec<String>,
    users: Vec<String>,
    from: From<'a>,
}

/// Where the connections come from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum From<'a> {
    /// A socket of the machine itself.
    Socket,
    /// Anywhere.
    All,
    /// Addresses of this machine.
    SameHost,
    /// Networks that this machine is in.
    SameNet,
    /// A network, and how many bits of its address count.
    Net(IpAddr, u32),
    /// An address and a mask with holes, which no number of bits says: like nothing but itself.
    Masked(&'a str, &'a str),
    /// A host name, or a domain with a dot in front.
    Name(&'a str),
}

impl<'a> HbaRule<'a> {
    /// Reads a row of `pg_hba_file_rules`; `None` for a line that cannot be used.
    pub fn read(row: Row<'a>) -> Option<Self> {
        if row.text("error").is_some() {
            return None;
        }
        let kind = row.text("type")?;
        let from = if kind == "local" { From::Socket } else { from(row.text("address")?, row.text("netmask"))? };
        Some(Self { row, kind, databases: row.array("database"), users: row.array("user_name"), from })
    }

    /// Its method.
    pub fn method(&self) -> &'a str {
        self.row.text("auth_method").unwrap_or_default()
    }

    /// Whether it is about connections from the machine itself only.
    pub fn is_of_this_machine(&self) -> bool {
        match self.from {
            From::Socket | From::SameHost => true,
            From::Net(address, bits) => match address.to_canonical() {
                IpAddr::V4(v4) => v4.is_loopback() && bits >= if address.is_ipv6() { 104 } else { 8 },
                IpAddr::V6(v6) => v6.is_loopback() && bits == 128,
            },
            From::Name(name) => name.eq_ignore_ascii_case("localhost"),
            From::All | From::SameNet | From::Masked(..) => false,
        }
    }

    /// Whether it is about one other machine only.
    pub fn is_of_one_host(&self) -> bool {
        match self.from {
            From::Net(address, bits) => bits == if address.is_ipv6() { 128 } else { 32 },
            From::Name(name) => !name.starts_with('.'),
            _ => false,
        }
    }

    /// Whether a client must show a certificate that the server's authority signed.
    pub fn asks_for_certificate(&self) -> bool {
        let options = self.row.array("options");
        self.kind == "hostssl"
            && options
                .iter()
                .any(|o| matches!(o.as_str(), "clientcert=verify-ca" | "clientcert=verify-full" | "clientcert=1"))
    }

    /// Whether every connection that `later` is about meets this rule, which stands before it: the first one decides.
    pub fn decides_before(&self, later: &Self) -> bool {
        let kinds = self.kind == later.kind || (self.kind == "host" && later.kind.starts_with("host"));
        kinds
            && covers(&self.databases, &later.databases, "replication")
            && covers(&self.users, &later.users, "")
            && self.from.holds(&later.from)
    }

    /// As it stands in the file, without its options.
    pub fn line(&self) -> String {
        let address = self.row.text("address").unwrap_or_default();
        let from = match &self.from {
            From::Net(_, bits) => format!(" {address}/{bits}"),
            From::Masked(_, mask) => format!(" {address} {mask}"),
            From::Socket => String::new(),
            _ => format!(" {address}"),
        };
        format!("{} {} {}{from} {}", self.kind, self.databases.join(","), self.users.join(","), self.method())
    }
}

/// Whether one list of names holds the other; `all` holds every name but this one.
fn covers(names: &[String], others: &[String], but: &str) -> bool {
    let all = names.iter().any(|n| n == "all");
    others.iter().all(|o| names.contains(o) || (all && o != but))
}

fn from<'a>(address: &'a str, mask: Option<&'a str>) -> Option<From<'a>> {
    Some(match address {
        "all" => From::All,
        "samehost" => From::SameHost,
        "samenet" => From::SameNet,
        _ => match address.parse::<IpAddr>() {
            Ok(ip) => {
                let mask = mask?;
                bits(mask).map_or(From::Masked(address, mask), |bits| From::Net(ip, bits))
            }
            Err(_) => From::Name(address),
        },
    })
}

/// How many bits of a mask are set, where they are the leading ones.
fn bits(mask: &str) -> Option<u32> {
    let (leading, all) = match mask.parse::<IpAddr>().ok()? {
        IpAddr::V4(v4) => (u32::from(v4).leading_ones(), u32::from(v4).count_ones()),
        IpAddr::V6(v6) => (u128::from(v6).leading_ones(), u128::from(v6).count_ones()),
    };
    (leading == all).then_some(leading)
}

impl From<'_> {
    fn holds(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, Self::Socket) => false,
            (Self::All, _) => true,
            (Self::Net(a, n), Self::Net(b, m)) => n <= m && same_start(*a, *b, *n),
            _ => self == other,
        }
    }
}

/// Whether two addresses of one family begin with the same bits.
fn same_start(a: IpAddr, b: IpAddr, bits: u32) -> bool {
    match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u32::from(a) ^ u32::from(b)).leading_zeros() >= bits,
        (IpAddr::V6(a), IpAddr::V6(b)) => (u128::from(a) ^ u128::from(b)).leading_zeros() >= bits,
        _ => false,
    }
}
