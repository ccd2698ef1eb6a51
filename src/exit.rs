//! How the process ends: an exit code per cause, so that scripts can tell them apart.

/// Why the process ends. The codes follow sysexits.h where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Every record that was generated was sent.
    Sent,
    /// The run ended, but records failed or are unknown.
    NotAllSent,
    /// What the stream holds is not what was claimed.
    NotAsClaimed,
    /// The stream could not be read back to its end.
    NotVerified,
    /// `healthcheck` got no good answer.
    Unhealthy,
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
    /// There is a stream of that name already, and it is another.
    Exists,
    /// A journal could not be opened, written to its end or read.
    Journal,
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
    /// A guard refused the target or the rate.
    Guarded,
    /// A trace could not be replayed to its end.
    Trace,
    /// A second signal ended the run at once.
    Interrupted,
}

impl Exit {
    /// Every way to end, by code.
    pub const ALL: [Self; 21] = [
        Self::Sent,
        Self::NotAllSent,
        Self::Unhealthy,
        Self::NotAsClaimed,
        Self::NotVerified,
        Self::Usage,
        Self::BadData,
        Self::NoStream,
        Self::Unreachable,
        Self::Defect,
        Self::System,
        Self::Exists,
        Self::Journal,
        Self::NotActive,
        Self::Denied,
        Self::NoCredentials,
        Self::ExpiredCredentials,
        Self::RejectedCredentials,
        Self::Guarded,
        Self::Trace,
        Self::Interrupted,
    ];

    /// The process's exit code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Sent => 0,
            Self::NotAllSent | Self::Unhealthy => 1,
            Self::NotAsClaimed => 2,
            Self::NotVerified => 3,
            Self::Usage => 64,
            Self::BadData => 65,
            Self::NoStream => 66,
            Self::Unreachable => 69,
            Self::Defect => 70,
            Self::System => 71,
            Self::Exists => 73,
            Self::Journal => 74,
            Self::NotActive => 75,
            Self::Denied => 77,
            Self::NoCredentials => 78,
            Self::ExpiredCredentials => 79,
            Self::RejectedCredentials => 80,
            Self::Guarded => 81,
            Self::Trace => 82,
            Self::Interrupted => 130,
        }
    }

    /// What the code means, in one line.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Sent => "every record that was generated was sent (dropped ones were not generated)",
            Self::NotAllSent => "the run ended, but records failed or are unknown",
            Self::Unhealthy => {
                "`healthcheck`: no good answer in time (1, because Docker knows no other code)"
            }
            Self::NotAsClaimed => {
                "read back, the stream does not hold what was claimed: missing, duplicate, corrupt, disordered or foreign records"
            }
            Self::NotVerified => {
                "the stream was not read back to its end, or not all claims are known: nothing is proven"
            }
            Self::Usage => "settings or arguments are wrong; all problems are listed",
            Self::BadData => {
                "`lint`: the Kinesis Data Generator would refuse the template, or one in Jinja can't be used; `import`: something could not be imported"
            }
            Self::NoStream => "the stream does not exist",
            Self::Unreachable => "the endpoint can't be reached, or does not answer as Kinesis does",
            Self::Defect => {
                "the counts did not add up, or the program ended itself: a defect, please report it"
            }
            Self::System => "a listener or the runtime could not be set up",
            Self::Exists => "`stream create`: there is a stream of that name, and it is not as asked",
            Self::Journal => "a journal can't be used, lacks the fate of some records, or is damaged",
            Self::NotActive => {
                "the stream did not become ACTIVE in time, or is being deleted; `stream delete`: it is not gone in time"
            }
            Self::Denied => "the identity lacks a permission",
            Self::NoCredentials => "no credentials were found",
            Self::ExpiredCredentials => "the credentials are expired",
            Self::RejectedCredentials => "the endpoint does not accept the credentials",
            Self::Guarded => {
                "a guard refused it: the stream is not an allowed one, or the rate is not confirmed; `stream delete`: this program did not make it"
            }
            Self::Trace => {
                "the trace to replay can't be read, or a line of it is wrong, which is named; what came before it was sent and counted"
            }
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
