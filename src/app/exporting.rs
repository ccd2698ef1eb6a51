//! The export of metrics by OpenTelemetry's protocol, in programs that were built for it; nothing in others.

use super::start_error::StartError;
use crate::config::Config;
use crate::expose::View;
#[cfg(feature = "otlp")]
use crate::expose::otlp::{Exporter, Target};

/// An export that goes on; it ends when this is dropped.
#[cfg(feature = "otlp")]
pub(super) struct Exporting(Option<Exporter>);

/// No export.
#[cfg(not(feature = "otlp"))]
pub(super) struct Exporting;

#[cfg(feature = "otlp")]
impl Exporting {
    /// Begins to export what `view` shows, where the settings say that and where to.
    pub(super) fn begin(config: &Config, view: &View) -> Result<Self, StartError> {
        let Some(otlp) = &config.otlp else { return Ok(Self(None)) };
        let mut resource = otlp.resource.clone();
        let said = |name: &str| otlp.resource.iter().any(|(known, _)| known == name);
        for (name, value) in [
            ("service.instance.id", config.producer.as_str()),
            ("service.version", env!("CARGO_PKG_VERSION")),
        ] {
            if !said(name) {
                resource.push((name.to_owned(), value.to_owned()));
            }
        }
        let begin = || {
            let target = Target {
                url: otlp.url.clone(),
                headers: Target::headers(otlp.headers.reveal())?,
                interval: otlp.interval,
                timeout: otlp.timeout,
                resource,
            };
            Exporter::begin(view.clone(), target)
        };
        begin().map(|exporter| Self(Some(exporter))).map_err(|error| StartError::Export(Box::new(error)))
    }

    /// The last export, with the counts of the end.
    pub(super) async fn end(self) {
        if let Some(exporter) = self.0 {
            exporter.end().await;
        }
    }
}

#[cfg(not(feature = "otlp"))]
impl Exporting {
    /// Nothing: whoever asks for an export is told when the settings are read.
    pub(super) fn begin(_: &Config, _: &View) -> Result<Self, StartError> {
        Ok(Self)
    }

    /// Nothing.
    pub(super) async fn end(self) {}
}
