#!/usr/bin/env bash
# Runs kinesis-streamer against Kinesis endpoints that others wrote, unmodified, and has boto3 read back what
# they stored: it must be exactly what was counted as sent. tests/clients/counterpart.py is the judge; this
# script installs the counterparts, starts each on a free port of this machine, and ends it.
#
#     tests/counterpart.sh [moto|kinesalite|kinesis-local]...      (all of them unless named)
#
# Ends with a table of what was sent and what each held, and of what each can and can't do. UPDATE_DOCS=1 writes it to
# docs/counterparts.md, where all of them were run.
#
# Needs cargo, python3 with venv, and for two of the three node with npm. BINARY=PATH takes a program that is
# built already. What can't be installed is listed as SKIPPED; with none left, the script fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The versions that the check is known to work with. boto3 is the reader.
readonly PYTHON_PACKAGES=('boto3==1.44.5' 'moto[server]==5.2.5')
readonly KINESALITE='kinesalite@3.3.3' KINESIS_LOCAL='kinesis-local@0.6.2'
# Seconds that an installation may take.
readonly INSTALL_LIMIT=600

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
work="$target/counterpart"
python="$work/venv/bin/python"
mkdir -p "$work"

server=
reports=()
passed=() failed=() skipped=()

end_server() {
    [[ -n $server ]] || return 0
    kill "$server" 2>/dev/null || true
    for _ in {1..50}; do
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
}
trap end_server EXIT
trap 'exit 130' INT TERM

# install LOG COMMAND...: runs an installation in silence, and shows its end when it fails.
install() {
    local log="$work/$1"
    shift
    if ! timeout --kill-after=10 "$INSTALL_LIMIT" "$@" </dev/null >"$log" 2>&1; then
        tail -n 5 "$log" | sed 's/^/    /'
        return 1
    fi
}

install_python() {
    # `python3 -m venv` leaves a broken folder behind where ensurepip is missing: Debian has it in python3-venv.
    [[ -x $work/venv/bin/pip ]] || install venv.log python3 -m venv --clear "$work/venv" || return 1
    install pip.log "$work/venv/bin/pip" install --quiet --disable-pip-version-check "${PYTHON_PACKAGES[@]}"
}

install_node() {
    command -v npm >/dev/null || { echo '    there is no npm'; return 1; }
    local name=${1%@*}
    mkdir -p "$work/$name"
    install "npm-$name.log" npm install --prefix "$work/$name" --no-audit --no-fund --no-save --loglevel=error "$1"
}

free_port() {
    "$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# start NAME PORT: starts the counterpart in the background, as $server.
start() {
    local modules="$work/$1/node_modules" tls
    case $1 in
    moto)
        "$work/venv/bin/moto_server" -H 127.0.0.1 -p "$2" </dev/null >"$work/$1.log" 2>&1 &
        ;;
    kinesalite)
        # Its own command listens on every interface; its server is the same.
        node -e "require('$modules/kinesalite')({ shardLimit: 500 }).listen($2, '127.0.0.1')" \
            </dev/null >"$work/$1.log" 2>&1 &
        ;;
    kinesis-local)
        # Reads its certificate from the folder it is started in. It has no setting for the interface.
        tls=$(free_port)
        (cd "$modules/kinesis-local" && exec env KINESIS_MOCK_PLAIN_PORT="$2" KINESIS_MOCK_TLS_PORT="$tls" \
            SHARD_LIMIT=500 LOG_LEVEL=WARN node main.js) </dev/null >"$work/$1.log" 2>&1 &
        ;;
    esac
    server=$!
}

check() {
    local name=$1 port result=0 version report="$work/$1.json" arguments=()
    echo
    echo "--- $name"
    case $name in
    moto)
        # Its put_record says of itself that it "is not safe for concurrency": of two requests at once, one is lost.
        arguments=(--one-at-a-time --no-cbor)
        version="moto ${PYTHON_PACKAGES[1]##*=}"
        ;; # installed with the reader
    kinesalite)
        install_node "$KINESALITE" || { skipped+=("$name: npm could not install it"); return 0; }
        arguments=(--no-arn)
        version="kinesalite ${KINESALITE#*@}"
        ;;
    kinesis-local)
        install_node "$KINESIS_LOCAL" || { skipped+=("$name: npm could not install it"); return 0; }
        version="kinesis-local ${KINESIS_LOCAL#*@} (kinesis-mock)"
        ;;
    *)
        echo "there is no counterpart $name; there are moto, kinesalite, kinesis-local" >&2
        exit 64
        ;;
    esac
    port=$(free_port)
    rm -f "$report"
    start "$name" "$port"
    "$python" tests/clients/counterpart.py --endpoint "http://127.0.0.1:$port" --binary "$binary" \
        --report "$report" --name "$name" --version "$version" \
        ${arguments[@]+"${arguments[@]}"} || result=$?
    end_server
    [[ -s $report ]] && reports+=("$report")
    if ((result)); then
        failed+=("$name")
        echo "    the last lines of $name:"
        tail -n 5 "$work/$name.log" | sed 's/^/    /'
    else
        passed+=("$name")
    fi
}

if [[ -n ${BINARY:-} ]]; then
    binary=$(realpath "$BINARY")
else
    cargo build --locked --bin kinesis-streamer
    binary="$target/debug/kinesis-streamer"
fi

if ! install_python; then
    echo 'the reader, boto3, could not be installed (on Debian, python3-venv is needed): nothing was checked' >&2
    exit 1
fi
if (($# == 0)); then set -- moto kinesalite kinesis-local; fi
for name in "$@"; do check "$name"; done

echo
if ((${#reports[@]})); then
    "$python" tests/clients/counterpart.py --table "${reports[@]}" >"$work/counterparts.md"
    cat "$work/counterparts.md"
    if [[ -n ${UPDATE_DOCS:-} ]]; then
        if ((${#reports[@]} == 3 && !${#failed[@]})); then
            cp "$work/counterparts.md" docs/counterparts.md
        else
            echo 'docs/counterparts.md stays as it was: not all counterparts were run' >&2
        fi
    fi
fi

echo
for name in ${passed[@]+"${passed[@]}"}; do echo "passed   $name"; done
for name in ${skipped[@]+"${skipped[@]}"}; do echo "SKIPPED  $name"; done
for name in ${failed[@]+"${failed[@]}"}; do echo "FAILED   $name"; done
if ((${#failed[@]} || !${#passed[@]})); then
    ((${#passed[@]} || ${#failed[@]})) || echo 'no counterpart could be installed: nothing was checked' >&2
    exit 1
fi
