//! How an event becomes the data of a record: framed, compressed, or as it is.
//!
//! A size that was asked for is that of the data before compression, its frame included. Each record is compressed by
//! itself, so that a reader needs no other.

use std::fmt;

use flate2::{Compress, FlushCompress, Status};
use zstd_safe::{CCtx, CParameter};

named! {
    /// How data is compressed.
    Compression,
    /// A text that names no compression.
    CompressionError = "a compression is one of none, gzip, zstd";
    /// Not at all.
    None = "none",
    /// gzip (RFC 1952), level 6.
    Gzip = "gzip",
    /// Zstandard (RFC 8878), level 1.
    Zstd = "zstd",
}

named! {
    /// What stands behind each event.
    Framing,
    /// A text that names no framing.
    FramingError = "a framing is one of none, newline";
    /// Nothing.
    None = "none",
    /// A line feed, so that records that are joined are lines.
    Newline = "newline",
}

impl Framing {
    /// Bytes that it adds.
    #[must_use]
    pub fn bytes(self) -> u64 {
        match self {
            Self::None => 0,
            Self::Newline => 1,
        }
    }
}

/// What happens to every event on its way into a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packing {
    /// How it is compressed, with its frame.
    pub compression: Compression,
    /// How it is framed.
    pub framing: Framing,
}

impl Packing {
    /// Nothing happens.
    pub const NONE: Self = Self { compression: Compression::None, framing: Framing::None };
}

/// The level of gzip that gzip itself takes.
const LEVEL: u32 = 6;

/// The level of Zstandard: its fastest that is none of the negative ones, which hardly compress a record.
const ZSTD_LEVEL: i32 = 1;

/// A gzip member's head: deflate, no name, no time, any system (RFC 1952, section 2.3).
const GZIP_HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// Bytes of room that the compressor is given at a time.
const STEP: usize = 4 * 1024;

/// The buffers and tables that packing needs; they serve again for the next event.
#[derive(Default)]
pub struct Packer {
    gzip: Option<Compress>,
    zstd: Option<CCtx<'static>>,
    packed: Vec<u8>,
}

impl fmt::Debug for Packer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packer").field("packed", &self.packed.len()).finish_non_exhaustive()
    }
}

impl Packer {
    /// The data of a record that holds `event`, which may be changed on the way.
    #[inline]
    pub fn pack<'a>(&'a mut self, packing: Packing, event: &'a mut Vec<u8>) -> &'a [u8] {
        match packing.framing {
            Framing::None => {}
            Framing::Newline => event.push(b'\n'),
        }
        match packing.compression {
            Compression::None => event,
            Compression::Gzip => self.gzip(event),
            Compression::Zstd => self.zstd(event),
        }
    }

    /// Bytes of memory that the buffers hold, the compressors' own tables aside.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.packed.capacity()
    }

    fn gzip(&mut self, event: &[u8]) -> &[u8] {
        let compress = self.gzip.get_or_insert_with(|| Compress::new(flate2::Compression::new(LEVEL), false));
        compress.reset();
        self.packed.clear();
        self.packed.extend_from_slice(&GZIP_HEAD);
        loop {
            self.packed.reserve(STEP);
            let left = &event[compress.total_in() as usize..];
            let status = compress.compress_vec(left, &mut self.packed, FlushCompress::Finish);
            match status {
                Ok(Status::StreamEnd) => break,
                Ok(Status::Ok | Status::BufError) => {}
                Err(error) => unreachable!("deflate takes any bytes, but says {error}"),
            }
        }
        self.packed.extend_from_slice(&crc32fast::hash(event).to_le_bytes());
        self.packed.extend_from_slice(&(event.len() as u32).to_le_bytes()); // modulo 2^32, says the RFC
        &self.packed
    }

    /// A frame with its content's size and checksum. A context that serves again gives the bytes of a new one.
    fn zstd(&mut self, event: &[u8]) -> &[u8] {
        let context = self.zstd.get_or_insert_with(zstd_context);
        self.packed.clear();
        self.packed.reserve(zstd_safe::compress_bound(event.len()));
        if let Err(code) = context.compress2(&mut self.packed, event) {
            unreachable!(
                "there is room, and zstd takes any bytes, but says {}",
                zstd_safe::get_error_name(code)
            );
        }
        &self.packed
    }
}

fn zstd_context() -> CCtx<'static> {
    let mut context = CCtx::create();
    for parameter in [CParameter::CompressionLevel(ZSTD_LEVEL), CParameter::ChecksumFlag(true)] {
        let name = zstd_safe::get_error_name;
        context
            .set_parameter(parameter)
            .unwrap_or_else(|code| unreachable!("a legal parameter: {}", name(code)));
    }
    context
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::MultiGzDecoder;
    use proptest::prelude::*;
    use ruzstd::decoding::StreamingDecoder;

    use super::*;

    fn unpacked(compression: Compression, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        match compression {
            Compression::None => out.extend_from_slice(data),
            Compression::Gzip => assert!(MultiGzDecoder::new(data).read_to_end(&mut out).is_ok()),
            Compression::Zstd => {
                let frame = StreamingDecoder::new(data).map(|mut frame| frame.read_to_end(&mut out).is_ok());
                assert_eq!(frame.ok(), Some(true));
            }
        }
        out
    }

    fn event() -> impl Strategy<Value = Vec<u8>> {
        let noise = prop::collection::vec(any::<u8>(), 0..3_000);
        let text = "[a-e ]{0,3000}".prop_map(String::into_bytes);
        prop_oneof![noise, text, Just(vec![b'x'; 300_000])]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        // Whatever is packed one after the other with the same buffers comes out as it went in, with its frame, and is
        // the same as with buffers of its own.
        #[test]
        fn what_is_packed_comes_out(events in prop::collection::vec(event(), 1..4)) {
            for compression in Compression::ALL {
                for framing in Framing::ALL {
                    let (packing, mut packer) = (Packing { compression, framing }, Packer::default());
                    for event in &events {
                        let wanted = [&event[..], if framing == Framing::Newline { b"\n" } else { b"" }].concat();
                        let (mut one, mut other) = (event.clone(), event.clone());
                        let data = packer.pack(packing, &mut one).to_vec();
                        prop_assert_eq!(unpacked(compression, &data), wanted.clone());
                        prop_assert_eq!(&data, &Packer::default().pack(packing, &mut other).to_vec());
                        prop_assert_eq!(&one, &wanted, "the event is still there");
                    }
                }
            }
        }
    }

    #[test]
    fn text_becomes_smaller() {
        let text: Vec<u8> =
            (0..200).flat_map(|n| format!(r#"{{"number":{n},"name":"a name"}}"#).into_bytes()).collect();
        for (compression, most) in [(Compression::Gzip, 8), (Compression::Zstd, 4)] {
            let (packing, mut event) = (Packing { compression, ..Packing::NONE }, text.clone());
            let length = Packer::default().pack(packing, &mut event).len();
            assert!(length * most < text.len(), "{compression}: {length} of {}", text.len());
        }
    }
}
