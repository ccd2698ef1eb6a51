#!/bin/sh
# Searches for the capacity of embedded streams of 1, 2 and 4 shards with small and large records, and compares each
# answer with the shards' limits: 1,000 records/s, or 1 MiB/s, for each. Fails beyond 2 %, or when another limit is named.
# A machine that is busy with other things makes the client the limit; the program says so, and that fails as well.
#
#   tests/capacity.sh [PROGRAM [MAX_THROTTLED]]
set -eu

program=${1:-target/release/kinesis-streamer}
throttled=${2:-1%}
failed=0

search() { # shards, event, size, member of the report, what a shard takes of it, name of the limit
    report=$("$program" capacity --local="$1" --event="$2" --event-size="$3" --max-throttled="$throttled" --json \
        2>/dev/null) || true
    printf '%s' "$report" | python3 -c '
import json, sys
shards, size, member, each, limit = int(sys.argv[1]), sys.argv[2], sys.argv[3], float(sys.argv[4]), sys.argv[5]
report = json.load(sys.stdin)
found = (report["sustained"] or {}).get(member, 0)
off = found / (shards * each) - 1
good = abs(off) <= 0.02 and report["limit"] == limit
seconds = report["seconds"]
verdict = "ok" if good else "FAILED"
limit = report["limit"]
print(f"{shards} shards, {size}: {found:,.0f} {member}, {100 * off:+.2f} %, limit {limit}, {seconds:.0f} s: {verdict}")
sys.exit(0 if good else 1)' "$1" "$3" "$4" "$5" "$6" || failed=1
}

for shards in 1 2 4; do
    search "$shards" message 200B records_per_second 1000 records
    search "$shards" mouse 10KiB bytes_per_second 1048576 bytes
done
exit "$failed"
