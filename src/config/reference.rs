//! The reference of all variables, as README shows it.
//!
//! Made from the table of settings; a test compares the two.

use super::setting::{Absent, Setting};
use super::settings::SETTINGS;

/// A variable that AWS's own configuration reads. It is never read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AwsVariable {
    /// The variable.
    pub name: &'static str,
    /// Whether its value must never be shown.
    pub secret: bool,
    /// What it does, in one line.
    pub help: &'static str,
}

const fn aws(name: &'static str, help: &'static str) -> AwsVariable {
    AwsVariable { name, secret: false, help }
}

const fn aws_secret(name: &'static str, help: &'static str) -> AwsVariable {
    AwsVariable { name, secret: true, help }
}

/// The variables of AWS's default chain that people use most with a stream.
pub const AWS_VARIABLES: &[AwsVariable] = &[
    aws("AWS_REGION", "The region; us-east-1 where nothing names one"),
    aws("AWS_DEFAULT_REGION", "The region, where `AWS_REGION` is not set"),
    aws("AWS_ACCESS_KEY_ID", "Static credentials: the key's id"),
    aws_secret("AWS_SECRET_ACCESS_KEY", "Static credentials: the key"),
    aws_secret("AWS_SESSION_TOKEN", "Static credentials: the token of a session"),
    aws("AWS_PROFILE", "The profile in AWS's configuration files; SSO and credential processes included"),
    aws("AWS_CONFIG_FILE", "Where the configuration file is"),
    aws("AWS_SHARED_CREDENTIALS_FILE", "Where the credentials file is"),
    aws("AWS_ENDPOINT_URL", "Another endpoint for every service"),
    aws("AWS_ENDPOINT_URL_KINESIS", "Another endpoint for Kinesis; stronger than `AWS_ENDPOINT_URL`"),
    aws("AWS_ROLE_ARN", "The role to take with a web identity"),
    aws("AWS_WEB_IDENTITY_TOKEN_FILE", "The token of a web identity, as Kubernetes mounts it"),
    aws("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "Credentials of a container, as ECS sets it"),
    aws("AWS_CONTAINER_CREDENTIALS_FULL_URI", "Credentials of a container, as EKS sets it"),
    aws("AWS_EC2_METADATA_DISABLED", "`true` keeps credentials of the EC2 instance out"),
];

/// Both tables in Markdown: our settings by topic, then AWS's variables.
pub fn markdown_table() -> String {
    let mut text =
        String::from("| variable | flag | default | value | what it does |\n|---|---|---|---|---|\n");
    let mut group = None;
    for setting in SETTINGS {
        if group.replace(setting.group) != Some(setting.group) {
            text.push_str(&format!("| **{}** | | | | |\n", setting.group.heading()));
        }
        text.push_str(&row(setting));
    }
    text.push_str("\nRead by AWS's own default chain, as every AWS tool reads them:\n\n| variable | what it does |\n|---|---|\n");
    for variable in AWS_VARIABLES {
        let secret = if variable.secret { " (secret: never shown)" } else { "" };
        text.push_str(&format!("| `{}` | {}{secret} |\n", variable.name, variable.help));
    }
    text
}

fn row(setting: &Setting) -> String {
    let names = setting.names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let value = if setting.switch { format!("[={}]", setting.value) } else { format!(" {}", setting.value) };
    let default = match setting.absent {
        Absent::Value(text) => format!("`{text}`"),
        Absent::Means(words) => words.to_owned(),
    };
    format!(
        "| {names} | `--{}{value}` | {default} | {} | {} |\n",
        setting.flag,
        setting.form.rule(),
        setting.help
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_has_a_row_for_every_variable_and_the_same_columns_in_each() {
        let text = markdown_table();
        for name in SETTINGS.iter().flat_map(Setting::names).chain(AWS_VARIABLES.iter().map(|v| v.name)) {
            assert!(text.contains(&format!("`{name}`")), "{name}");
        }
        let rows = text.lines().filter(|line| line.starts_with('|'));
        let bars: Vec<usize> = rows.map(|row| row.matches('|').count()).collect();
        assert_eq!(bars.iter().filter(|bars| **bars == 3).count(), AWS_VARIABLES.len() + 2);
        assert!(bars.iter().all(|bars| matches!(bars, 3 | 6)), "{bars:?}");
    }
}
