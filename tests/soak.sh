#!/usr/bin/env bash
# A long run of the program at a high rate, in a world that makes faults at random: at the end, every record's fate
# must be what the stream holds, and memory must have stayed flat. What that means is docs/faults.md's.
#
#     tests/soak.sh [DURATION] [RECORDS PER SECOND]      (1h 10000 unless given)
#
# Needs cargo. PROFILE=dev takes a debug build, which reaches a few thousand records a second.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

exec cargo run --quiet --locked --profile "${PROFILE:-release}" --example faults -- \
    --soak "${1:-1h}" --rate "${2:-10000}"
