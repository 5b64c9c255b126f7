//! What can go wrong, sorted by what the user can do about it.

use std::path::PathBuf;

/// The one error type of the library. A message is a lowercase fragment that completes "failed to ...".
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be opened, read or written.
    #[error("{action} `{}`: {source}", path.display())]
    Io {
        /// What was attempted, `read` or `write`.
        action: &'static str,
        /// The path as the user gave it.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// The input is there, but is not what it should be.
    #[error("{message}")]
    Input {
        /// What is wrong and where: file, line, column.
        message: String,
        /// What the user can do about it.
        hint: Option<String>,
    },
    /// Two snapshots that must not be subtracted (`code` is one of `E-CLUSTER`, `E-NODE`, `E-DUP`, `E-TIMELINE`, `E-DB`).
    #[error("{message} [{code}]")]
    Identity {
        /// The stable code.
        code: &'static str,
        /// Which snapshots, and what differs.
        message: String,
        /// What the user can do about it.
        hint: Option<String>,
    },
    /// An option or a configuration file asks for something that does not exist.
    #[error("{message}")]
    Usage {
        /// What was asked for.
        message: String,
        /// What exists instead.
        hint: Option<String>,
    },
    /// A template, ours or the user's, does not work.
    #[error("{message}")]
    Template {
        /// Template name, line and reason.
        message: String,
    },
}

/// The library's result type.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The hint to print under the message, in the imperative.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Input { hint, .. } | Self::Identity { hint, .. } | Self::Usage { hint, .. } => hint.as_deref(),
            Self::Io { .. } | Self::Template { .. } => None,
        }
    }

    /// An [`Error::Input`] without a hint.
    pub fn input(message: impl Into<String>) -> Self {
        Self::Input { message: message.into(), hint: None }
    }

    /// An [`Error::Usage`] with a hint.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), hint: Some(hint.into()) }
    }

    /// Wraps an I/O error with the path it happened on.
    pub fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
