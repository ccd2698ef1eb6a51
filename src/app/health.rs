//! The subcommand `healthcheck`: one request to a listener, within a time limit.
//!
//! Decides what a good answer is; whom to ask was decided with the settings.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::config::{HealthOptions, Listener};
use crate::exit::Exit;

/// Bytes of an answer that are read: more than a status line and our own words have.
const MOST: u64 = 4 * 1024;

/// Asks, and says what came of it: a line for people, and how the process ends.
pub fn healthcheck(options: &HealthOptions) -> (String, Exit) {
    // One thread does, and nothing of the set-up of a run is needed.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return (format!("the runtime can't be started: {error}"), Exit::System),
    };
    let told = runtime.block_on(health(options));
    // A name that is still being looked up is not waited for.
    runtime.shutdown_background();
    told
}

async fn health(options: &HealthOptions) -> (String, Exit) {
    let Some(listener) = &options.asked else {
        let told = "STREAMER_LISTEN is off, so there is nobody to ask: set it to an address, or take the health check out \
                    (docker run --no-healthcheck)";
        return (told.to_owned(), Exit::Usage);
    };
    let Listener { authority, path } = listener;
    let unhealthy = |why: String| (format!("http://{authority}{path}: {why}"), Exit::Unhealthy);
    let answer = match timeout(options.timeout, ask(listener)).await {
        Err(_) => return unhealthy(format!("no answer within {:?}", options.timeout)),
        Ok(Err(error)) => return unhealthy(error.to_string()),
        Ok(Ok(answer)) => answer,
    };
    let Some(status) = status(&answer) else {
        return unhealthy("what answers does not speak HTTP".to_owned());
    };
    let word = answer.split_once("\r\n\r\n").and_then(|(_, body)| body.lines().next()).unwrap_or_default();
    let word: String = word.chars().filter(|c| !c.is_control()).take(80).collect();
    if (200..300).contains(&status) {
        (format!("http://{authority}{path}: {word}"), Exit::Sent)
    } else {
        unhealthy(format!("{status} {word}"))
    }
}

async fn ask(Listener { authority, path }: &Listener) -> std::io::Result<String> {
    let mut connection = TcpStream::connect(authority.as_str()).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    connection.take(MOST).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The status of an answer; none where it is none.
fn status(answer: &str) -> Option<u16> {
    let (version, rest) = answer.split_once(' ')?;
    let status = rest.get(..3).filter(|_| version.starts_with("HTTP/1."))?;
    status.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::net::TcpListener;

    use super::*;

    /// What is told of a listener that answers so, or never where there is no answer.
    async fn told(answer: Option<&'static str>) -> (String, Exit) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let authority = listener.local_addr().expect("bound").to_string();
        tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.expect("a client");
            let mut request = [0; 1_024];
            let read = connection.read(&mut request).await.expect("a request");
            assert!(request[..read].starts_with(b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1:"));
            match answer {
                Some(answer) => connection.write_all(answer.as_bytes()).await.expect("written"),
                None => std::future::pending().await,
            }
        });
        let listener = Listener { authority, path: "/healthz".to_owned() };
        let timeout = Duration::from_millis(if answer.is_some() { 60_000 } else { 50 });
        health(&HealthOptions { asked: Some(listener), timeout }).await
    }

    #[tokio::test]
    async fn only_an_answer_of_the_class_2xx_in_time_is_healthy() {
        for (answer, exit, word) in [
            (Some("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok\n"), Exit::Sent, "ok"),
            (Some("HTTP/1.0 204 No Content\r\n\r\n"), Exit::Sent, ""),
            (Some("HTTP/1.1 503 Unavailable\r\n\r\nwaiting\n"), Exit::Unhealthy, "503 waiting"),
            (Some("HTTP/1.1 302 Found\r\n\r\n"), Exit::Unhealthy, "302"),
            (Some("SSH-2.0-OpenSSH\r\n"), Exit::Unhealthy, "does not speak HTTP"),
            (Some(""), Exit::Unhealthy, "does not speak HTTP"),
            (None, Exit::Unhealthy, "no answer within 50ms"),
        ] {
            let (line, ended) = told(answer).await;
            assert!(ended == exit && line.contains(word), "{answer:?}: {line} {ended:?}");
        }
    }

    #[tokio::test]
    async fn who_is_not_there_is_unhealthy_and_who_is_off_can_t_be_asked() {
        let authority = TcpListener::bind("127.0.0.1:0")
            .await
            .and_then(|it| it.local_addr())
            .expect("a port")
            .to_string();
        let gone = Some(Listener { authority, path: "/healthz".to_owned() });
        let timeout = Duration::from_secs(60);
        assert_eq!(health(&HealthOptions { asked: gone, timeout }).await.1, Exit::Unhealthy);
        let (line, exit) = health(&HealthOptions { asked: None, timeout }).await;
        assert!(exit == Exit::Usage && line.contains("STREAMER_LISTEN"), "{line}");
    }
}
