//! Inflates payloads that are gzip or zstd by their first bytes; bounded in memory, whatever the bytes say.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

/// Most bytes that one payload may inflate to: 10 MiB, the largest record of all, at a ratio of 6.4; also the
/// largest window of a zstd frame.
pub(super) const MOST_BYTES: usize = 64 * 1024 * 1024;

const GZIP: &[u8] = &[0x1f, 0x8b, 0x08];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Why a payload can't be inflated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum InflateError {
    /// It is damaged, or breaks off.
    #[error("compressed data is damaged")]
    Damaged,
    /// It is larger than any that we take.
    #[error("compressed data inflates to more than {} MiB", MOST_BYTES / 1024 / 1024)]
    TooLarge,
}

/// Inflates into `room`, which is cleared first, and returns what is in it then; none if the payload is not
/// compressed.
pub(super) fn inflate<'a>(payload: &[u8], room: &'a mut Vec<u8>) -> Option<Result<&'a [u8], InflateError>> {
    let result = if payload.starts_with(GZIP) {
        room.clear();
        take(MultiGzDecoder::new(payload), room)
    } else if payload.starts_with(ZSTD) {
        room.clear();
        zstd(payload, room)
    } else {
        return None;
    };
    Some(result.map(|()| &room[..]))
}

/// All frames, one after the other.
fn zstd(mut payload: &[u8], room: &mut Vec<u8>) -> Result<(), InflateError> {
    while !payload.is_empty() {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MOST_BYTES as u64);
        let mut frame =
            StreamingDecoder::new_with_decoder(&mut payload, decoder).map_err(|_| InflateError::Damaged)?;
        take(&mut frame, room)?;
        let decoder = frame.into_frame_decoder();
        let told = decoder.get_checksum_from_data();
        if told.is_some() && told != decoder.get_calculated_checksum() {
            return Err(InflateError::Damaged);
        }
    }
    Ok(())
}

/// Reads to the end, or to one byte more than may be.
fn take(source: impl Read, room: &mut Vec<u8>) -> Result<(), InflateError> {
    let left = MOST_BYTES.saturating_sub(room.len()) as u64;
    let read: io::Result<usize> = source.take(left + 1).read_to_end(room);
    match read {
        _ if room.len() > MOST_BYTES => Err(InflateError::TooLarge),
        Ok(_) => Ok(()),
        Err(_) => Err(InflateError::Damaged),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    pub(in crate::verify) fn gzip(payload: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(payload).expect("memory");
        encoder.finish().expect("memory")
    }

    pub(in crate::verify) fn zstd(payload: &[u8]) -> Vec<u8> {
        let mut frame = Vec::with_capacity(zstd_safe::compress_bound(payload.len()));
        zstd_safe::compress(&mut frame, payload, 1).expect("there is room");
        frame
    }

    proptest! {
        // What was compressed, in one piece or in two, comes out as it was, and what is not compressed is left.
        #[test]
        fn a_payload_is_what_it_was(one in vec(any::<u8>(), 0..2_000), other in vec(0..3_u8, 0..2_000)) {
            let mut room = b"from before".to_vec();
            let both = [&one[..], &other].concat();
            for compress in [gzip, zstd] {
                prop_assert_eq!(inflate(&compress(&both), &mut room), Some(Ok(&both[..])));
                let pieces = [compress(&one), compress(&other)].concat();
                prop_assert_eq!(inflate(&pieces, &mut room), Some(Ok(&both[..])));
            }
            prop_assert_eq!(inflate(&[b"{", &one[..]].concat(), &mut room), None);
        }

        // Damage never panics, and a cut is always found.
        #[test]
        fn damage_is_refused(payload in vec(0..9_u8, 1..500), at: prop::sample::Index, byte: u8, noise in vec(any::<u8>(), 0..200)) {
            let mut room = Vec::new();
            for (magic, whole) in [(GZIP, gzip(&payload)), (ZSTD, zstd(&payload))] {
                let at = at.index(whole.len() - magic.len()) + magic.len();
                prop_assert_eq!(inflate(&whole[..at], &mut room), Some(Err(InflateError::Damaged)));
                let mut changed = whole;
                changed[at] = byte;
                let _ = inflate(&changed, &mut room);
                let _ = inflate(&[magic, &noise].concat(), &mut room);
            }
        }
    }

    #[test]
    fn a_payload_that_grows_too_large_is_refused() {
        let mut room = Vec::new();
        let zeros = vec![0; MOST_BYTES + 1];
        assert_eq!(inflate(&gzip(&zeros), &mut room), Some(Err(InflateError::TooLarge)));
        assert!(room.capacity() <= 2 * MOST_BYTES + 64);
        let frame = zstd(&zeros[..1024 * 1024]);
        let frames = frame.repeat(MOST_BYTES / 1024 / 1024 + 1);
        assert_eq!(inflate(&frames, &mut room), Some(Err(InflateError::TooLarge)));
    }
}
