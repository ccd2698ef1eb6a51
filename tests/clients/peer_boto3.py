"""boto3 against a null sink: requests of 500 records from four threads; prints CPU microseconds per record.

    peer_boto3.py ENDPOINT SECONDS

The events are made beforehand: this is what the client costs, not a generator. Retries and all else as it comes.
"""

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import boto3

RECORDS, CONNECTIONS = 500, 4


def records():
    def event(i):
        fields = {"id": os.urandom(16).hex(), "time": "2026-01-01T00:00:00.000Z", "user": f"user-{i}", "text": "x" * 110}
        return json.dumps(fields).encode()

    return [{"Data": event(i), "PartitionKey": os.urandom(8).hex()} for i in range(RECORDS)]


def main():
    endpoint, seconds = sys.argv[1], float(sys.argv[2])
    client = boto3.client("kinesis", endpoint_url=endpoint, region_name="us-east-1")
    batch = records()

    def send(until):
        sent = 0
        while time.monotonic() < until:
            answer = client.put_records(StreamName="null", Records=batch)
            assert answer["FailedRecordCount"] == 0 and len(answer["Records"]) == RECORDS
            sent += RECORDS
        return sent

    send(time.monotonic() + 0.3)
    before, until = time.process_time(), time.monotonic() + seconds
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        sent = sum(threads.map(send, [until] * CONNECTIONS))
    used = time.process_time() - before
    print(f"{used / sent * 1e6:.2f}\tboto3 {boto3.__version__}, Python {sys.version.split()[0]}")


main()
