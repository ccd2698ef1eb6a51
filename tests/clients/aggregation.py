#!/usr/bin/env python3
"""Has aws-kinesis-agg take apart what kinesis-streamer aggregated: counts, identities, keys, shards.

    python3 tests/clients/aggregation.py target/debug/kinesis-streamer

Starts `kinesis-streamer local` on a free port of this machine, lets runs write to it, reads every shard with boto3 and
de-aggregates with aws-kinesis-agg: AWS's own decoder, on protobuf's. Then the other way round: what its aggregator
makes is put into a stream, and `kinesis-streamer verify` reads it. Needs boto3 and aws-kinesis-agg (PyPI).
`--vector FILE` writes the vector of src/aggregate/write.rs and does nothing else.
Ends with "N passed, 0 failed"; exits 1 when something failed.
"""

import argparse
import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import traceback
from collections import Counter

import boto3
from aws_kinesis_agg.aggregator import RecordAggregator
from aws_kinesis_agg.deaggregator import deaggregate_records

LIMIT = 120  # seconds that one run may take
MOST = 51_200  # bytes of an aggregate


def environment(endpoint, stream):
    made_up = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "made-up", "AWS_REGION": "us-east-1"}
    return {**made_up, "AWS_ENDPOINT_URL": endpoint, "AWS_KINESIS_STREAM_NAME": stream,
            "AWS_EC2_METADATA_DISABLED": "true", "STREAMER_LISTEN": "off", "STREAMER_LOG_FORMAT": "json"}


def run(program, endpoint, stream, *arguments):
    """A run to its end: its exit code, its counts, its standard output."""
    done = subprocess.run([program, *arguments], env=environment(endpoint, stream), capture_output=True, text=True,
                          timeout=LIMIT, cwd=tempfile.gettempdir(), check=False)
    ended = [json.loads(line)["fields"] for line in done.stderr.splitlines() if '"run ended"' in line]
    return done, ended[-1] if ended else {}


def hash_key(partition_key):
    return int.from_bytes(hashlib.md5(partition_key.encode()).digest(), "big")


def read(client, stream):
    """Every Kinesis record of a stream, with the hash keys of the shard that it was read from."""
    for shard in client.list_shards(StreamName=stream)["Shards"]:
        bounds = shard["HashKeyRange"]
        iterator = client.get_shard_iterator(StreamName=stream, ShardId=shard["ShardId"],
                                             ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        while iterator:
            answer = client.get_records(ShardIterator=iterator)
            for record in answer["Records"]:
                yield int(bounds["StartingHashKey"]), int(bounds["EndingHashKey"]), record
            if not answer["Records"] and answer["MillisBehindLatest"] == 0:
                break
            iterator = answer.get("NextShardIterator")


def user_records(record):
    """The user records of a Kinesis record, as aws-kinesis-agg gives them to a Lambda function."""
    event = {"kinesis": {"kinesisSchemaVersion": "1.0", "partitionKey": record["PartitionKey"],
                         "sequenceNumber": record["SequenceNumber"], "data": base64.b64encode(record["Data"]),
                         "approximateArrivalTimestamp": 0.0}}
    for one in deaggregate_records([event]):
        one = one["kinesis"]
        explicit = one.get("explicitHashKey")
        yield (one["partitionKey"], None if explicit is None else int(explicit), base64.b64decode(one["data"]),
               bool(one.get("aggregated")))


def run_is_read(program, endpoint, client, stream, shards, messages, *arguments):
    """What a run says that it sent is what the decoder finds: once each, in its shard, in as many Kinesis records."""
    client.create_stream(StreamName=stream, ShardCount=shards)
    client.get_waiter("stream_exists").wait(StreamName=stream, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    done, counts = run(program, endpoint, stream, f"--aggregation={MOST}B", "--jobs=4", f"--messages={messages}",
                       f"--max-records={8 * messages}", "--seed=7", "--instance=p", *arguments)
    assert done.returncode == 0, done.stderr
    assert counts["sent"] == 8 * messages, counts
    identities, entries, packed, explicit_keys, keys = Counter(), 0, 0, 0, Counter()
    for start, end, record in read(client, stream):
        entries += 1
        inside = list(user_records(record))
        aggregated = [one for one in inside if one[3]]
        assert len(aggregated) in (0, len(inside)), "a record is aggregated as a whole, or not"
        if aggregated:
            packed += 1
            assert len(inside) >= 2, "an aggregate of one"
            assert len(record["Data"]) + len(record["PartitionKey"]) <= MOST
            assert record["PartitionKey"] == "a"
        for partition_key, explicit, data, _ in inside:
            belongs = hash_key(partition_key) if explicit is None else explicit
            if explicit is not None or aggregated:
                assert start <= belongs <= end, f"{partition_key} does not belong into its shard: KCL would drop it"
            explicit_keys += explicit is not None
            keys[partition_key] += 1
            event = json.loads(data)
            assert event["producer"] == "p", event
            identities[(event["job"], event["sequence"])] += 1
    expected = Counter((job, sequence) for job in range(4) for sequence in range(2 * messages))
    assert identities == expected, f"{(identities - expected)} too many, {(expected - identities)} missing"
    assert entries == counts["entries_sent"], f"{entries} Kinesis records, {counts['entries_sent']} counted"
    assert packed > 0 and entries < counts["sent"] / 5, f"{entries} Kinesis records for {counts['sent']}"
    return keys, explicit_keys


def by_random_keys(program, endpoint, client):
    keys, explicit = run_is_read(program, endpoint, client, "random", 4, 300, "--event=click")
    assert len(keys) == 2_400 and explicit == 0


def by_keys_that_repeat_in_cbor(program, endpoint, client):
    keys, _ = run_is_read(program, endpoint, client, "repeat", 3, 200, "--partition-key=uniform:keys=20", "--wire=cbor")
    assert len(keys) == 20


def by_explicit_hash_keys(program, endpoint, client):
    _, explicit = run_is_read(program, endpoint, client, "explicit", 4, 200, "--partition-key=round-robin")
    assert explicit > 1_500


def the_other_way_round(program, endpoint, client):
    """A run's records, aggregated by aws-kinesis-agg, are what our reader expects; one in the wrong shard is found."""
    for stream, across in ("theirs", False), ("across", True):
        client.create_stream(StreamName=stream, ShardCount=2)
        client.create_stream(StreamName=f"{stream}-plain", ShardCount=2)
        for name in stream, f"{stream}-plain":
            client.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
        done, counts = run(program, endpoint, f"{stream}-plain", "--jobs=2", "--messages=50", "--max-records=200",
                           "--seed=7")
        assert done.returncode == 0 and counts["entries_sent"] == counts["sent"] == 200, done.stderr
        aggregators = {}
        for start, end, record in read(client, f"{stream}-plain"):
            aggregator = aggregators.setdefault(0 if across else (start, end), RecordAggregator())
            full = aggregator.add_user_record(record["PartitionKey"], record["Data"])
            assert full is None, "200 records fit into one aggregate for each shard"
        for bounds, aggregator in aggregators.items():
            _, _, data = aggregator.clear_and_get().get_contents()
            explicit = str(bounds[0]) if bounds else "0"
            client.put_record(StreamName=stream, Data=data, PartitionKey="x", ExplicitHashKey=explicit)
        done, _ = run(program, endpoint, stream, "verify", "--seed=7", "--json", "--idle=0s", "--since=trim-horizon")
        told = json.loads(done.stdout)
        assert told["read"]["user_records"] == told["read"]["aggregated"] == 200, told["read"]
        assert told["total"]["found"] == 200 and told["total"]["corrupt"] == 0, told["total"]
        assert told["misplaced"] == (200 if across else 0), told["misplaced"]
        assert done.returncode == (2 if across else 0), (done.returncode, told)


def vector():
    """The user records of the vector in src/aggregate/write.rs."""
    aggregator = RecordAggregator()
    for n in range(40):
        explicit = [None, str(n << 100), str(2**128 - 1)][n % 3]
        data = '{"n":%d,"é":"%s"}' % (n, "x" * (n * 7))
        assert aggregator.add_user_record(f"key-{n % 7}", data.encode(), explicit) is None
    return aggregator.clear_and_get().get_contents()[2]


def the_vector_is_what_the_aggregator_makes(*_):
    path = os.path.join(os.path.dirname(__file__), "../vectors/aggregate.bin")
    with open(path, "rb") as file:
        assert file.read() == vector()


CHECKS = (the_vector_is_what_the_aggregator_makes, by_random_keys, by_keys_that_repeat_in_cbor, by_explicit_hash_keys,
          the_other_way_round)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", help="the kinesis-streamer to try")
    parser.add_argument("--vector", metavar="FILE", help="write the vector, and nothing else")
    asked = parser.parse_args()
    if asked.vector:
        with open(asked.vector, "wb") as file:
            file.write(vector())
        return
    if not asked.program:
        parser.error("which program?")
    program = os.path.abspath(asked.program)
    server = subprocess.Popen([program, "local", "--port=0", "--shards=1"], env={"STREAMER_LOG_FORMAT": "json"},
                              stderr=subprocess.PIPE, text=True)
    passed, failed = 0, 0
    try:
        told = ""
        while "serving stream" not in told:
            told = server.stderr.readline()
            assert told, "the embedded stream ended"
        endpoint = re.search(r"http://[0-9.]+:[0-9]+", told)[0]
        client = boto3.client("kinesis", endpoint_url=endpoint, region_name="us-east-1",
                              aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="made-up")
        for check in CHECKS:
            try:
                check(program, endpoint, client)
                passed += 1
                print(f"ok      {check.__name__.replace('_', ' ')}")
            except Exception:  # pylint: disable=broad-except # each check is told
                failed += 1
                print(f"FAILED  {check.__name__.replace('_', ' ')}")
                traceback.print_exc(file=sys.stdout)
    finally:
        server.terminate()
        server.wait(30)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
