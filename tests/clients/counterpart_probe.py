"""What a Kinesis that others wrote can and can't do, asked with boto3: one probe per ability, each on a stream of
its own. Every probe answers in a word or two; an error is an answer. Says nothing about kinesis-streamer.

tests/clients/counterpart.py calls this; on its own:

    python3 tests/clients/counterpart_probe.py http://127.0.0.1:4567
"""

import concurrent.futures
import hashlib
import sys
import time
import urllib.error
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

MIB = 1024 * 1024
NOBODYS = {"aws_access_key_id": "AKIDMADEUP", "aws_secret_access_key": "made-up", "region_name": "us-east-1"}


def client(endpoint, **more):
    """One attempt: a retry would hide what the first answer was."""
    config = Config(connect_timeout=5, read_timeout=60, proxies={}, parameter_validation=False,
                    retries={"total_max_attempts": 1}, **more)
    return boto3.client("kinesis", endpoint_url=endpoint, config=config, **NOBODYS)


class Stream:
    """A stream that is there for one probe."""

    made = 0

    def __init__(self, kinesis, shards=1, **more):
        Stream.made += 1
        self.kinesis, self.name = kinesis, f"probe-{Stream.made}"
        kinesis.create_stream(StreamName=self.name, **({"ShardCount": shards} if shards else {}), **more)
        self.settle()

    def settle(self):
        deadline = time.monotonic() + 30
        while self.summary()["StreamStatus"] != "ACTIVE":
            assert time.monotonic() < deadline, "it does not become ACTIVE"
            time.sleep(0.2)

    def summary(self):
        return self.kinesis.describe_stream_summary(StreamName=self.name)["StreamDescriptionSummary"]

    def open_shards(self):
        shards = self.kinesis.list_shards(StreamName=self.name)["Shards"]
        return [shard for shard in shards if "EndingSequenceNumber" not in shard["SequenceNumberRange"]]

    def put(self, entries):
        return self.kinesis.put_records(StreamName=self.name, Records=entries)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.kinesis.delete_stream(StreamName=self.name)
        except (BotoCoreError, ClientError):
            pass


def small(count, **more):
    return [{"Data": b"x", "PartitionKey": str(number), **more} for number in range(count)]


def limits(kinesis):
    with Stream(kinesis) as stream:
        begun, refused = time.monotonic(), 0
        for _ in range(4):
            refused += stream.put(small(500))["FailedRecordCount"]
            if time.monotonic() - begun > 0.9:
                return "can't tell: 2,000 records take it a second" if not refused else "yes"
        return "yes" if refused else "no: it took 2,000 records in a second"


def explicit_hash_key(kinesis):
    with Stream(kinesis, 2) as stream:
        shards = sorted(stream.open_shards(), key=lambda shard: int(shard["HashKeyRange"]["StartingHashKey"]))
        last = shards[1]["HashKeyRange"]
        for key, shard in ((last["StartingHashKey"], shards[1]), ("0", shards[0]), (last["EndingHashKey"], shards[1])):
            answer = stream.put(small(1, ExplicitHashKey=key))["Records"][0]
            if answer.get("ShardId") != shard["ShardId"]:
                return f"not for {key}"
        return "yes"


def partition_key(kinesis):
    with Stream(kinesis, 3) as stream:
        ranges = {shard["ShardId"]: shard["HashKeyRange"] for shard in stream.open_shards()}
        for entry, answer in zip(small(50), stream.put(small(50))["Records"]):
            owns, hashed = ranges[answer["ShardId"]], int(hashlib.md5(entry["PartitionKey"].encode()).hexdigest(), 16)
            if not int(owns["StartingHashKey"]) <= hashed <= int(owns["EndingHashKey"]):
                return "no"
        return "yes"


def arn_alone(kinesis):
    with Stream(kinesis) as stream:
        arn = stream.summary()["StreamARN"]
        return "yes" if kinesis.put_records(StreamARN=arn, Records=small(1))["FailedRecordCount"] == 0 else "no"


def too_many(kinesis):
    with Stream(kinesis) as stream:
        stream.put(small(501))
        return "taken"


def large(kinesis, count, size):
    with Stream(kinesis, 4) as stream:
        refused = stream.put([{"Data": b"x" * size, "PartitionKey": str(key)} for key in range(count)])["FailedRecordCount"]
        return "taken" if not refused else f"{refused} of {count} entries refused"


def split_and_merge(kinesis):
    with Stream(kinesis, 1) as stream:
        parent = stream.open_shards()[0]["ShardId"]
        kinesis.split_shard(StreamName=stream.name, ShardToSplit=parent, NewStartingHashKey=str(2**127))
        stream.settle()
        children = [shard["ShardId"] for shard in stream.open_shards()]
        if len(children) != 2:
            return f"{len(children)} open shards after a split"
        if parent in {answer.get("ShardId") for answer in stream.put(small(20))["Records"]}:
            return "records go on to the closed shard"
        kinesis.merge_shards(StreamName=stream.name, ShardToMerge=children[0], AdjacentShardToMerge=children[1])
        stream.settle()
        return "yes" if len(stream.open_shards()) == 1 else "split only"


def update_shard_count(kinesis):
    with Stream(kinesis, 1) as stream:
        kinesis.update_shard_count(StreamName=stream.name, TargetShardCount=2, ScalingType="UNIFORM_SCALING")
        stream.settle()
        return "yes" if len(stream.open_shards()) == 2 else f"{len(stream.open_shards())} open shards after it"


def on_demand(kinesis):
    with Stream(kinesis, None, StreamModeDetails={"StreamMode": "ON_DEMAND"}) as stream:
        mode = stream.summary().get("StreamModeDetails", {}).get("StreamMode", "no mode")
        return f"{len(stream.open_shards())} shards, {mode}"


def order(kinesis):
    with Stream(kinesis) as stream:
        numbers = [int(answer["SequenceNumber"]) for _ in range(3) for answer in stream.put(small(5))["Records"]]
        return "yes" if numbers == sorted(set(numbers)) else "no"


def at_once(kinesis):
    """Eight writers to one shard: a sequence number that is given twice is a record that is lost."""
    with Stream(kinesis) as stream:
        with concurrent.futures.ThreadPoolExecutor(8) as writers:
            answers = list(writers.map(lambda _: stream.put(small(5)), range(160)))
        stored = [entry["SequenceNumber"] for answer in answers for entry in answer["Records"] if "SequenceNumber" in entry]
        twice = len(stored) - len(set(stored))
        return f"no: {twice} of {len(stored)} sequence numbers were given twice" if twice else "yes"


def behind(kinesis):
    with Stream(kinesis) as stream:
        stream.put(small(10))
        shard = stream.open_shards()[0]["ShardId"]
        iterator = kinesis.get_shard_iterator(StreamName=stream.name, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
        answer = kinesis.get_records(ShardIterator=iterator["ShardIterator"], Limit=3)
        return f"{len(answer['Records'])} of 3, MillisBehindLatest {'told' if 'MillisBehindLatest' in answer else 'not told'}"


def cbor_head(major, length):
    for info, size, most in ((24, 1, 1 << 8), (25, 2, 1 << 16), (26, 4, 1 << 32)):
        if length < 24:
            return bytes([major << 5 | length])
        if length < most:
            return bytes([major << 5 | info]) + length.to_bytes(size, "big")
    raise ValueError(length)


def cbor_text(text):
    return cbor_head(3, len(text)) + text.encode()


def call(endpoint, operation, kind, body):
    """A request by hand: none of them verifies signatures. The answer's type and body."""
    request = urllib.request.Request(endpoint, body, {
        "Content-Type": kind, "X-Amz-Target": f"Kinesis_20131202.{operation}", "X-Amz-Date": "20261121T000000Z",
        "Authorization": "AWS4-HMAC-SHA256 Credential=A/20261121/us-east-1/kinesis/aws4_request, "
                         "SignedHeaders=host, Signature=0"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
        return answer.headers.get("Content-Type", ""), answer.read()


def in_cbor(kinesis):
    """PutRecords as the SDK for Java writes it; boto3 has no CBOR, so the bytes are made by hand."""
    with Stream(kinesis) as stream:
        for count in (1, 500):
            entry = b"\xbf" + cbor_text("Data") + cbor_head(2, 3) + b"\x00\xff\n" + cbor_text("PartitionKey") + cbor_text("k") + b"\xff"
            body = b"\xbf" + cbor_text("Records") + b"\x9f" + entry * count + b"\xff" + cbor_text("StreamName") + cbor_text(stream.name) + b"\xff"
            try:
                kind, said = call(kinesis.meta.endpoint_url, "PutRecords", "application/x-amz-cbor-1.1", body)
            except urllib.error.HTTPError as fault:
                return f"no: status {fault.code}"
            if "cbor" not in kind:
                return f"answers with {kind}"
            told = said.count(cbor_text("ShardId"))
            if told != count:
                return f"yes, but {told} of {count} entries are answered ({len(said):,} bytes)"
        return "yes"


PROBES = {
    "refuses what is over a shard's 1,000 records/s": limits,
    "partition key: MD5 decides the shard": partition_key,
    "explicit hash key": explicit_hash_key,
    "sequence numbers of a shard grow": order,
    "requests at the same time": at_once,
    "`StreamARN` without `StreamName`": arn_alone,
    "501 entries": too_many,
    "a request of 6 MiB (12 × 512 KiB)": lambda kinesis: large(kinesis, 12, MIB // 2),
    "a record of 1 MiB with its key": lambda kinesis: large(kinesis, 1, MIB - 1),
    "a record of 2 MiB": lambda kinesis: large(kinesis, 1, 2 * MIB),
    "split, merge": split_and_merge,
    "UpdateShardCount": update_shard_count,
    "on-demand": on_demand,
    "GetRecords with a limit": behind,
    "PutRecords in CBOR": in_cbor,
}


def probe(endpoint):
    """The answer to each probe, by its name."""
    kinesis, answers = client(endpoint), {}
    for name, ask in PROBES.items():
        try:
            answers[name] = ask(kinesis)
        except ClientError as fault:
            status = fault.response.get("ResponseMetadata", {}).get("HTTPStatusCode", "?")
            answers[name] = f"no: {fault.response['Error'].get('Code') or 'an error'} ({status})"
        except (BotoCoreError, AssertionError, KeyError, ValueError) as fault:
            answers[name] = f"no: {type(fault).__name__}"
    return answers


if __name__ == "__main__":
    for name, answer in probe(sys.argv[1]).items():
        print(f"{name}: {answer}")
