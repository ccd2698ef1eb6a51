//! Who a record is: finds (job, sequence) of one producer in the JSON that carries records.
//!
//! Reads requests and answers of GetRecords alike, without a parser: both write `"Data":"…"` for each record.

use memchr::memmem;

/// A record of the run: its job and its number inside the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    pub job: usize,
    pub sequence: usize,
}

/// Enough of a record's base64 to hold the events' common head; a multiple of four.
const HEAD: usize = 400;

/// The identity of each record in `body`, in order; none where it is not one of `producer`'s.
pub fn all(body: &[u8], producer: &str) -> Vec<Option<Identity>> {
    const DATA: &[u8] = b"\"Data\":\"";
    let mut found = Vec::new();
    for at in memmem::find_iter(body, DATA) {
        let text = &body[at + DATA.len()..];
        let end = memchr::memchr(b'"', text).unwrap_or(text.len());
        // A cut at a multiple of four is whole base64 again.
        let data = base64_simd::STANDARD.decode_to_vec(&text[..end.min(HEAD)]).unwrap_or_default();
        found.push(of(&data, producer));
    }
    found
}

fn of(data: &[u8], producer: &str) -> Option<Identity> {
    let mark = format!("\"producer\":\"{producer}\",\"job\":");
    let rest = &data[memmem::find(data, mark.as_bytes())? + mark.len()..];
    let (job, rest) = number(rest)?;
    let (sequence, _) = number(rest.strip_prefix(b",\"sequence\":")?)?;
    Some(Identity { job, sequence })
}

fn number(text: &[u8]) -> Option<(usize, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    Some((std::str::from_utf8(&text[..digits]).ok()?.parse().ok()?, &text[digits..]))
}
