#!/usr/bin/env python3
"""Runs kinesis-streamer against a Kinesis that others wrote, and compares what it says with what is stored.

    python3 tests/clients/counterpart.py --endpoint http://127.0.0.1:4567 --binary target/debug/kinesis-streamer

tests/counterpart.sh installs and starts the counterparts and calls this. Needs boto3 (PyPI). Each scenario
makes its own stream, runs the program to its end, reads every shard with boto3 and checks that

- the last line on standard error is the event "run ended", its counts add up, and the exit code is 0;
- the stream holds exactly as many records as were counted as sent;
- each job's sequence numbers are 0 to n-1, each once; every payload parses and has its kind's fields;
- the first job's payloads are, byte by byte but for the time, what `kinesis-streamer sample` prints for the seed: what
  came through batches, base64, HTTP, the counterpart and boto3 against what was written straight to a pipe;
- each record has the partition key that its strategy says, and lies in the shard that owns the key's MD5.

Ends with "N passed, 0 failed"; exits 1 when something failed. What limits do is not looked at here: the
counterparts have none. --report FILE keeps what was found as JSON, with what the counterpart can and can't do
(counterpart_probe.py); --table makes docs/counterparts.md of such files.
"""

import argparse
import base64
import collections
import datetime
import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass, field
from typing import Any, Callable

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

import counterpart_probe

REGION = "us-east-1"  # the program's fallback as well, so that runs without AWS_REGION find the stream
KEY_ID, SECRET = "AKIDMADEUP", "made-up-secret-that-must-not-be-printed"
RUN_TIMEOUT = 150
READ_TIMEOUT = 120
SEED = 20_131_202
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
COUNTS = ("due", "generated", "sent", "failed", "unknown", "dropped")


@dataclass
class Stored:
    """A record as a reader finds it."""

    shard: str
    key: str
    event: dict
    data: bytes


@dataclass
class Run:
    """One run of the program, and what the stream held after it."""

    counts: dict
    started: float
    ended: float
    stored: list = field(default_factory=list)
    shards: list = field(default_factory=list)
    sample: list = field(default_factory=list)
    """The first job's events, as the program prints them."""


@dataclass
class Scenario:
    """One way to use the program."""

    event: str
    key: str
    jobs: int
    messages: int
    shards: int = 3
    settings: dict = field(default_factory=dict)
    flags: tuple = ()
    key_of: Callable[[dict], Any] | None = None
    """The partition key that belongs to an event, where the event alone tells it."""
    also: Callable[[Run], None] | None = None
    """What else must be true."""
    by_arn: bool = False
    watched: bool = False
    """Whether /metrics is scraped all the time."""
    stopped: bool = False
    """Whether SIGTERM ends the run, as soon as a scrape shows records sent."""
    in_cbor: bool = False
    """Whether it is sent in CBOR; it is read back in JSON either way."""


# --- what else must be true -----------------------------------------------------------------------------


def keys_all_differ(run):
    assert len({record.key for record in run.stored}) == len(run.stored), "random keys repeat"


def on_one_shard(run):
    assert len({record.shard for record in run.stored}) == 1, "one key lies on several shards"


def in_turn_over_the_shards(run):
    """A job's records differ by at most one between the shards, as its numbers have no gaps."""
    by_job = collections.defaultdict(collections.Counter)
    for record in run.stored:
        by_job[record.event["job"]][record.shard] += 1
    for job, counts in by_job.items():
        spread = [counts[shard["ShardId"]] for shard in run.shards]
        assert max(spread) - min(spread) <= 1, f"job {job} went to the shards {spread} times"


def more_than_one_request_a_tick(run):
    """No request holds more than 500 entries, so a tick of 600 shows that it was split."""
    ticks = collections.Counter((record.event["job"], record.event["time"]) for record in run.stored)
    # A stream that takes a second for 500 entries leaves no room for the rest: then they are dropped, and counted.
    assert run.counts["dropped"] or set(ticks.values()) == {600}, f"ticks have {set(ticks.values())} records"


SCENARIOS = {
    "the original's load: one constant key, no region set": Scenario(
        event="message", key="constant:shardId-000000000000", jobs=10, messages=10,
        settings={"AWS_REGION": None, "STREAMER_DURATION": "2s"},
        key_of=lambda event: "shardId-000000000000", also=on_one_shard),
    "mouse, random keys, a burst a second, watched": Scenario(
        event="mouse", key="random", jobs=3, messages=7, settings={"STREAMER_DURATION": "3s"},
        also=keys_all_differ, watched=True),
    "click, the user's key, smooth, by flags": Scenario(
        event="click", key="user", jobs=4, messages=5,
        settings={"STREAMER_PARTITION_KEY": "job", "STREAMER_DURATION": "1h", "STREAMER_PACING": "poisson"},
        flags=("--partition-key", "user", "--duration", "2s", "--pacing", "smooth"),
        key_of=lambda event: event["user"]),
    "trade, a field's key, poisson, up to a number of records": Scenario(
        event="trade", key="field:/ticker", jobs=5, messages=9,
        settings={"STREAMER_PACING": "poisson", "STREAMER_MAX_RECORDS": "101"},
        key_of=lambda event: event["ticker"]),
    "iot, the device's key, by a field": Scenario(
        event="iot", key="field:/device", jobs=3, messages=8, settings={"STREAMER_DURATION": "2s"},
        key_of=lambda event: event["device"]),
    "order, the customer's key": Scenario(
        event="order", key="user", jobs=2, messages=9, settings={"STREAMER_DURATION": "2s"},
        key_of=lambda event: event["customer"]),
    "click, the job's key, one shard": Scenario(
        event="click", key="job", jobs=12, messages=3, shards=1, settings={"STREAMER_MAX_RECORDS": "72"},
        key_of=lambda event: str(event["job"])),
    "600 messages a job, round-robin over the shards": Scenario(
        event="trade", key="round-robin", jobs=1, messages=600, settings={"STREAMER_MAX_RECORDS": "1200"},
        also=lambda run: (in_turn_over_the_shards(run), more_than_one_request_a_tick(run))),
    "click, a nested field's key, the stream by its ARN": Scenario(
        event="click", key="field:/item/category", jobs=2, messages=6, settings={"STREAMER_DURATION": "2s"},
        key_of=lambda event: event["item"]["category"], by_arn=True),
    "mouse, the user's key, smooth, ended by SIGTERM": Scenario(
        event="mouse", key="user", jobs=4, messages=25, settings={"STREAMER_PACING": "smooth"},
        key_of=lambda event: event["user"], watched=True, stopped=True),
    # kinesalite cuts answers in CBOR after 16 KiB, which are 140 entries: see counterpart_probe.py.
    "click, the user's key, in CBOR": Scenario(
        event="click", key="user", jobs=4, messages=50, in_cbor=True,
        settings={"STREAMER_WIRE": "cbor", "STREAMER_DURATION": "2s"}, key_of=lambda event: event["user"]),
    "trade, round-robin over the shards, 100 a request, in CBOR": Scenario(
        event="trade", key="round-robin", jobs=1, messages=300, in_cbor=True,
        settings={"STREAMER_WIRE": "cbor", "STREAMER_MAX_REQUEST_RECORDS": "100", "STREAMER_MAX_RECORDS": "900"},
        also=in_turn_over_the_shards),
}


# --- running --------------------------------------------------------------------------------------------


def environment(endpoint, home):
    """Nothing of the caller's: a profile or a stream of theirs must not be met by accident."""
    return {
        "PATH": os.environ.get("PATH", os.defpath), "HOME": home, "NO_PROXY": "127.0.0.1,localhost",
        "AWS_ENDPOINT_URL": endpoint, "AWS_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET,
        # Generous: how fast a counterpart is, is not the question.
        "STREAMER_REQUEST_TIMEOUT": "60s", "STREAMER_DRAIN_TIMEOUT": "120s",
        "STREAMER_LISTEN": "off", "STREAMER_LOG_FORMAT": "json", "STREAMER_INSTANCE": "counterpart",
    }


def start(binary, arguments, variables, home):
    return subprocess.Popen(
        [binary, *arguments], env={name: value for name, value in variables.items() if value is not None}, cwd=home,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    """Exit code, standard output and standard error; the process is gone afterwards."""
    try:
        out, err = process.communicate(timeout=RUN_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"the run did not end within {RUN_TIMEOUT} s:\n{err[-3000:]}") from None
    assert SECRET not in out + err, "the secret key was printed"
    return process.returncode, out, err


def run_ended(err):
    """The counts of the last line on standard error."""
    lines = err.strip().splitlines()
    try:
        fields = json.loads(lines[-1])["fields"]
    except (IndexError, ValueError, KeyError, TypeError):
        raise AssertionError(f"the last line is no event:\n{err[-3000:]}") from None
    assert fields.get("message") == "run ended", f"the last line is not the end of the run: {lines[-1]}"
    counts = {name: fields.get(name) for name in COUNTS}
    for name, count in counts.items():
        assert type(count) is int and count >= 0, f"{name} is {count!r}, not a count: {lines[-1]}"
    return counts


class Scraper(threading.Thread):
    """Scrapes /metrics until told to stop; each scrape must obey the law of the counts."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.url, self.over = f"http://127.0.0.1:{port}", threading.Event()
        self.scrapes, self.ready, self.fault, self.sending = 0, False, None, threading.Event()

    def run(self):
        while not self.over.wait(0.1):
            try:
                with urllib.request.urlopen(self.url + "/metrics", timeout=5) as answer:
                    text = answer.read().decode()
                with urllib.request.urlopen(self.url + "/readyz", timeout=5) as answer:
                    self.ready |= answer.status == 200
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                continue  # not up yet, or gone
            self.fault = self.fault or self.check(text)
            self.scrapes += 1

    def check(self, text):
        sums = collections.Counter()
        for name, value in re.findall(r"^kinesis_streamer_records_(\w+?)(?:_total)?(?:\{[^}]*\})? (\S+)$", text, re.M):
            sums[name] += float(value)
        if sums["sent"]:
            self.sending.set()
        if SECRET in text:
            return "the secret key is in /metrics"
        if sums["due"] != sums["generated"] + sums["dropped"]:
            return f"due is not generated + dropped: {dict(sums)}"
        if sums["generated"] != sums["sent"] + sums["failed"] + sums["unknown"] + sums["in_flight"]:
            return f"generated is not sent + failed + unknown + in flight: {dict(sums)}"
        return None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# --- reading back ---------------------------------------------------------------------------------------


def read_back(kinesis, stream):
    """Every shard and every record of the stream, from the oldest on. The writer is gone: an answer that is
    empty and not behind, twice in a row, is the end."""
    shards = sorted(kinesis.list_shards(StreamName=stream)["Shards"],
                    key=lambda shard: int(shard["HashKeyRange"]["StartingHashKey"]))
    deadline, stored = time.monotonic() + READ_TIMEOUT, []
    for shard in shards:
        iterator = kinesis.get_shard_iterator(
            StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        empty = 0
        while iterator and empty < 2:
            assert time.monotonic() < deadline, f"{shard['ShardId']} could not be read in {READ_TIMEOUT} s"
            answer = get_records(kinesis, iterator)
            for record in answer["Records"]:
                stored.append(Stored(shard["ShardId"], record["PartitionKey"], parsed(record["Data"]),
                                     record["Data"]))
            at_end = not answer["Records"] and not answer.get("MillisBehindLatest")
            empty = empty + 1 if at_end else 0
            iterator = answer.get("NextShardIterator")
    return shards, stored


def get_records(kinesis, iterator):
    """By boto3; where it can't read an answer, by hand: what kinesalite was given in CBOR, it gives to those who ask in
    JSON as a buffer of JavaScript's (`{"type": "Buffer", "data": [123, …]}`), not as base64."""
    try:
        return kinesis.get_records(ShardIterator=iterator, Limit=1000)
    except TypeError:
        answer = counterpart_probe.call(kinesis.meta.endpoint_url, "GetRecords", "application/x-amz-json-1.1",
                                        json.dumps({"ShardIterator": iterator, "Limit": 1000}).encode())
    answer = json.loads(answer[1])
    for record in answer["Records"]:
        data = record["Data"]
        record["Data"] = bytes(data["data"]) if isinstance(data, dict) else base64.b64decode(data, validate=True)
    return answer


def parsed(data):
    try:
        return json.loads(data.decode("utf-8"))
    except ValueError:
        raise AssertionError(f"a payload is no JSON: {base64.b64encode(data)[:200]}") from None


# --- judging --------------------------------------------------------------------------------------------


def check_shards(run, explicit):
    """Each record lies in the shard that owns the MD5 of its key; an explicit hash key overrides it, and no
    reader can see that."""
    ranges = {shard["ShardId"]: shard["HashKeyRange"] for shard in run.shards}
    for record in run.stored if not explicit else ():
        hashed = int.from_bytes(hashlib.md5(record.key.encode()).digest(), "big")
        owns = ranges[record.shard]
        assert int(owns["StartingHashKey"]) <= hashed <= int(owns["EndingHashKey"]), \
            f"key {record.key!r} lies on {record.shard}, which does not own its hash"


def check_identities(run):
    """A job's numbers are 0 to n-1, each once. What was dropped never got a number."""
    numbers = collections.defaultdict(list)
    for record in run.stored:
        assert record.event["producer"] == "counterpart", record.event
        numbers[record.event["job"]].append(record.event["sequence"])
    for job, sequence in numbers.items():
        assert sorted(sequence) == list(range(len(sequence))), \
            f"job {job}: {len(sequence)} records, {len(set(sequence))} different, largest {max(sequence)}"
    return len(numbers)


def check_event(event, kind, run):
    moment = event["date"] if kind == "message" else event["time"]
    assert TIME.fullmatch(moment), f"{moment!r} is no RFC 3339 time with milliseconds"
    at = datetime.datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()
    assert run.started - 2 <= at <= run.ended + 2, f"{moment} lies outside the run"
    identity = event["message"] if kind == "message" else event["id"]
    assert str(uuid.UUID(identity)) == identity, identity
    if kind == "message":
        assert set(event) == {"message", "date"}, event
        assert uuid.UUID(identity).version == 4, identity
        return identity
    assert event["type"] == kind, event
    if kind == "mouse":
        assert event["user"] and event["session"] and event["page"].startswith("/") and event["action"], event
        assert all(type(event[axis]) is int for axis in "xy"), event
    elif kind == "click":
        assert event["user"] and event["page"].startswith("/") and event["element"], event
        assert event["item"]["kind"] in ("ad", "product") and event["dwell_ms"] >= 0, event
    elif kind == "trade":
        assert event["side"] in ("buy", "sell") and event["price"] > 0 and event["quantity"] > 0, event
    elif kind == "iot":
        assert event["device"] and -60 < event["temperature"] < 100 and 0 < event["battery"] <= 100, event
    elif kind == "order":
        total = sum(item["quantity"] * item["price"] for item in event["items"])
        assert event["customer"] and 1 <= len(event["items"]) <= 5 and abs(total - event["total"]) < 0.005, event
    return identity


def name(event):
    """The event's id without what its time left in the last four digits: the low 16 bits of splitmix64's mix of it."""
    given = event.get("id", event.get("message"))
    moment = datetime.datetime.fromisoformat(event.get("time", event.get("date")).replace("Z", "+00:00"))
    z = (moment - datetime.datetime.fromtimestamp(0, datetime.timezone.utc)) // datetime.timedelta(milliseconds=1)
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
    return given[:-4] + format(int(given[-4:], 16) ^ (z ^ z >> 31) & 0xFFFF, "04x")


def timeless(data):
    """The payload without the time at which it was due: the one thing that no seed decides."""
    event = json.loads(data)
    given = event.get("id", event.get("message")).encode()
    return re.sub(TIME.pattern.encode(), b"TIME", data.replace(given, name(event).encode(), 1), count=1)


def tally(scenario, run):
    """Missing, duplicate and corrupt records, counted and not only asserted: this is what the report tells."""
    distinct = {name(record.event) for record in run.stored}
    expected = {name(json.loads(line)): timeless(line) for line in run.sample}
    first = [record for record in run.stored if record.event.get("job", 0) == 0]
    if scenario.event == "message":  # which has no job: those that the first one made
        first = [record for record in first if name(record.event) in expected]
    corrupt = sum(timeless(record.data) != expected.get(name(record.event)) for record in first)
    return {
        "sent": run.counts["sent"], "held": len(run.stored), "missing": max(0, run.counts["sent"] - len(distinct)),
        "duplicate": len(run.stored) - len(distinct), "corrupt": corrupt, "compared": len(first),
        "dropped": run.counts["dropped"],
    }


def judge(scenario, run):
    counts, stored = run.counts, run.stored
    found = tally(scenario, run)
    assert found["missing"] == found["duplicate"] == found["corrupt"] == 0 < found["compared"], found
    assert counts["due"] == counts["generated"] + counts["dropped"], counts
    assert counts["generated"] == counts["sent"] + counts["failed"] + counts["unknown"], counts
    assert counts["failed"] == counts["unknown"] == 0 < counts["sent"], counts
    assert len(stored) == counts["sent"], f"counted as sent: {counts['sent']}; stored: {len(stored)}"
    most = scenario.settings.get("STREAMER_MAX_RECORDS")
    assert most is None or counts["due"] == int(most), f"{most} records were asked for: {counts}"
    # A run of a duration has a whole number of ticks.
    assert most or scenario.stopped or counts["due"] % (scenario.jobs * scenario.messages) == 0, counts

    identities = {check_event(record.event, scenario.event, run) for record in stored}
    assert len(identities) == len(stored), "ids repeat"
    if scenario.event != "message":
        jobs = check_identities(run)
        assert counts["dropped"] or scenario.stopped or jobs == scenario.jobs, f"{jobs} jobs of {scenario.jobs} were seen"
    check_shards(run, explicit=scenario.key == "round-robin")
    if scenario.key_of:
        for record in stored:
            assert record.key == scenario.key_of(record.event), f"{record.key!r} is the key of {record.event}"
    if scenario.also:
        scenario.also(run)
    return found


def sample(arguments, scenario, count, home):
    """The first `count` events of the first job, straight from the program."""
    flags = ("sample", str(count), "--seed", str(SEED), "--instance", "counterpart", "--event", scenario.event)
    code, out, err = finish(start(arguments.binary, flags, {"PATH": os.defpath, "HOME": home}, home))
    assert code == 0, f"sample: exit code {code}: {err}"
    return [line.encode() for line in out.splitlines()]


def play(scenario, stream, arguments, kinesis, home):
    kinesis.create_stream(StreamName=stream, ShardCount=scenario.shards)
    kinesis.get_waiter("stream_exists").wait(StreamName=stream, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    target = stream
    if scenario.by_arn:
        target = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["StreamARN"]
    variables = environment(arguments.endpoint, home) | {
        "AWS_KINESIS_STREAM_NAME": target, "CRON_JOBS_TO_GENERATE": str(scenario.jobs),
        "MESSAGES_PER_CRON_JOB": str(scenario.messages), "STREAMER_EVENT": scenario.event,
        "STREAMER_PARTITION_KEY": scenario.key, "STREAMER_SEED": str(SEED),
        "STREAMER_MAX_IN_FLIGHT": "1" if arguments.one_at_a_time else None,
    } | scenario.settings
    scraper = None
    if scenario.watched:
        port = free_port()
        variables["STREAMER_LISTEN"] = f"127.0.0.1:{port}"
        scraper = Scraper(port)
        scraper.start()
    started = time.time()
    process = start(arguments.binary, scenario.flags, variables, home)
    if scenario.stopped:
        scraper.sending.wait(60)  # if nothing is ever sent, the checks below tell
        process.send_signal(signal.SIGTERM)
    code, out, err = finish(process)
    if scraper:
        scraper.over.set()
        scraper.join()
        assert scraper.fault is None, scraper.fault
        assert scraper.scrapes and scraper.ready, f"{scraper.scrapes} scrapes, ready: {scraper.ready}"
    assert code == 0, f"exit code {code}:\n{err[-3000:]}"
    assert out == "", f"standard output is for data: {out[:300]!r}"
    run = Run(run_ended(err), started, time.time())
    run.shards, run.stored = read_back(kinesis, stream)
    # A job makes as many as all of them divided, but for what was dropped or cut by an end.
    first = sum(record.event.get("job") == 0 for record in run.stored) or run.counts["sent"] // scenario.jobs
    run.sample = sample(arguments, scenario, max(first, 1), home)
    found = judge(scenario, run)
    kinesis.delete_stream(StreamName=stream)
    return found


def a_stream_that_is_not_there(arguments, home):
    """The counterpart's own words for it end in the exit code that says so."""
    variables = environment(arguments.endpoint, home) | {"AWS_KINESIS_STREAM_NAME": "not-there"}
    code, _, err = finish(start(arguments.binary, ("--duration", "1s"), variables, home))
    assert code == 66, f"exit code {code}, not 66:\n{err[-3000:]}"
    assert "not-there" in err, f"the error does not name the stream:\n{err}"
    return {"exit code": code}


def cbor_is_refused(stream, arguments, kinesis, home):
    """A run in CBOR does not begin where CBOR is not understood: nothing is sent, nothing stored."""
    kinesis.create_stream(StreamName=stream, ShardCount=1)
    variables = environment(arguments.endpoint, home) | {"AWS_KINESIS_STREAM_NAME": stream, "STREAMER_WIRE": "cbor"}
    code, _, err = finish(start(arguments.binary, ("--duration", "1s"), variables, home))
    assert code == 69, f"exit code {code}, not 69:\n{err[-3000:]}"
    assert "STREAMER_WIRE=json" in err, f"the error does not say what to do:\n{err}"
    assert not read_back(kinesis, stream)[1], "something is stored"
    kinesis.delete_stream(StreamName=stream)
    return {"refused: exit code": code}


def wait_until_up(kinesis, seconds):
    deadline = time.monotonic() + seconds
    while True:
        try:
            return kinesis.list_streams()
        except (BotoCoreError, ClientError) as fault:
            if time.monotonic() > deadline:
                sys.exit(f"the counterpart is not up after {seconds} s: {fault}")
            time.sleep(0.2)


def table(paths):
    """docs/counterparts.md, from the reports of all counterparts."""
    reports = [json.load(open(path, encoding="utf-8")) for path in paths]
    names = [report["name"] for report in reports]
    lines = [
        "# Counterparts", "",
        "Kinesis endpoints that others wrote, unmodified, as witnesses: kinesis-streamer sends to each, boto3 reads back,",
        "and `tests/clients/counterpart.py` compares by code of its own. This file is written by",
        "`UPDATE_DOCS=1 tests/counterpart.sh`; don't edit it. CI runs the same script, and fails when a count differs.", "",
        f"Last written on {time.strftime('%Y-%m-%d', time.gmtime())} with " + ", ".join(report["version"] for report in reports)
        + f"; the reader was boto3 {boto3.__version__}.", "",
        "## What was sent, and what they held", "",
        "*Missing*: counted as sent and not there. *Duplicate*: there more than once. *Corrupt*: not, byte by byte but for",
        "its time, what `kinesis-streamer sample` prints for the seed; looked at for the records of the first job",
        "(*compared*). Every payload's fields, key and shard are checked as well. *Dropped* records were never generated:",
        "a counterpart that is slow leaves no room for them, and is not to blame.", "",
        "| counterpart | scenario | sent | held | missing | duplicate | corrupt | compared | dropped |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for report in reports:
        sums = collections.Counter()
        for scenario, found in report["found"].items():
            if isinstance(found, dict) and "sent" in found:
                sums.update(found)
                cells = [found[name] for name in COLUMNS]
            else:
                cells = [found if isinstance(found, str) else "; ".join(f"{name} {value}" for name, value in found.items())]
                cells += [""] * (len(COLUMNS) - 1)
            lines.append(f"| {report['name']} | {scenario} | " + " | ".join(f"{cell:,}" if type(cell) is int else cell for cell in cells) + " |")
        lines.append(f"| **{report['name']}** | **all** | " + " | ".join(f"**{sums[name]:,}**" for name in COLUMNS) + " |")
    lines += [
        "", "## What they can and can't do", "",
        "Asked by `tests/clients/counterpart_probe.py` with boto3 alone, without kinesis-streamer.", "",
        "| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|",
    ]
    for probe in counterpart_probe.PROBES:
        lines.append(f"| {probe} | " + " | ".join(report["can"].get(probe, "not asked") for report in reports) + " |")
    return "\n".join(lines) + "\n"


COLUMNS = ("sent", "held", "missing", "duplicate", "corrupt", "compared", "dropped")


def main():
    if sys.argv[1:2] == ["--table"]:
        sys.stdout.write(table(sys.argv[2:]))
        return 0
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoint", required=True, help="the counterpart's URL")
    parser.add_argument("--binary", required=True, help="the program")
    parser.add_argument("--wait", type=float, default=60, help="seconds until the counterpart must be up")
    parser.add_argument("--no-arn", action="store_true", help="the counterpart does not take a StreamARN alone")
    parser.add_argument("--no-cbor", action="store_true", help="the counterpart speaks JSON only")
    parser.add_argument("--one-at-a-time", action="store_true",
                        help="the counterpart loses records of requests that come at the same time")
    parser.add_argument("--report", help="the file to keep what was found in, as JSON")
    parser.add_argument("--name", default="a counterpart", help="the counterpart's name in the report")
    parser.add_argument("--version", default="", help="its name and version in the report")
    arguments = parser.parse_args()
    arguments.binary = os.path.abspath(arguments.binary)
    kinesis = boto3.client(
        "kinesis", endpoint_url=arguments.endpoint, region_name=REGION, aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET, config=Config(connect_timeout=5, read_timeout=60, proxies={}))
    wait_until_up(kinesis, arguments.wait)

    checks = [("a stream that is not there", lambda home: a_stream_that_is_not_there(arguments, home))]
    for number, (name, scenario) in enumerate(SCENARIOS.items()):
        if scenario.by_arn and arguments.no_arn:
            print(f"skipped  {name}: the counterpart takes no ARN", flush=True)
            continue
        if scenario.in_cbor and arguments.no_cbor:
            checks.append((name, lambda home, number=number:
                           cbor_is_refused(f"counterpart-{number}", arguments, kinesis, home)))
            continue
        checks.append((name, lambda home, scenario=scenario, number=number:
                       play(scenario, f"counterpart-{number}", arguments, kinesis, home)))
    passed = failed = 0
    kept = {name: "skipped: it takes no ARN alone" for name, scenario in SCENARIOS.items() if scenario.by_arn and arguments.no_arn}
    for name, check in checks:
        begun = time.monotonic()
        try:
            with tempfile.TemporaryDirectory() as home:
                found = kept[name] = check(home)
            passed += 1
            told = ", ".join(f"{what} {count}" for what, count in found.items())
            print(f"ok       {name}: {told} ({time.monotonic() - begun:.1f} s)", flush=True)
        except Exception as fault:  # noqa: BLE001 - every failure is reported, and the rest still runs
            failed += 1
            kept[name] = "FAILED"
            print(f"FAILED   {name}: {fault}", flush=True)
            if not isinstance(fault, AssertionError):
                traceback.print_exc(file=sys.stdout)
    if arguments.report:
        report = {"name": arguments.name, "version": arguments.version or arguments.name, "found": kept,
                  "can": counterpart_probe.probe(arguments.endpoint)}
        with open(arguments.report, "w", encoding="utf-8") as file:
            json.dump(report, file, indent=1)
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
