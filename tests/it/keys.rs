//! Keys on a stream: chosen shards get their share, also when the stream is resharded in mid-run.

use serde_json::{Value, json};

use crate::support::readback::call;
use crate::support::{Program, Running, counts};

/// What a shard got so far, by the run's own metrics.
fn sent_to(run: &Running, shard: &str) -> u64 {
    let (_, text) = run.get("/metrics");
    let series = format!("kinesis_streamer_shard_records_sent_total{{shard=\"{shard}\"}} ");
    text.lines()
        .find_map(|line| line.strip_prefix(&series))
        .map_or(0, |value| value.parse().expect("a count"))
}

#[test]
fn the_load_of_a_hot_shard_follows_it_through_a_reshard() {
    let local = Program::new(&["local", "--port=0", "--shards=2"])
        .env("STREAMER_LOG_FORMAT", "json")
        .start_until("serving");
    let message = local.begins["message"].as_str().expect("a message");
    let endpoint = message.rsplit(' ').next().expect("its address").to_owned();
    let arguments = ["--jobs=1", "--messages=50", "--pacing=smooth", "--partition-key=hot:100%@1"];
    let mut run = Program::run(&arguments)
        .env("AWS_ENDPOINT_URL", &endpoint)
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "a-secret-that-must-not-be-seen")
        .env("AWS_KINESIS_STREAM_NAME", "local")
        .env("STREAMER_LISTEN", "127.0.0.1:0")
        .start();
    while sent_to(&run, "shardId-000000000001") == 0 {}
    let target = json!({"StreamName": "local", "TargetShardCount": 4, "ScalingType": "UNIFORM_SCALING"});
    assert_eq!(call(&endpoint, "UpdateShardCount", &target).0, 200);
    run.wait_for("the stream was resharded");
    let (_, listed) = call(&endpoint, "ListShards", &json!({"StreamName": "local"}));
    let children = |parent: &str| -> Vec<String> {
        let of = |shard: &&Value| shard["ParentShardId"] == parent;
        let shards = listed["Shards"].as_array().expect("shards");
        shards.iter().filter(of).map(|shard| shard["ShardId"].as_str().expect("an id").to_owned()).collect()
    };
    let (cold, hot) = (children("shardId-000000000000"), children("shardId-000000000001"));
    assert_eq!((cold.len(), hot.len()), (2, 2), "{listed}");
    // Both parts of the hot shard are hot, and nothing else is.
    let before = hot.iter().map(|shard| sent_to(&run, shard)).collect::<Vec<_>>();
    while hot.iter().zip(&before).any(|(shard, before)| sent_to(&run, shard) <= before + 20) {}
    assert!(cold.iter().all(|shard| sent_to(&run, shard) == 0));
    assert_eq!(sent_to(&run, "shardId-000000000000"), 0);
    assert!(run.get("/metrics").1.contains("kinesis_streamer_reshards_total 1"));
    run.signal("TERM");
    let (code, log) = run.finish();
    let ended = counts(&log);
    assert_eq!((ended["sent"], ended["unknown"], code), (ended["generated"], 0, 0));
    local.kill();
}

#[test]
fn every_strategy_is_proven_clean_when_it_is_read_back() {
    for key in ["zipf:1.2,keys=50", "uniform", "hot:60%@1,rotate=1s", "explicit"] {
        let arguments = ["--local=3", "--verify", "--max-records=150", "--partition-key", key];
        let finished = Program::run(&arguments).finish();
        assert_eq!((finished.counts()["sent"], finished.code), (150, 0), "{key}: {}", finished.stderr);
    }
}

#[test]
fn a_hot_shard_that_is_not_there_and_one_that_gets_too_much_are_told_before_the_first_record() {
    let missing =
        Program::new(&["--local=2", "--partition-key=hot:60%@2"]).env("STREAMER_LISTEN", "off").finish();
    assert_eq!(missing.code, 64);
    assert!(
        missing.stderr.contains("shardId-000000000002 is no open shard of the stream; it has"),
        "{}",
        missing.stderr
    );
    let arguments = ["--local=4", "--dry-run", "--partition-key=hot:60%@3", "--jobs=20", "--messages=100"];
    let planned = Program::new(&arguments).finish();
    let text = format!("{}{}", planned.stdout, planned.stderr);
    assert!(text.contains("shards    shardId-000000000003 ") && text.contains("of what it takes"), "{text}");
}
