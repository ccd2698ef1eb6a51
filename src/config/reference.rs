//! The reference of all variables, as README shows it.
//!
//! Made from the table of settings; a test compares the two.

use super::aws::AWS_VARIABLES;
use super::otel::OTEL_VARIABLES;
use super::setting::{Absent, Setting};
use super::settings::SETTINGS;

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
    text.push_str(
        "\nRead where the program was built with `--features otlp` (docs/observability.md), as OpenTelemetry's specification \
         says:\n\n| variable | what it does |\n|---|---|\n",
    );
    for (name, help) in OTEL_VARIABLES {
        text.push_str(&format!("| `{name}` | {help} |\n"));
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
        assert_eq!(
            bars.iter().filter(|bars| **bars == 3).count(),
            AWS_VARIABLES.len() + OTEL_VARIABLES.len() + 4
        );
        assert!(bars.iter().all(|bars| matches!(bars, 3 | 6)), "{bars:?}");
    }
}
