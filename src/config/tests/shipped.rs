//! Every ready-made settings file of the repository is a valid config.

use super::{FRESH, Invocation, read};

#[test]
fn every_shipped_environment_file_is_a_valid_config() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/config");
    let mut loads = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it is readable").path();
        if path.extension().is_none_or(|extension| extension != "env") {
            continue;
        }
        let file = std::fs::File::open(&path).expect("it is readable");
        let mut variables: Vec<(String, String)> =
            dotenvy::from_read_iter(file).collect::<Result<_, _>>().expect("a .env file");
        // A file that leaves the stream to its user says so.
        if !variables.iter().any(|(name, _)| name == "STREAMER_LOCAL") {
            let text = std::fs::read_to_string(&path).expect("it is readable");
            assert!(text.contains("AWS_KINESIS_STREAM_NAME=my-stream"), "{}", path.display());
            variables.push(("AWS_KINESIS_STREAM_NAME".to_owned(), "my-stream".to_owned()));
        }
        match read(variables, ["x"], FRESH) {
            Ok(Invocation::Run(config)) => {
                assert_eq!(config.notices, [""; 0], "{}", path.display());
                let name =
                    path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                loads.push((name, config.load.records_per_tick()));
            }
            other => panic!("{}: {other:?}", path.display()),
        }
    }
    for expected in [
        ("local-default", 100),
        ("one-shard-90-percent", 900),
        ("one-shard-overload", 1_200),
        ("original", 100),
        ("just-measure", 1_000),
        ("hot-shard-moving", 2_000),
        ("one-shard-aggregated", 5_000),
    ] {
        assert!(loads.iter().any(|(name, load)| (name.as_str(), *load) == expected), "{expected:?}");
    }
}
