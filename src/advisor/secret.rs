//! Secrets in texts that an export carries: where they are, never what they are.

/// What kind of secret a text seems to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Secret {
    /// `PASSWORD '…'` of a role or a user mapping: PostgreSQL stores utility statements as they were typed.
    Password,
    /// The same, already hashed: enough to log in with md5, of little use with SCRAM.
    PasswordHash,
    /// `postgres://user:password@host` or `password=…` in a connection string.
    ConnectionString,
    /// A private key in PEM form.
    PrivateKey,
    /// A key or token of a well-known shape (AWS, GitHub, Slack, Stripe, JSON Web Token).
    Token,
}

impl Secret {
    /// How people call it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::PasswordHash => "password hash",
            Self::ConnectionString => "connection string with a password",
            Self::PrivateKey => "private key",
            Self::Token => "access key or token",
        }
    }
}

/// The most harmful secret that a text seems to hold.
pub fn find(text: &str) -> Option<Secret> {
    // ASCII lower case keeps every byte position.
    let lower = text.to_ascii_lowercase();
    [password(text, &lower), connection(&lower), private_key(text), token(text)].into_iter().flatten().min()
}

/// A statement's text as people may see it: one that seems to hold a secret is not shown.
pub fn shown(text: &str) -> &str {
    if find(text).is_some() { "(not shown: seems to hold a secret)" } else { text }
}

/// `PASSWORD` followed by a string literal that is no placeholder.
fn password(text: &str, lower: &str) -> Option<Secret> {
    let mut found = None;
    for (at, _) in lower.match_indices("password") {
        if !starts_word(lower, at) {
            continue;
        }
        let rest = &text[at + "password".len()..];
        let literal = rest.trim_start();
        let separated = literal.len() < rest.len() || literal.starts_with('\'');
        let literal = literal.strip_prefix(['E', 'e']).unwrap_or(literal);
        let Some(value) = literal.strip_prefix('\'').and_then(|v| v.split('\'').next()) else { continue };
        if !separated || is_masked(value) {
            continue;
        }
        let hashed = value.starts_with("SCRAM-SHA-256$") || (value.starts_with("md5") && value.len() == 35);
        let kind = if hashed { Secret::PasswordHash } else { Secret::Password };
        found = Some(found.map_or(kind, |f: Secret| f.min(kind)));
    }
    found
}

/// A URL with a password, or `password=…` as libpq reads it.
fn connection(lower: &str) -> Option<Secret> {
    let url = lower.match_indices("://").any(|(at, _)| {
        let authority = lower[at + 3..].split(['/', ' ', '\'', '"', '\n', '?']).next().unwrap_or_default();
        let Some((login, host)) = authority.rsplit_once('@') else { return false };
        !host.is_empty() && login.split_once(':').is_some_and(|(_, secret)| !is_masked(secret))
    });
    let pair = ["password=", "password ="].iter().any(|key| {
        lower.match_indices(key).any(|(at, _)| {
            let value = lower[at + key.len()..].trim_start();
            // `where password = $1` and `password = crypt(…)` compare a column; a connection string has a bare value
            // behind the equals sign and stands beside `host=` or `dbname=` or `user=`.
            let bare = value.split([' ', '\'', '"', ',', ')', ';', '\n']).next().unwrap_or_default();
            starts_word(lower, at)
                && !is_masked(bare)
                && !bare.contains('(')
                && ["host=", "dbname=", "user=", "hostaddr=", "service="].iter().any(|k| lower.contains(k))
        })
    });
    (url || pair).then_some(Secret::ConnectionString)
}

fn private_key(text: &str) -> Option<Secret> {
    (text.contains("-----BEGIN ") && text.contains("PRIVATE KEY-----")).then_some(Secret::PrivateKey)
}

/// Tokens whose shape their makers have published, so that a hash or a random name is not taken for one.
fn token(text: &str) -> Option<Secret> {
    const SHAPES: [(&str, usize); 9] = [
        ("AKIA", 16),
        ("ASIA", 16),
        ("ghp_", 36),
        ("gho_", 36),
        ("github_pat_", 22),
        ("xoxb-", 20),
        ("xoxp-", 20),
        ("sk_live_", 16),
        ("AIza", 35),
    ];
    let shaped = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).any(|word| {
        SHAPES.iter().any(|(prefix, rest)| {
            word.strip_prefix(prefix).is_some_and(|tail| {
                tail.len() >= *rest
                    && tail.chars().any(|c| c.is_ascii_digit())
                    && (!prefix.ends_with("IA")
                        || (tail.len() == *rest && tail.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())))
            })
        })
    });
    let jwt = text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))).any(|word| {
        let parts: Vec<_> = word.split('.').collect();
        matches!(parts.as_slice(), [head, body, sign] if head.starts_with("eyJ") && body.starts_with("eyJ") && sign.len() >= 16)
    });
    (shaped || jwt).then_some(Secret::Token)
}

fn starts_word(text: &str, at: usize) -> bool {
    !text[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_')
}

/// Placeholders and what redaction leaves behind.
fn is_masked(value: &str) -> bool {
    let v = value.trim();
    v.is_empty()
        || v.starts_with(['$', '%', '{', '<', ':', '?'])
        || v.chars().all(|c| matches!(c, '*' | 'x' | 'X' | '.' | '-' | '_' | '•'))
        || matches!(v.to_ascii_lowercase().as_str(), "null" | "none" | "redacted" | "secret_removed" | "masked")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_secrets() {
        for (text, want) in [
            ("alter role app password 'hunter2'", Secret::Password),
            ("CREATE USER x WITH ENCRYPTED PASSWORD\n'it''s'", Secret::Password),
            ("alter role a password E'x\\ny'", Secret::Password),
            ("create user mapping for x server s options (user 'u', password 'p')", Secret::Password),
            ("alter role a password 'md5d41d8cd98f00b204e9800998ecf8427e'", Secret::PasswordHash),
            ("alter role a password 'SCRAM-SHA-256$4096:abc$d:e'", Secret::PasswordHash),
            (
                "create subscription s connection 'host=db1 user=repl password=pw1' publication p",
                Secret::ConnectionString,
            ),
            ("select dblink('postgres://app:s3cret@db1/x', $1)", Secret::ConnectionString),
            ("insert into k values ('-----BEGIN RSA PRIVATE KEY-----\nMII')", Secret::PrivateKey),
            ("copy t from program 'aws --key AKIAIOSFODNN7EXAMPLE'", Secret::Token),
            (
                "set app.jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P'",
                Secret::Token,
            ),
        ] {
            assert_eq!(find(text), Some(want), "{text}");
        }
    }

    #[test]
    fn leaves_innocent_texts_alone() {
        for text in [
            "select * from users where password = $1",
            "update users set password = crypt($1, gen_salt($2)) where user=$3",
            "alter role app password '***'",
            "alter role app password null",
            "alter role app password $1",
            "create table t (password text, reset_password 'x')",
            "select 'https://example.com/a:b@c'",
            "select 'https://user@example.com/'",
            "select dblink('postgres://app:****@db1/x')",
            "host=db1 user=app password=$1",
            "select md5('AKIA')",
            "select 'AKIAIOSFODNN7EXAMPLEANDMORE'",
            "select password_hash from users where user_name = 'größe'",
            "",
            "password",
            "PASSWORD '",
        ] {
            assert_eq!(find(text), None, "{text}");
        }
    }
}
