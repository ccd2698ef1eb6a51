//! Kinds of files and pictures that templates draw: names of which KDG has more, and none that it has not.

/// The subjects of pictures.
pub(super) const PICTURES: [&str; 13] = [
    "abstract",
    "animals",
    "business",
    "cats",
    "city",
    "food",
    "nightlife",
    "fashion",
    "people",
    "nature",
    "sports",
    "technics",
    "transport",
];

/// Media types with the endings of their files.
pub(super) const MEDIA_TYPES: [(&str, &[&str]); 24] = [
    ("application/json", &["json", "map"]),
    ("application/pdf", &["pdf"]),
    ("application/zip", &["zip"]),
    ("application/xml", &["xml", "xsl", "xsd"]),
    ("application/msword", &["doc", "dot"]),
    ("application/rtf", &["rtf"]),
    ("application/ogg", &["ogx"]),
    ("application/javascript", &["js"]),
    ("audio/mpeg", &["mpga", "mp2", "mp2a", "mp3", "m2a", "m3a"]),
    ("audio/midi", &["mid", "midi", "kar", "rmi"]),
    ("audio/ogg", &["oga", "ogg", "spx"]),
    ("image/bmp", &["bmp"]),
    ("image/gif", &["gif"]),
    ("image/jpeg", &["jpeg", "jpg", "jpe"]),
    ("image/png", &["png"]),
    ("image/tiff", &["tiff", "tif"]),
    ("text/css", &["css"]),
    ("text/csv", &["csv"]),
    ("text/html", &["html", "htm"]),
    ("text/plain", &["txt", "text", "conf", "def", "list", "log", "in", "ini"]),
    ("video/mp4", &["mp4", "mp4v", "mpg4"]),
    ("video/mpeg", &["mpeg", "mpg", "mpe", "m1v", "m2v"]),
    ("video/quicktime", &["qt", "mov"]),
    ("video/webm", &["webm"]),
];

/// The endings of what `system.commonFileExt` draws from, one list a media type.
pub(super) const COMMON_ENDINGS: [&[&str]; 9] = [
    &["pdf"],
    &["mpga", "mp2", "mp2a", "mp3", "m2a", "m3a"],
    &["wav"],
    &["png"],
    &["jpeg", "jpg", "jpe"],
    &["gif"],
    &["mp4", "mp4v", "mpg4"],
    &["mpeg", "mpg", "mpe", "m1v", "m2v"],
    &["html", "htm"],
];
