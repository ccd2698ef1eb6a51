//! How the process ends: an exit code per cause, so that scripts can tell them apart.

/// Why the process ends. The codes follow sysexits.h where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Every record that was generated was sent.
    Sent,
    /// The run ended, but records failed or are unknown.
    NotAllSent,
    /// Settings or arguments are wrong.
    Usage,
    /// What `lint` or `import` was given can't be used as it is.
    BadData,
    /// The stream does not exist.
    NoStream,
    /// The endpoint can't be reached, or does not answer as Kinesis does.
    Unreachable,
    /// The counts did not add up: a defect of this program.
    Defect,
    /// A socket or the runtime could not be set up.
    System,
    /// The stream did not become ACTIVE in time.
    NotActive,
    /// The identity may not do what is needed.
    Denied,
    /// There are no credentials.
    NoCredentials,
    /// The credentials are expired.
    ExpiredCredentials,
    /// The endpoint does not accept the credentials.
    RejectedCredentials,
    /// A second signal ended the run at once.
    Interrupted,
}

impl Exit {
    /// Every way to end, by code.
    pub const ALL: [Self; 14] = [
        Self::Sent,
        Self::NotAllSent,
        Self::Usage,
        Self::BadData,
        Self::NoStream,
        Self::Unreachable,
        Self::Defect,
        Self::System,
        Self::NotActive,
        Self::Denied,
        Self::NoCredentials,
        Self::ExpiredCredentials,
        Self::RejectedCredentials,
        Self::Interrupted,
    ];

    /// The process's exit code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Sent => 0,
            Self::NotAllSent => 1,
            Self::Usage => 64,
            Self::BadData => 65,
            Self::NoStream => 66,
            Self::Unreachable => 69,
            Self::Defect => 70,
            Self::System => 71,
            Self::NotActive => 75,
            Self::Denied => 77,
            Self::NoCredentials => 78,
            Self::ExpiredCredentials => 79,
            Self::RejectedCredentials => 80,
            Self::Interrupted => 130,
        }
    }

    /// What the code means, in one line.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Sent => "every record that was generated was sent (dropped ones were not generated)",
            Self::NotAllSent => "the run ended, but records failed or are unknown",
            Self::Usage => "settings or arguments are wrong; all problems are listed",
            Self::BadData => {
                "`lint`: the Kinesis Data Generator would refuse the template; `import`: something could not be imported"
            }
            Self::NoStream => "the stream does not exist",
            Self::Unreachable => "the endpoint can't be reached, or does not answer as Kinesis does",
            Self::Defect => "the counts did not add up: a defect, please report it",
            Self::System => "a listener or the runtime could not be set up",
            Self::NotActive => "the stream did not become ACTIVE in time, or is being deleted",
            Self::Denied => "the identity lacks a permission",
            Self::NoCredentials => "no credentials were found",
            Self::ExpiredCredentials => "the credentials are expired",
            Self::RejectedCredentials => "the endpoint does not accept the credentials",
            Self::Interrupted => "a second signal ended the run at once",
        }
    }
}

/// README's table of exit codes.
#[must_use]
pub fn markdown_table() -> String {
    let mut table = String::from("| code | meaning |\n|---|---|\n");
    for exit in Exit::ALL {
        table.push_str(&format!("| {} | {} |\n", exit.code(), exit.meaning()));
    }
    table
}
