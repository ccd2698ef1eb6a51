//! The two wires of Kinesis: the same operations, members and headers, with bodies in JSON or in CBOR.

named! {
    /// How the bodies of PutRecords requests and of their answers are written.
    Wire,
    /// A text that names no wire.
    WireError = "a wire is one of json, cbor";
    /// AWS JSON 1.1: data in base64. What most SDKs speak.
    Json = "json",
    /// The same in CBOR: data as it is, a quarter fewer bytes. What the SDK for Java speaks to Kinesis
    /// (aws-sdk-java-v2, `AwsCborProtocolFactory`).
    Cbor = "cbor",
}

impl Wire {
    /// The `content-type` of its bodies.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/x-amz-json-1.1",
            Self::Cbor => "application/x-amz-cbor-1.1",
        }
    }
}
