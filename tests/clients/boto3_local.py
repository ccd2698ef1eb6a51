#!/usr/bin/env python3
"""Exercises the embedded stream with boto3: every operation, its errors, its limits, and a tailing reader.

    kinesis-streamer local --port 4567 &
    python3 tests/clients/boto3_local.py --endpoint http://127.0.0.1:4567

Needs boto3 (PyPI). Makes its own streams and deletes them. Ends with "N passed, 0 failed"; exits 1 when
something failed. Takes about five seconds, most of it because readers get five calls a second;
never more than a minute.
"""

import argparse
import hashlib
import json
import sys
import threading
import time
import traceback
import urllib.error
import urllib.request
import uuid

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

CHECKS = []
DEADLINE = time.monotonic() + 58
RATE = "ProvisionedThroughputExceededException"


def check(function):
    CHECKS.append(function)
    return function


def error(code, text, call, **arguments):
    """The call fails with this code, and its message contains the text."""
    try:
        call(**arguments)
    except ClientError as e:
        got = e.response["Error"]
        status = e.response["ResponseMetadata"]["HTTPStatusCode"]
        assert got["Code"] == code, f"expected {code}, got {got}"
        assert text in got["Message"], f"expected {text!r} in {got['Message']!r}"
        assert status == 400, status
        return got["Message"]
    raise AssertionError(f"expected {code}, but the call succeeded")


def patient(call, **arguments):
    """The call, again while the shard's read limit refuses it."""
    while True:
        try:
            return call(**arguments)
        except ClientError as e:
            if e.response["Error"]["Code"] != RATE or time.monotonic() > DEADLINE:
                raise
            time.sleep(0.05)


class Streams:
    """Streams of one check, deleted after it."""

    def __init__(self, k):
        self.k, self.names = k, []

    def __call__(self, shards=1, **more):
        name = f"boto3-{uuid.uuid4().hex[:12]}"
        if shards is not None:
            more["ShardCount"] = shards
        self.k.create_stream(StreamName=name, **more)
        self.names.append(name)
        self.k.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 10})
        return name

    def close(self):
        for name in self.names:
            try:
                self.k.delete_stream(StreamName=name)
            except ClientError:
                pass


def iterator(k, stream, shard="shardId-000000000000", kind="TRIM_HORIZON", **more):
    return k.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType=kind, **more)["ShardIterator"]


def read_all(k, stream, shard="shardId-000000000000"):
    """Every record of a shard, to the tip or to the end of a closed shard."""
    at, records = iterator(k, stream, shard), []
    while at:
        got = patient(k.get_records, ShardIterator=at)
        records += got["Records"]
        if got["MillisBehindLatest"] == 0:
            break
        at = got.get("NextShardIterator")
    return records


def fill(k, stream, count, key="key", size=20):
    done = []
    while len(done) < count:
        n = min(500, count - len(done))
        entries = [{"Data": f"{len(done) + i:0{size}}".encode(), "PartitionKey": f"{key}-{i}"} for i in range(n)]
        got = k.put_records(StreamName=stream, Records=entries)
        assert got["FailedRecordCount"] == 0, got["Records"][:3]
        done += got["Records"]
    return done


def has(k, operation, member):
    return member in k.meta.service_model.operation_model(operation).input_shape.members


# Streams

@check
def create_describe_and_delete(k, new):
    name = new(3, Tags={"team": "load"})
    s = k.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    assert s["StreamName"] == name and s["StreamStatus"] == "ACTIVE" and s["OpenShardCount"] == 3
    assert s["StreamARN"].endswith(f":stream/{name}") and s["StreamARN"].startswith("arn:aws:kinesis:")
    assert s["StreamModeDetails"] == {"StreamMode": "PROVISIONED"} and s["EncryptionType"] == "NONE"
    assert s["RetentionPeriodHours"] == 24 and s["EnhancedMonitoring"] == [{"ShardLevelMetrics": []}]
    assert s.get("MaxRecordSizeInKiB", 1024) == 1024
    assert abs(s["StreamCreationTimestamp"].timestamp() - time.time()) < 60
    d = k.describe_stream(StreamARN=s["StreamARN"])["StreamDescription"]
    assert [x["ShardId"] for x in d["Shards"]] == [f"shardId-{i:012}" for i in range(3)]
    assert not d["HasMoreShards"] and d["Shards"][0]["HashKeyRange"]["StartingHashKey"] == "0"
    assert d["Shards"][2]["HashKeyRange"]["EndingHashKey"] == str(2**128 - 1)
    assert len(d["Shards"][0]["SequenceNumberRange"]["StartingSequenceNumber"]) == 56
    assert k.list_tags_for_stream(StreamName=name)["Tags"] == [{"Key": "team", "Value": "load"}]
    error("ResourceInUseException", "already exists", k.create_stream, StreamName=name, ShardCount=1)
    k.delete_stream(StreamName=name)
    error("ResourceNotFoundException", f"Stream {name} under account", k.describe_stream_summary, StreamName=name)
    k.get_waiter("stream_not_exists").wait(StreamName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 5})


@check
def wrong_streams_are_refused(k, new):
    error("ValidationException", "failed to satisfy constraint", k.create_stream, StreamName="a b", ShardCount=1)
    error("ValidationException", "less than or equal to 128", k.create_stream, StreamName="a" * 129, ShardCount=1)
    error("ValidationException", "ShardCount", k.create_stream, StreamName="no-count")
    for call in (k.describe_stream, k.describe_stream_summary, k.list_shards, k.delete_stream):
        error("ResourceNotFoundException", "not found", call, StreamName="does-not-exist")
    wrong = "arn:aws:kinesis:eu-west-3:123456789012:stream/does-not-exist"
    error("ResourceNotFoundException", "not found", k.describe_stream_summary, StreamARN=wrong)
    error("ValidationException", "StreamName or StreamARN", k.describe_stream_summary)
    error("ValidationException", "", k.update_shard_count, StreamName=new(), TargetShardCount=2, ScalingType="NO")


@check
def the_account_has_a_shard_limit(k, new):
    error("LimitExceededException", "shard limit", lambda: [new(10_000) for _ in range(200)])


@check
def on_demand_streams_have_four_shards(k, new):
    name = new(None, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    s = k.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    assert s["OpenShardCount"] == 4 and s["StreamModeDetails"]["StreamMode"] == "ON_DEMAND"
    args = {"TargetShardCount": 8, "ScalingType": "UNIFORM_SCALING"}
    error("ValidationException", "On-Demand", k.update_shard_count, StreamName=name, **args)
    k.update_stream_mode(StreamARN=s["StreamARN"], StreamModeDetails={"StreamMode": "PROVISIONED"})
    assert k.update_shard_count(StreamName=name, **args)["CurrentShardCount"] == 4


@check
def auto_distribution_ignores_keys(k, new):
    if not has(k, "CreateStream", "RecordDistributionStrategy"):
        return
    name = new(None, StreamModeDetails={"StreamMode": "ON_DEMAND"}, RecordDistributionStrategy="AUTO")
    s = k.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    assert s["RecordDistributionStrategy"] == "AUTO"
    got = k.put_records(StreamName=name, Records=[{"Data": b"x"}] * 8)["Records"]
    assert sorted(r["ShardId"] for r in got) == sorted([f"shardId-{i:012}" for i in range(4)] * 2)
    assert "PartitionKey" not in read_all(k, name)[0]


@check
def streams_are_listed_in_pages(k, new):
    names = sorted(new() for _ in range(3))
    seen = [s for page in k.get_paginator("list_streams").paginate(Limit=1) for s in page["StreamNames"]]
    assert [s for s in seen if s in names] == names and len(seen) == len(set(seen))
    first = k.list_streams(Limit=1)
    assert first["HasMoreStreams"] and len(first["StreamSummaries"]) == 1
    assert k.list_streams(Limit=1, NextToken=first["NextToken"])["StreamNames"] == seen[1:2]
    error("ValidationException", "less than or equal to 10000", k.list_streams, Limit=10_001)


@check
def shards_are_listed_in_pages_and_by_filter(k, new):
    name = new(5)
    # Not boto3's paginator: it repeats StreamName beside NextToken, which AWS refuses as well.
    pages = [k.list_shards(StreamName=name, MaxResults=2)]
    while "NextToken" in pages[-1]:
        pages.append(k.list_shards(NextToken=pages[-1]["NextToken"], MaxResults=2))
    assert [len(p["Shards"]) for p in pages] == [2, 2, 1], pages
    assert [s["ShardId"] for p in pages for s in p["Shards"]] == [f"shardId-{i:012}" for i in range(5)]
    described = list(k.get_paginator("describe_stream").paginate(StreamName=name, Limit=2))
    assert sum(len(p["StreamDescription"]["Shards"]) for p in described) == 5
    after = k.list_shards(StreamName=name, ExclusiveStartShardId="shardId-000000000002")["Shards"]
    assert [s["ShardId"] for s in after] == ["shardId-000000000003", "shardId-000000000004"]
    token = k.list_shards(StreamName=name, MaxResults=1)["NextToken"]
    error("InvalidArgumentException", "cannot be provided together", k.list_shards, StreamName=name, NextToken=token)
    error("InvalidArgumentException", "Either NextToken or StreamName", k.list_shards)
    error("InvalidArgumentException", "NextToken is invalid", k.list_shards, NextToken="AAAA")
    k.merge_shards(
        StreamName=name, ShardToMerge="shardId-000000000000", AdjacentShardToMerge="shardId-000000000001"
    )

    def filtered(**f):
        return [int(s["ShardId"][-3:]) for s in k.list_shards(StreamName=name, ShardFilter=f)["Shards"]]

    assert filtered(Type="AT_LATEST") == [2, 3, 4, 5]
    assert filtered(Type="AT_TRIM_HORIZON") == [0, 1, 2, 3, 4]
    assert filtered(Type="FROM_TRIM_HORIZON") == [0, 1, 2, 3, 4, 5]
    assert filtered(Type="AFTER_SHARD_ID", ShardId="shardId-000000000003") == [4, 5]
    assert filtered(Type="AT_TIMESTAMP", Timestamp=time.time() + 1) == [2, 3, 4, 5]
    assert filtered(Type="FROM_TIMESTAMP", Timestamp=time.time() + 1) == [2, 3, 4, 5]


@check
def tags_retention_and_limits(k, new):
    name = new()
    k.add_tags_to_stream(StreamName=name, Tags={"a": "1", "b": "2", "c": ""})
    k.remove_tags_from_stream(StreamName=name, TagKeys=["b"])
    first = k.list_tags_for_stream(StreamName=name, Limit=1)
    assert first["Tags"] == [{"Key": "a", "Value": "1"}] and first["HasMoreTags"]
    rest = k.list_tags_for_stream(StreamName=name, ExclusiveStartTagKey="a")
    assert rest["Tags"] == [{"Key": "c", "Value": ""}] and not rest["HasMoreTags"]
    error("InvalidArgumentException", "more than 50 tags", k.add_tags_to_stream, StreamName=name,
          Tags={f"t{i}": "" for i in range(50)})
    k.increase_stream_retention_period(StreamName=name, RetentionPeriodHours=48)
    assert k.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["RetentionPeriodHours"] == 48
    error("InvalidArgumentException", "can not be shorter", k.increase_stream_retention_period,
          StreamName=name, RetentionPeriodHours=24)
    error("InvalidArgumentException", "Minimum allowed", k.decrease_stream_retention_period,
          StreamName=name, RetentionPeriodHours=23)
    k.decrease_stream_retention_period(StreamName=name, RetentionPeriodHours=24)
    limits = k.describe_limits()
    assert limits["OpenShardCount"] >= 1 and limits["ShardLimit"] >= limits["OpenShardCount"]


# Writing

@check
def one_record_goes_in_and_comes_out(k, new):
    name = new(2)
    arn = k.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]
    data, key = bytes(range(256)), 'k"é\\\n\u2028😀'
    put = k.put_record(StreamARN=arn, Data=data, PartitionKey=key)
    wanted = 0 if int(hashlib.md5(key.encode()).hexdigest(), 16) < 2**127 else 1
    assert put["ShardId"] == f"shardId-{wanted:012}" and len(put["SequenceNumber"]) == 56
    (record,) = read_all(k, name, put["ShardId"])
    assert record["Data"] == data and record["PartitionKey"] == key
    assert record["SequenceNumber"] == put["SequenceNumber"]
    assert abs(record["ApproximateArrivalTimestamp"].timestamp() - time.time()) < 60
    after = k.put_record(StreamName=name, Data=b"", PartitionKey=key, SequenceNumberForOrdering=put["SequenceNumber"])
    assert int(after["SequenceNumber"]) > int(put["SequenceNumber"])
    error("InvalidArgumentException", "ExclusiveMinimumSequenceNumber", k.put_record, StreamName=name, Data=b"",
          PartitionKey="k", SequenceNumberForOrdering="1")


@check
def entries_are_answered_in_order(k, new):
    name = new(4)
    entries = [{"Data": str(i).encode(), "PartitionKey": f"key-{i}"} for i in range(500)]
    got = k.put_records(StreamName=name, Records=entries)
    assert got["FailedRecordCount"] == 0 and len(got["Records"]) == 500
    for entry, result in zip(entries, got["Records"]):
        place = int(hashlib.md5(entry["PartitionKey"].encode()).hexdigest(), 16) >> 126
        assert result["ShardId"] == f"shardId-{place:012}", (entry, result)
    held = {}
    for shard in range(4):
        records = read_all(k, name, f"shardId-{shard:012}")
        numbers = [int(r["SequenceNumber"]) for r in records]
        assert numbers == sorted(set(numbers))
        held.update({r["SequenceNumber"]: r["Data"] for r in records})
    assert [held[r["SequenceNumber"]] for r in got["Records"]] == [e["Data"] for e in entries]


@check
def explicit_hash_keys_choose_the_shard(k, new):
    name = new(2)
    keys = [("0", 0), (str(2**127 - 1), 0), (str(2**127), 1), (str(2**128 - 1), 1)]
    entries = [{"Data": b"", "PartitionKey": "same", "ExplicitHashKey": key} for key, _ in keys]
    got = k.put_records(StreamName=name, Records=entries)["Records"]
    assert [int(r["ShardId"][-1]) for r in got] == [shard for _, shard in keys]
    put = dict(StreamName=name, Data=b"", PartitionKey="k")
    error("InvalidArgumentException", "[0, 2^128-1]", k.put_record, ExplicitHashKey=str(2**128), **put)
    error("ValidationException", "explicitHashKey", k.put_record, ExplicitHashKey="01", **put)
    error("ValidationException", "explicitHashKey", k.put_record, ExplicitHashKey="-1", **put)


@check
def wrong_requests_are_refused_whole(k, new):
    name = new()

    def put(entries):
        return k.put_records(StreamName=name, Records=entries)

    entry = {"Data": b"x", "PartitionKey": "k"}
    error("ValidationException", "less than or equal to 500", put, entries=[entry] * 501)
    error("ValidationException", "records.2.member.partitionKey", put,
          entries=[entry, {"Data": b"x", "PartitionKey": "k" * 257}])
    error("ValidationException", "partitionKey", k.put_record, StreamName=name, Data=b"", PartitionKey="é" * 257)
    error("ValidationException", "less than or equal to 1048576", put,
          entries=[{"Data": b"x" * 1024 * 1024, "PartitionKey": "k"}])
    error("InvalidArgumentException", "10 MB limit", put,
          entries=[{"Data": b"x" * (1024 * 1024 - 1), "PartitionKey": "k"}] * 11)
    error("ResourceNotFoundException", "not found", k.put_records, StreamName="nope", Records=[entry])
    assert read_all(k, name) == []
    assert k.put_record(StreamName=name, Data=b"", PartitionKey="é" * 256)["SequenceNumber"]


@check
def dry_run_writes_nothing(k, new):
    if not has(k, "PutRecords", "DryRun"):
        return
    name = new()
    entry = {"Data": b"x", "PartitionKey": "k"}
    error("DryRunOperationException", "would have succeeded", k.put_records, StreamName=name, Records=[entry],
          DryRun=True)
    error("DryRunOperationException", "", k.put_record, StreamName=name, DryRun=True, **entry)
    error("DryRunOperationException", "", k.get_shard_iterator, StreamName=name, DryRun=True,
          ShardId="shardId-000000000000", ShardIteratorType="LATEST")
    error("ResourceNotFoundException", "", k.put_records, StreamName="nope", Records=[entry], DryRun=True)
    assert read_all(k, name) == []


@check
def large_records_need_a_raised_stream(k, new):
    if not has(k, "CreateStream", "MaxRecordSizeInKiB"):
        return
    name = new(1, MaxRecordSizeInKiB=10_240)
    data = b"x" * (10 * 1024 * 1024 - 1)
    assert k.put_record(StreamName=name, Data=data, PartitionKey="k")["ShardId"]
    # It borrowed from the seconds to come.
    error(RATE, "Rate exceeded for shard", k.put_record, StreamName=name, Data=b"x", PartitionKey="k")
    at = iterator(k, name)
    got = k.get_records(ShardIterator=at)
    assert got["Records"][0]["Data"] == data
    error(RATE, "Rate exceeded", k.get_records, ShardIterator=got["NextShardIterator"])


@check
def a_shard_takes_a_thousand_records_a_second(k, new):
    name = new(2)
    account = k.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"].split(":")[4]
    entry = {"Data": b"x", "PartitionKey": "k", "ExplicitHashKey": "0"}
    other = {"Data": b"y", "PartitionKey": "k", "ExplicitHashKey": str(2**127)}
    started, accepted, refused = time.monotonic(), 0, 0
    for _ in range(8):
        got = k.put_records(StreamName=name, Records=[entry] * 499 + [other])
        bad = [r for r in got["Records"] if "ErrorCode" in r]
        assert got["FailedRecordCount"] == len(bad)
        for r in bad:
            assert r["ErrorCode"] == RATE and "SequenceNumber" not in r
            assert r["ErrorMessage"] == (
                f"Rate exceeded for shard shardId-000000000000 in stream {name} under account {account}."
            ), r
        assert got["Records"][-1]["ShardId"] == "shardId-000000000001"
        accepted, refused = accepted + 499 - len(bad), refused + len(bad)
    window = time.monotonic() - started
    assert refused > 0 and 1000 <= accepted <= 1000 * (window + 1), (accepted, window)
    records = read_all(k, name)
    assert len(records) == accepted, (len(records), accepted)


@check
def a_shard_takes_a_mebibyte_a_second(k, new):
    name = new()
    entry = {"Data": b"x" * (100 * 1024 - 1), "PartitionKey": "k"}
    started = time.monotonic()
    got = k.put_records(StreamName=name, Records=[entry] * 50)
    window = time.monotonic() - started
    good = 50 - got["FailedRecordCount"]
    assert 10 <= good <= 1024 * 1024 * (window + 1) / (100 * 1024), (good, window)
    assert all("ErrorCode" not in r for r in got["Records"][:10])
    entry = {"Data": b"x" * (500 * 1024), "PartitionKey": "k"}
    error(RATE, "Rate exceeded for shard", lambda: [k.put_record(StreamName=name, **entry) for _ in range(9)])


# Reading

@check
def iterators_start_where_they_say(k, new):
    name = new()
    put = fill(k, name, 6)
    numbers = [r["SequenceNumber"] for r in put]

    def first(kind, **more):
        got = patient(k.get_records, ShardIterator=iterator(k, name, kind=kind, **more), Limit=1)["Records"]
        return got[0]["SequenceNumber"] if got else None

    assert first("TRIM_HORIZON") == numbers[0]
    assert first("AT_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[2]) == numbers[2]
    assert first("AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[2]) == numbers[3]
    shard = k.list_shards(StreamName=name)["Shards"][0]["SequenceNumberRange"]["StartingSequenceNumber"]
    assert first("AT_SEQUENCE_NUMBER", StartingSequenceNumber=shard) == numbers[0]
    assert first("AT_TIMESTAMP", Timestamp=time.time() - 3600) == numbers[0]
    assert first("LATEST") is None
    latest = iterator(k, name, kind="LATEST")
    more = fill(k, name, 1)
    got = patient(k.get_records, ShardIterator=latest)
    assert [r["SequenceNumber"] for r in got["Records"]] == [more[0]["SequenceNumber"]]
    time.sleep(0.02)
    middle = time.time()
    time.sleep(0.02)
    late = fill(k, name, 1)
    assert first("AT_TIMESTAMP", Timestamp=middle) == late[0]["SequenceNumber"]


@check
def wrong_iterators_are_refused(k, new):
    name = new(2)
    number = fill(k, name, 1)[0]
    other = f"shardId-{1 - int(number['ShardId'][-1]):012}"
    args = dict(StreamName=name, ShardId=number["ShardId"])
    get = k.get_shard_iterator
    error("InvalidArgumentException", "no StartingSequenceNumber", get, ShardIteratorType="AT_SEQUENCE_NUMBER", **args)
    error("InvalidArgumentException", "StartingSequenceNumber", get, ShardIteratorType="LATEST",
          StartingSequenceNumber=number["SequenceNumber"], **args)
    error("InvalidArgumentException", "is invalid", get, ShardIteratorType="AT_SEQUENCE_NUMBER",
          StartingSequenceNumber="12", **args)
    error("InvalidArgumentException", "It encodes", get, StreamName=name, ShardId=other,
          ShardIteratorType="AT_SEQUENCE_NUMBER", StartingSequenceNumber=number["SequenceNumber"])
    error("InvalidArgumentException", "no timestamp", get, ShardIteratorType="AT_TIMESTAMP", **args)
    error("InvalidArgumentException", "cannot be greater", get, ShardIteratorType="AT_TIMESTAMP",
          Timestamp=time.time() + 3600, **args)
    error("ValidationException", "enum value set", get, ShardIteratorType="NOW", **args)
    error("ResourceNotFoundException", "does not exist", get, StreamName=name, ShardId="shardId-000000000009",
          ShardIteratorType="LATEST")
    error("InvalidArgumentException", "Invalid ShardIterator", k.get_records, ShardIterator="AAAAAAAA")
    at = iterator(k, name)
    error("ValidationException", "limit", k.get_records, ShardIterator=at, Limit=10_001)
    k.delete_stream(StreamName=name)
    error("ResourceNotFoundException", "", k.get_records, ShardIterator=at)


@check
def readers_are_limited_too(k, new):
    name = new()
    at = iterator(k, name)

    def greedy():
        for _ in range(50):
            k.get_records(ShardIterator=at)

    error(RATE, "Rate exceeded for shard shardId-000000000000", greedy)


@check
def a_limit_pages_through_everything(k, new):
    name = new()
    put = [r["SequenceNumber"] for r in fill(k, name, 25)]
    at, seen = iterator(k, name), []
    while True:
        got = patient(k.get_records, ShardIterator=at, Limit=10)
        seen += [r["SequenceNumber"] for r in got["Records"]]
        assert (got["MillisBehindLatest"] == 0) == (len(seen) == 25), (got["MillisBehindLatest"], len(seen))
        at = got["NextShardIterator"]
        if got["MillisBehindLatest"] == 0:
            break
    assert seen == put


@check
def a_reader_that_tails_many_writers_misses_nothing(k, new):
    name, writers, rounds = new(), 6, 15
    accepted, lock, done = {}, threading.Lock(), threading.Event()
    seen, failure = [], []

    def read():
        try:
            at = iterator(k, name)
            while True:
                finished = done.is_set()
                got = patient(k.get_records, ShardIterator=at)
                seen.extend(got["Records"])
                at = got["NextShardIterator"]
                if finished and got["MillisBehindLatest"] == 0:
                    return
        except Exception as e:  # noqa: BLE001 - reported below
            failure.append(e)

    def write(writer):
        try:
            for n in range(rounds):
                entries = [
                    {"Data": f"{writer}/{n}/{i}".encode(), "PartitionKey": f"{writer}-{i}"} for i in range(40)
                ]
                got = k.put_records(StreamName=name, Records=entries)["Records"]
                with lock:
                    for entry, result in zip(entries, got):
                        if "SequenceNumber" in result:
                            accepted[result["SequenceNumber"]] = entry["Data"]
                time.sleep(0.05)
        except Exception as e:  # noqa: BLE001 - reported below
            failure.append(e)

    reader = threading.Thread(target=read)
    threads = [threading.Thread(target=write, args=(w,)) for w in range(writers)]
    for t in [reader, *threads]:
        t.start()
    for t in threads:
        t.join()
    done.set()
    reader.join()
    assert not failure, failure
    numbers = [int(r["SequenceNumber"]) for r in seen]
    assert numbers == sorted(numbers), "out of order"
    assert len(numbers) == len(set(numbers)), "read twice"
    got = {r["SequenceNumber"]: r["Data"] for r in seen}
    assert got == accepted, f"{len(accepted.keys() - got.keys())} missing, {len(got.keys() - accepted.keys())} extra"


# Resharding

@check
def a_split_closes_the_parent_and_opens_children(k, new):
    name = new()
    before = fill(k, name, 10)
    at = iterator(k, name)
    half = str(2**127)
    args = dict(StreamName=name, ShardToSplit="shardId-000000000000")
    error("InvalidArgumentException", "not both greater than one plus", k.split_shard, NewStartingHashKey="1", **args)
    error("ResourceNotFoundException", "Could not find shard", k.split_shard, StreamName=name,
          ShardToSplit="shardId-000000000007", NewStartingHashKey=half)
    k.split_shard(NewStartingHashKey=half, **args)
    shards = k.list_shards(StreamName=name)["Shards"]
    assert [s.get("ParentShardId") for s in shards] == [None, "shardId-000000000000", "shardId-000000000000"]
    assert "EndingSequenceNumber" in shards[0]["SequenceNumberRange"]
    end = int(shards[0]["SequenceNumberRange"]["EndingSequenceNumber"])
    assert all(int(s["SequenceNumberRange"]["StartingSequenceNumber"]) > end for s in shards[1:])
    after = fill(k, name, 20, key="after")
    assert {r["ShardId"] for r in after} == {"shardId-000000000001", "shardId-000000000002"}
    assert min(int(r["SequenceNumber"]) for r in after) > max(int(r["SequenceNumber"]) for r in before)
    got = patient(k.get_records, ShardIterator=at, Limit=4)
    assert len(got["Records"]) == 4 and "NextShardIterator" in got
    got = patient(k.get_records, ShardIterator=got["NextShardIterator"])
    assert len(got["Records"]) == 6 and "NextShardIterator" not in got and got["MillisBehindLatest"] == 0
    children = {c["ShardId"]: c for c in got["ChildShards"]}
    assert set(children) == {"shardId-000000000001", "shardId-000000000002"}
    assert children["shardId-000000000002"]["HashKeyRange"]["StartingHashKey"] == half
    assert children["shardId-000000000002"]["ParentShards"] == ["shardId-000000000000"]
    assert sum(len(read_all(k, name, s)) for s in children) == 20
    error("InvalidArgumentException", "already been merged or split", k.split_shard, NewStartingHashKey=half, **args)


@check
def a_merge_closes_both_parents(k, new):
    name = new(3)
    error("InvalidArgumentException", "not an adjacent pair", k.merge_shards, StreamName=name,
          ShardToMerge="shardId-000000000000", AdjacentShardToMerge="shardId-000000000002")
    k.merge_shards(StreamName=name, ShardToMerge="shardId-000000000000", AdjacentShardToMerge="shardId-000000000001")
    child = k.list_shards(StreamName=name)["Shards"][3]
    assert child["ParentShardId"] == "shardId-000000000000"
    assert child["AdjacentParentShardId"] == "shardId-000000000001"
    assert child["HashKeyRange"]["StartingHashKey"] == "0"
    got = k.put_record(StreamName=name, Data=b"", PartitionKey="k", ExplicitHashKey="0")
    assert got["ShardId"] == "shardId-000000000003"
    end = patient(k.get_records, ShardIterator=iterator(k, name))
    assert "NextShardIterator" not in end
    assert end["ChildShards"][0]["ParentShards"] == ["shardId-000000000000", "shardId-000000000001"]


@check
def the_shard_count_is_updated_uniformly(k, new):
    name = new(3)

    def update(target):
        return k.update_shard_count(StreamName=name, TargetShardCount=target, ScalingType="UNIFORM_SCALING")

    error("LimitExceededException", "over double", update, target=7)
    error("LimitExceededException", "below half", update, target=1)
    for target in (6, 4, 5, 3):
        got = update(target)
        assert got["TargetShardCount"] == target and got["StreamName"] == name
        shards = k.list_shards(StreamName=name, ShardFilter={"Type": "AT_LATEST"})["Shards"]
        starts = sorted(int(s["HashKeyRange"]["StartingHashKey"]) for s in shards)
        step = 2**128 // target
        assert len(starts) == target and all(abs(s - i * step) <= target for i, s in enumerate(starts)), starts
        s = k.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        assert s["OpenShardCount"] == target
        assert fill(k, name, 20)


@check
def a_resharding_loses_nothing_under_load(k, new):
    name, stop, numbers, failure = new(2), threading.Event(), [], []

    def write():
        try:
            while not stop.is_set():
                entries = [{"Data": b"x", "PartitionKey": uuid.uuid4().hex} for _ in range(10)]
                got = k.put_records(StreamName=name, Records=entries)["Records"]
                numbers.extend(r["SequenceNumber"] for r in got if "SequenceNumber" in r)
                time.sleep(0.02)
        except Exception as e:  # noqa: BLE001 - reported below
            failure.append(e)

    threads = [threading.Thread(target=write) for _ in range(3)]
    for t in threads:
        t.start()
    for target in (4, 3, 2):
        time.sleep(0.15)
        k.update_shard_count(StreamName=name, TargetShardCount=target, ScalingType="UNIFORM_SCALING")
    time.sleep(0.15)
    stop.set()
    for t in threads:
        t.join()
    assert not failure, failure
    shards = [s["ShardId"] for s in k.list_shards(StreamName=name)["Shards"]]
    seen = [r["SequenceNumber"] for s in shards for r in read_all(k, name, s)]
    assert sorted(seen) == sorted(numbers), (len(seen), len(numbers))


# The wire

def raw(endpoint, body, **headers):
    request = urllib.request.Request(endpoint, data=body, method="POST", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as e:
        return e.code, e.headers, e.read()


@check
def the_wires_are_aws_json_and_cbor(k, new):
    endpoint = k.meta.endpoint_url
    json_type = {"Content-Type": "application/x-amz-json-1.1"}
    target = "Kinesis_20131202."
    status, headers, body = raw(endpoint, b"{}", **json_type, **{"X-Amz-Target": target + "ListStreams"})
    assert status == 200 and headers["Content-Type"] == json_type["Content-Type"] and headers["x-amzn-RequestId"]
    assert "StreamNames" in json.loads(body)
    for body, operation, kind in [
        (b"{", "ListStreams", "SerializationException"),
        (b"[]", "PutRecords", "SerializationException"),
        (b'{"Records":1}', "PutRecords", "SerializationException"),
        (b'{"StreamName":"x","Records":[{"Data":"*","PartitionKey":"k"}]}', "PutRecords", "ResourceNotFoundException"),
        (b"{}", "PutRecords", "ValidationException"),
        (b"{}", "NoSuchThing", "UnknownOperationException"),
    ]:
        status, _, answer = raw(endpoint, body, **json_type, **{"X-Amz-Target": target + operation})
        assert status == 400 and json.loads(answer)["__type"] == kind, (body, answer)
    cbor_type = {"Content-Type": "application/x-amz-cbor-1.1"}
    status, headers, answer = raw(endpoint, b"\xa0", **cbor_type, **{"X-Amz-Target": target + "ListStreams"})
    assert status == 200 and headers["Content-Type"] == cbor_type["Content-Type"] and b"\x6bStreamNames" in answer
    status, headers, answer = raw(endpoint, b"{}", **cbor_type, **{"X-Amz-Target": target + "ListStreams"})
    assert status == 400 and b"\x76SerializationException" in answer, answer


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoint", required=True, help="the embedded stream's URL")
    parser.add_argument("--region", default="us-east-1")
    endpoint = parser.parse_args()
    # The limits are what is looked at, so the client neither retries nor checks members itself.
    config = Config(retries={"total_max_attempts": 1}, parameter_validation=True, max_pool_connections=32,
                    connect_timeout=5, read_timeout=20)
    k = boto3.client("kinesis", endpoint_url=endpoint.endpoint, region_name=endpoint.region, config=config,
                     aws_access_key_id="local", aws_secret_access_key="local")
    passed = failed = 0
    for function in CHECKS:
        new, started = Streams(k), time.monotonic()
        try:
            if started > DEADLINE:
                raise TimeoutError("out of time")
            function(k, new)
            passed += 1
            print(f"ok      {function.__name__} ({time.monotonic() - started:.2f} s)")
        except Exception:  # noqa: BLE001 - every failure is reported
            failed += 1
            print(f"FAILED  {function.__name__}")
            traceback.print_exc(file=sys.stdout)
        finally:
            new.close()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
