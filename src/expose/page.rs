//! The web page: its files, which are part of the program, and the rules that a browser is given with them.
//!
//! Nothing is built and nothing is fetched from elsewhere: the policy forbids it.

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

/// A file of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asset {
    /// Its media type.
    pub kind: &'static str,
    text: &'static str,
}

/// The page itself.
pub(super) const INDEX: Asset =
    Asset { kind: "text/html; charset=utf-8", text: include_str!("page/index.html") };

/// Every other file of the page, by its path.
const ASSETS: [(&str, Asset); 5] = [
    ("/page.css", Asset { kind: "text/css; charset=utf-8", text: include_str!("page/page.css") }),
    ("/page.js", Asset { kind: "text/javascript; charset=utf-8", text: include_str!("page/page.js") }),
    ("/charts.js", Asset { kind: "text/javascript; charset=utf-8", text: include_str!("page/charts.js") }),
    ("/control.js", Asset { kind: "text/javascript; charset=utf-8", text: include_str!("page/control.js") }),
    ("/icon.svg", Asset { kind: "image/svg+xml", text: include_str!("page/icon.svg") }),
];

/// Only what comes from this listener is loaded, run or asked, and no other page may show this one.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

impl Asset {
    /// The file at `path`, other than the page itself.
    pub(super) fn at(path: &str) -> Option<Self> {
        ASSETS.iter().find(|(known, _)| *known == path).map(|(_, asset)| *asset)
    }

    pub(super) fn body(self) -> Bytes {
        Bytes::from_static(self.text.as_bytes())
    }
}

/// Adds what a browser is to keep to.
pub(super) fn guard(headers: &mut HeaderMap) {
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-cache"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Whether whoever asks is a browser that wants to show a page.
pub(super) fn wants_page(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT).iter().any(|accept| accept.to_str().is_ok_and(|text| text.contains("text/html")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_below_a_hundred_kilobytes_and_names_no_other_host() {
        let all: Vec<&str> = ASSETS.iter().map(|(_, asset)| asset.text).chain([INDEX.text]).collect();
        let bytes: usize = all.iter().map(|text| text.len()).sum();
        assert!(bytes < 100_000, "{bytes} bytes");
        for text in all {
            // The name of a picture's language is no address that anybody asks.
            let text = text.replace("http://www.w3.org/2000/svg", "");
            for address in ["http:", "https:", "//cdn", "url(", "@import"] {
                assert!(!text.contains(address), "{address}");
            }
        }
    }

    #[test]
    fn the_page_needs_nothing_that_the_policy_forbids() {
        for (path, _) in ASSETS {
            assert!(INDEX.text.contains(&format!("\"{path}\"")), "{path} is not used");
        }
        for inline in ["<style", " style=", " onclick", " onload", "javascript:", "<script>"] {
            assert!(!INDEX.text.contains(inline), "{inline}");
        }
        for word in ["eval(", "new Function", "innerHTML", "document.write"] {
            assert!(ASSETS.iter().all(|(_, asset)| !asset.text.contains(word)), "{word}");
        }
    }
}
