#!/usr/bin/env bash
# What Kinesis clients that others wrote cost: boto3, the AWS SDK for JavaScript v3, and v2 as the Node.js original
# uses it. Each sends requests of 500 records to a null sink for some seconds, and tells its CPU time per record.
#
#     tests/peers.sh [--port PORT] [--seconds N]
#
# Without --port, the null sink of examples/floor is built and started. Clients are kept on core 1 where `taskset`
# is there. What can't be installed is SKIPPED aloud. Lines of the result begin with `peer`, a tab between fields:
# CPU microseconds per record, and the client's name.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The versions that the check is known to work with.
readonly BOTO3='boto3==1.44.5' V3=('@aws-sdk/client-kinesis@3' '@smithy/node-http-handler@4') V2='aws-sdk@2'
# Seconds that an installation may take, and a client on top of its time.
readonly INSTALL_LIMIT=300 PATIENCE=30

port='' seconds=4
while (($#)); do
    case $1 in
    --port) port=$2 ;;
    --seconds) seconds=$2 ;;
    *)
        echo "there is no option $1" >&2
        exit 64
        ;;
    esac
    shift 2
done

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
work="$target/peers"
mkdir -p "$work"

sink=
trap '[[ -z $sink ]] || kill "$sink" 2>/dev/null' EXIT
trap 'exit 130' INT TERM
pin() { "$@"; }
if command -v taskset >/dev/null; then
    pin() { taskset -c 1 "$@"; }
else
    echo 'there is no taskset: clients and sink share the cores' >&2
fi

if [[ -z $port ]]; then
    cargo build --release --example floor
    "$target/release/examples/floor" sink --port 0 >"$work/sink.log" &
    sink=$!
    for _ in {1..50}; do
        port=$(sed -n 's/.*127\.0\.0\.1://p' "$work/sink.log")
        [[ -z $port ]] || break
        sleep 0.1
    done
    [[ -n $port ]] || { echo 'the sink did not start' >&2; exit 1; }
    # The sink has core 0.
    ! command -v taskset >/dev/null || taskset -acp 0 "$sink" >/dev/null
fi

# install LOG COMMAND...: runs an installation in silence, and shows its end when it fails.
install() {
    local log="$work/$1"
    shift
    if ! timeout --kill-after=10 "$INSTALL_LIMIT" "$@" </dev/null >"$log" 2>&1; then
        tail -n 3 "$log" | sed 's/^/    /' >&2
        return 1
    fi
}

install_python() {
    [[ -x $work/venv/bin/pip ]] || install venv.log python3 -m venv --clear "$work/venv" || return 1
    install pip.log "$work/venv/bin/pip" install --quiet --disable-pip-version-check "$BOTO3"
}

install_node() {
    command -v npm >/dev/null || { echo '    there is no npm' >&2; return 1; }
    local folder="$work/$1"
    shift
    mkdir -p "$folder"
    install "npm-${folder##*/}.log" npm install --prefix "$folder" --no-audit --no-fund --no-save --loglevel=error "$@"
}

# run COMMAND...: one client. It prints microseconds per record, a tab, its name.
run() {
    local line
    if line=$(pin timeout --kill-after=5 "$((seconds + PATIENCE))" env AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none \
        AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE=1 NODE_NO_WARNINGS=1 \
        "$@" "http://127.0.0.1:$port" "$seconds" 2>"$work/client.log"); then
        printf 'peer\t%s\n' "$line"
    else
        echo "FAILED   $*:" >&2
        tail -n 5 "$work/client.log" | sed 's/^/    /' >&2
        failed=1
    fi
}

failed=0
if install_python; then
    run "$work/venv/bin/python" tests/clients/peer_boto3.py
else
    echo 'SKIPPED  boto3: it could not be installed (on Debian, python3-venv is needed)' >&2
fi
# A module finds its packages beside itself, so it is copied there.
if install_node v3 "${V3[@]}"; then
    cp tests/clients/peer_v3.mjs "$work/v3/"
    run node "$work/v3/peer_v3.mjs"
else
    echo 'SKIPPED  AWS SDK for JavaScript v3: npm could not install it' >&2
fi
if install_node v2 "$V2"; then
    cp tests/clients/peer_v2.mjs "$work/v2/"
    run node "$work/v2/peer_v2.mjs"
else
    echo 'SKIPPED  AWS SDK for JavaScript v2: npm could not install it' >&2
fi
exit "$failed"
