//! A wire tap: passes connections on to a stream and notes which operation was called when.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Instant;

const TARGET: &[u8] = b"Kinesis_20131202.";

type Calls = Arc<Mutex<Vec<(String, Instant)>>>;

/// A tap in front of one endpoint. Its threads end with their connections, and with the tests.
pub struct Tap {
    address: SocketAddr,
    calls: Calls,
}

impl Tap {
    /// A tap on a free port of loopback, in front of `endpoint` (`http://` and an address).
    pub fn before(endpoint: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (calls, to) = (Calls::default(), endpoint.trim_start_matches("http://").to_owned());
        let noted = Arc::clone(&calls);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(&to).expect("the stream listens");
                let (back, answers) =
                    (client.try_clone().expect("a socket"), server.try_clone().expect("a socket"));
                let calls = Arc::clone(&noted);
                std::thread::spawn(move || pass(client, server, &mut Notes { calls, tail: Vec::new() }));
                std::thread::spawn(move || pass(answers, back, &mut std::io::sink()));
            }
        });
        Self { address, calls }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The operations that were called.
    pub fn operations(&self) -> BTreeSet<String> {
        self.calls.lock().expect("no panic").iter().map(|(operation, _)| operation.clone()).collect()
    }

    /// When the operation was called first.
    pub fn first(&self, operation: &str) -> Option<Instant> {
        let calls = self.calls.lock().expect("no panic");
        calls.iter().find(|(called, _)| called == operation).map(|&(_, at)| at)
    }
}

/// Passes on what comes until either side hangs up, which is no error here.
fn pass(mut from: TcpStream, mut to: TcpStream, notes: &mut impl Write) {
    let mut piece = [0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut piece) {
        let _ = notes.write_all(&piece[..read]);
        if to.write_all(&piece[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// Notes the operations in what is written to it, wherever the pieces are cut.
struct Notes {
    calls: Calls,
    tail: Vec<u8>,
}

impl Write for Notes {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        self.tail.extend_from_slice(piece);
        while let Some(at) = self.tail.windows(TARGET.len()).position(|part| part == TARGET) {
            let name = &self.tail[at + TARGET.len()..];
            let Some(end) = name.iter().position(|byte| !byte.is_ascii_alphanumeric()) else { break };
            let name = String::from_utf8_lossy(&name[..end]).into_owned();
            self.calls.lock().expect("no panic").push((name, Instant::now()));
            self.tail.drain(..at + TARGET.len() + end);
        }
        // The longest name, and what stands before it, have fewer bytes than this.
        self.tail.drain(..self.tail.len().saturating_sub(64));
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
