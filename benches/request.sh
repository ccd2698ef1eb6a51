#!/usr/bin/env bash
# Instructions in user space for one PutRecords request of ten records, by valgrind's callgrind: the whole program in its
# steady state, release build, against the null sink of examples/floor.
#
#     benches/request.sh
#
# 40 jobs send 10 records each a second, in a burst. What two seconds take is taken off what eight seconds take, so the
# start does not count; what is left is that of 240 requests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target="${CARGO_TARGET_DIR:-target}"
# One after the other: together they would have the features that only tests need.
cargo build --quiet --release --bin kinesis-streamer
cargo build --quiet --release --example floor
folder=$(mktemp -d)
"$target/release/examples/floor" sink --port 0 >"$folder/sink" &
sink=$!
trap 'kill "$sink" 2>/dev/null; rm -rf "$folder"' EXIT
until grep -q listening "$folder/sink"; do sleep 0.1; done
address=$(sed -n 's/^listening on //p' "$folder/sink")

# instructions SECONDS FLAG...
instructions() {
    local seconds=$1
    shift
    env -i AWS_ENDPOINT_URL="http://$address" AWS_KINESIS_STREAM_NAME=null AWS_REGION=us-east-1 \
        AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none AWS_EC2_METADATA_DISABLED=true \
        valgrind --tool=callgrind --callgrind-out-file="$folder/out" "$target/release/kinesis-streamer" \
        --listen off --event click --partition-key random --jobs 40 --messages 10 --pacing burst \
        --duration "${seconds}s" "$@" >"$folder/log" 2>&1
    # Fewer would not be comparable.
    grep -Eq "^All (800|3,200) records were sent" "$folder/log" || { cat "$folder/log" >&2; return 1; }
    sed -n 's/^summary: *//p; s/^totals: *//p' "$folder/out" | head -n 1
}

for flags in '--client direct' '--client direct --wire cbor' '--client sdk'; do
    # shellcheck disable=SC2086 # several words
    few=$(instructions 2 $flags)
    # shellcheck disable=SC2086
    many=$(instructions 8 $flags)
    printf '%-28s %8d instructions a request\n' "$flags" $(((many - few) / 240))
done
