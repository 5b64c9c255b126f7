//! What tells the servers of one cluster apart.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A server as its dump names it: `cluster_name`, address and a hash of the data directory, what of it is known.
#[derive(Clone, Debug, Eq, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct Node {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    directory: Option<String>,
}

impl Node {
    /// `None` where nothing is known; what is empty is not.
    pub fn new(name: Option<String>, address: Option<String>, directory: Option<String>) -> Option<Self> {
        let [name, address, directory] = [name, address, directory].map(|part| part.filter(|s| !s.is_empty()));
        let known = name.is_some() || address.is_some() || directory.is_some();
        known.then_some(Self { name, address, directory })
    }

    /// Whether the two may be one server: a role that may not see the data directory knows less of the same.
    pub fn may_be(&self, other: &Self) -> bool {
        let parts = |n: &Self| [n.name.clone(), n.address.clone(), n.directory.clone()];
        self == other || parts(self).into_iter().zip(parts(other)).all(|(a, b)| a.is_none() || b.is_none() || a == b)
    }

    /// What people call it, one part after the other, each added where those before do not tell it from another. `role`
    /// stands for a name that it does not have. Of a hash its beginning is enough, as of a commit's.
    pub fn parts(&self, role: &str) -> Vec<String> {
        const OF_A_HASH: usize = 8;
        let named = self.name.is_some() || self.address.is_some();
        let role = (!named).then(|| role.to_owned());
        let directory = self.directory.as_ref().map(|hash| hash.chars().take(OF_A_HASH).collect());
        [role, self.name.clone(), self.address.clone(), directory].into_iter().flatten().collect()
    }
}

impl From<&str> for Node {
    fn from(name: &str) -> Self {
        Self { name: Some(name.to_owned()), address: None, directory: None }
    }
}

/// As packed histories have it: those of earlier versions in one text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    Whole(String),
    Parts { name: Option<String>, address: Option<String>, directory: Option<String> },
}

impl From<Stored> for Node {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::Whole(name) => name.as_str().into(),
            Stored::Parts { name, address, directory } => Self { name, address, directory },
        }
    }
}

/// The same, however much of it was kept apart.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

/// All that is known of it.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [&self.name, &self.address, &self.directory];
        let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        f.write_str(&parts.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, address: &str, directory: &str) -> Node {
        let given = |s: &str| (!s.is_empty()).then(|| s.to_owned());
        Node::new(given(name), given(address), given(directory)).expect("something is known")
    }

    #[test]
    fn a_role_stands_for_a_name_and_hashes_are_cut() {
        let hash = "6bac4472d2f6301e3048bbe39ae6199a";
        for (of, want) in [
            (node("depot", "10.0.0.7:5432", hash), vec!["depot", "10.0.0.7:5432", "6bac4472"]),
            (node("", "10.0.0.7:5432", hash), vec!["10.0.0.7:5432", "6bac4472"]),
            (node("", "", hash), vec!["standby", "6bac4472"]),
            (node("two words", "", ""), vec!["two words"]),
        ] {
            assert_eq!(of.parts("standby"), want);
        }
        assert_eq!(Node::new(None, None, None), None);
    }

    #[test]
    fn what_one_of_two_does_not_know_does_not_part_them() {
        let depot = node("depot", "", "6bac");
        for (other, want) in [
            (node("depot", "", ""), true),
            (node("depot", "10.0.0.7:5432", ""), true),
            (node("", "10.0.0.7:5432", "6bac"), true),
            (node("depot", "", "7"), false),
            (node("cellar", "", ""), false),
        ] {
            assert_eq!(depot.may_be(&other), want, "{other}");
            assert_eq!(other.may_be(&depot), want, "{other}");
        }
    }

    #[test]
    fn a_node_of_an_earlier_history_is_the_same() {
        let of = node("depot", "", "6bac");
        let kept = serde_json::to_string(&of).expect("written");
        assert_eq!(serde_json::from_str::<Node>(&kept).expect("read").parts("primary"), ["depot", "6bac"]);
        assert_eq!(serde_json::from_str::<Node>("\"depot 6bac\"").expect("read"), of);
        assert_ne!(serde_json::from_str::<Node>("\"depot 7\"").expect("read"), of);
    }
}
