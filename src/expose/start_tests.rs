//! The start text's claims, with the text as a reader sees it.

use super::*;

fn plan() -> PlanFacts {
    PlanFacts {
        version: "0.1.0".to_owned(),
        stream: Some(StreamPlan {
            name: "my-stream".to_owned(),
            arn: Some("arn:aws:kinesis:eu-west-1:123456789012:stream/my-stream".to_owned()),
            region: Some("eu-west-1".to_owned()),
            endpoint: None,
            capacity: Capacity::Provisioned,
            by_key: None,
            shards: 4,
        }),
        dry_run: false,
        jobs: 10,
        messages: 10,
        shape: None,
        share: None,
        start_at: None,
        cron: "* * * * * *".to_owned(),
        every_second: true,
        pacing: "burst".to_owned(),
        duration: None,
        max_records: None,
        event: "mouse".to_owned(),
        event_bytes: 260.0,
        key: "random".to_owned(),
        key_bytes: 32.0,
        most_keys: None,
        aggregation: None,
        forecast: None,
        replay: None,
        seed: 42,
        seed_given: false,
        instance: "p-0000002a".to_owned(),
        retry: "backoff".to_owned(),
        max_attempts: 10,
        max_in_flight: 128,
        request_timeout: Duration::from_secs(10),
        drain_timeout: Duration::from_secs(30),
        listen: Some("127.0.0.1:9464".to_owned()),
        journal: None,
        client: "direct".to_owned(),
        wire: "json".to_owned(),
    }
}

fn with_stream(change: impl FnOnce(&mut StreamPlan)) -> PlanFacts {
    let mut plan = plan();
    if let Some(stream) = &mut plan.stream {
        change(stream);
    }
    plan
}

#[test]
fn an_instance_of_several_tells_its_share_and_the_start_of_all() {
    let share = Some(SharePlan { index: 2, count: 3, records: 33 });
    let text = start_text(&PlanFacts { share, start_at: Some("2026-11-21T12:00:00Z".to_owned()), ..plan() });
    for row in [
        "  load      10 jobs × 10 messages = 100 records/s, ",
        "\n  share     33 of them: instance 2 of 3, counted from 0\n",
        "\n  start     at 2026-11-21T12:00:00Z\n",
    ] {
        assert!(text.contains(row), "{text}");
    }
}

#[test]
fn the_default_plan_reads_like_this() {
    assert_eq!(
        start_text(&plan()),
        "\
kinesis-streamer 0.1.0

  stream    my-stream, 4 shards, provisioned
  ARN       arn:aws:kinesis:eu-west-1:123456789012:stream/my-stream
  load      10 jobs × 10 messages = 100 records/s, about 28.5 KiB/s
  capacity  4,000 records/s and 4.00 MiB/s; the load is 2.5 % of the records, 0.7 % of the bytes
  schedule  cron \"* * * * * *\", pacing burst, until it is stopped
  event     mouse, about 260 B
  key       random, about 32 B
  seed      42 (random; --seed 42 --instance p-0000002a makes the same events again)
  instance  p-0000002a
  retry     backoff, at most 10 attempts a record
  window    at most 128 requests at once, up to 10 s each; up to 30 s at the end for what is in flight
  requests  client direct, wire json
  metrics   http://127.0.0.1:9464/metrics
"
    );
}

#[test]
fn a_plan_that_asks_too_much_of_the_embedded_stream_reads_like_this() {
    let mut plan = with_stream(|stream| {
        stream.arn = None;
        stream.region = None;
        stream.endpoint = Some("http://127.0.0.1:40001".to_owned());
        stream.capacity = Capacity::Embedded;
        stream.shards = 1;
    });
    (plan.jobs, plan.messages) = (60, 20);
    (plan.duration, plan.max_records) = (Some(Duration::from_secs(60)), Some(1_000_000));
    (plan.seed_given, plan.listen) = (true, None);
    assert_eq!(
        start_text(&plan),
        "\
kinesis-streamer 0.1.0

  stream    my-stream, 1 shard, embedded, with the limits of real shards
  endpoint  http://127.0.0.1:40001
  load      60 jobs × 20 messages = 1,200 records/s, about 342 KiB/s
  capacity  1,000 records/s and 1.00 MiB/s; the load is 120 % of the records, 33 % of the bytes
  schedule  cron \"* * * * * *\", pacing burst, for 60 s or for 1,000,000 records, whichever ends first
  event     mouse, about 260 B
  key       random, about 32 B
  seed      42
  instance  p-0000002a
  retry     backoff, at most 10 attempts a record
  window    at most 128 requests at once, up to 10 s each; up to 30 s at the end for what is in flight
  requests  client direct, wire json
  metrics   off

warning: the load is 120 % (records) of what 1 shard takes; the rest will be throttled. Use --local=2, or lower CRON_JOBS_TO_GENERATE or MESSAGES_PER_CRON_JOB
"
    );
}

#[test]
fn a_dry_run_without_a_stream_reads_like_this() {
    let mut plan = PlanFacts { stream: None, dry_run: true, every_second: false, ..plan() };
    plan.cron = "*/10 * * * * *".to_owned();
    assert_eq!(
        start_text(&plan),
        "\
kinesis-streamer 0.1.0

  stream    none
  dry run   nothing is sent
  load      10 jobs × 10 messages = 100 records in each due second, about 28.5 KiB
  schedule  cron \"*/10 * * * * *\", pacing burst, until it is stopped
  event     mouse, about 260 B
  key       random, about 32 B
  seed      42 (random; --seed 42 --instance p-0000002a makes the same events again)
  instance  p-0000002a
  retry     backoff, at most 10 attempts a record
  window    at most 128 requests at once, up to 10 s each; up to 30 s at the end for what is in flight
  requests  client direct, wire json
  metrics   http://127.0.0.1:9464/metrics
"
    );
}

#[test]
fn a_constant_key_is_warned_of_only_when_its_shard_can_not_take_the_load() {
    let constant = PlanFacts { key: "constant:a".to_owned(), most_keys: Some(1), ..plan() };
    assert_eq!(warnings(&constant), Vec::<String>::new());
    let hot = PlanFacts { jobs: 150, ..constant };
    assert_eq!(
        warnings(&hot),
        [
            "the partition key constant:a gives 1 key, so all records go to 1 of the 4 shards at most, and the load is \
          150 % (records) of what that one takes. STREAMER_PARTITION_KEY=random spreads it"
        ]
    );
}

#[test]
fn a_load_that_the_shards_just_take_is_no_warning() {
    let full = with_stream(|stream| stream.shards = 1);
    assert!(warnings(&PlanFacts { jobs: 100, ..full.clone() }).is_empty());
    assert_eq!(warnings(&PlanFacts { jobs: 1_001, messages: 1, ..full.clone() }).len(), 1);
    // By bytes: 100 records/s of 10,486 bytes.
    let large = PlanFacts { event_bytes: 10_454.0, ..full };
    assert!(warnings(&large)[0].starts_with("the load is 101 % (bytes) of what 1 shard takes;"), "{large:?}");
}

#[test]
fn an_on_demand_stream_is_told_that_it_grows_and_may_ignore_keys() {
    let mut plan = with_stream(|stream| stream.capacity = Capacity::OnDemand);
    assert!(warnings(&plan).is_empty());
    plan.jobs = 1_000;
    plan.key = "user".to_owned();
    let told = warnings(&plan);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("adds shards as traffic grows") && told[1].contains("AUTO"), "{told:?}");
    let told = |by_key| {
        let mut plan = with_stream(|stream| (stream.capacity, stream.by_key) = (Capacity::OnDemand, by_key));
        plan.key = "hot:60%@shardId-000000000001".to_owned();
        warnings(&plan)
    };
    assert_eq!(told(Some(true)), [""; 0]);
    assert!(told(Some(false))[0].contains("distribution is AUTO: Kinesis ignores partition keys"));
    assert!(told(None)[0].contains("if its record distribution is AUTO"));
}

#[test]
fn a_shard_that_gets_more_than_it_takes_is_told_ahead() {
    let mut plan = PlanFacts { jobs: 100, messages: 20, key: "hot:60%@3".to_owned(), ..plan() };
    let shard = |id: u64, share| (format!("shardId-{id:012}"), share);
    let forecast = |first| Forecast { shares: vec![shard(3, first), shard(0, 1.0 - first)], events: 10_000 };
    plan.forecast = Some(forecast(0.6));
    assert_eq!(
        warnings(&plan),
        [
            "the partition key hot:60%@3 sends 60 % of the load to shardId-000000000003, which is 120 % of what it takes; \
          the rest will be throttled"
        ]
    );
    assert!(start_text(&plan).contains("shards    shardId-000000000003 60 %, shardId-000000000000 40 % (by"));
    plan.forecast = Some(forecast(0.5));
    assert!(warnings(&plan).is_empty());
}
