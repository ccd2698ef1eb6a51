#!/usr/bin/env bash
# Runs the image as its users do: alone, by compose, on a Docker Swarm. Producers are killed in mid-run and their number
# is changed; then `verify`, with the journals of all, must find every record that was counted as sent.
#
#     tests/container.sh [image|compose|swarm]...      (all of them unless named)
#     tests/container.sh --can                         whether there is an engine; says why not
#
# Where a Docker engine answers, it is used (but no swarm is begun on it). Otherwise root on Debian gets one: Debian's
# packages, unpacked under target/container, and a daemon in namespaces of its own. It has no network but its own, so no
# load leaves it, and everything that it started ends with it.
#
#     BINARY=PATH       a program that is linked already, without shared libraries
#     PROFILE=bench     cargo's profile for the program, where none is given (release, bench, dev)
#     FROM_SOURCE=1     the whole Dockerfile instead: the program is compiled in the image's build. Where the builder's
#                       image can't be pulled, one is made by debootstrap, with this machine's toolchain and crates
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly IMAGE=kinesis-streamer:test PROJECT=kinesis-streamer-test STACK=kinesis-streamer-test
# What an image may weigh, in bytes; seconds that a condition is waited for, and that an installation may take.
readonly MOST=30000000 PATIENCE=60 INSTALL_LIMIT=600
# For a run that shall live until it is stopped, its hard end.
readonly AT_MOST=10m

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
work="$target/container"
mkdir -p "$work"
engine='' passed=() skipped=()

say() { printf '    %s\n' "$*"; }
fail() {
    printf 'FAILED   %s\n' "$*" >&2
    exit 1
}

# --- the engine ------------------------------------------------------------------------------------------

# Debian's packages, unpacked here: installing them would start services.
unpack() {
    local folder=$1
    shift
    mkdir -p "$folder/packages"
    (cd "$folder/packages" && timeout "$INSTALL_LIMIT" apt-get "${apt[@]}" -q download "$@") >>"$work/apt.log" 2>&1 || return 1
    for package in "$folder"/packages/*.deb; do dpkg-deb -x "$package" "$folder" || return 1; done
    rm -r "$folder/packages"
}

# get_engine: Debian's engine on the path, as far as it is not there. On failure $reason says why.
apt=(-o APT::Sandbox::User=root)
get_engine() {
    local root="$work/engine" triplet
    if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
        reason='no Docker engine answers, and only root on Debian can get one here'
        return 1
    fi
    if [[ ! -e $root/done ]]; then
        rm -rf "$root"
        if ! apt-get -q update >"$work/apt.log" 2>&1 ||
            ! unpack "$root" docker.io containerd runc tini libdevmapper1.02.1 iptables libip4tc2 libip6tc2 libxtables12 \
                libnftnl11 libmnl0 libnetfilter-conntrack3 libnfnetlink0 libseccomp2; then
            reason="Debian's packages of Docker can't be had: $(tail -n 1 "$work/apt.log")"
            return 1
        fi
        for name in iptables ip6tables; do ln -sf "$name-legacy" "$root/usr/sbin/$name"; done
        touch "$root/done"
    fi
    triplet=$(basename "$(dirname "$(find "$root" -name 'libxtables.so.12')")")
    export LD_LIBRARY_PATH="$root/usr/lib/$triplet:$root/lib/$triplet" XTABLES_LIBDIR="$root/usr/lib/$triplet/xtables"
    export PATH="$root/usr/sbin:$root/usr/bin:$PATH"
}

# The only interface of a new network namespace is down; `ip` is not on every machine.
declare -rx LOOPBACK_UP='
import fcntl, socket, struct
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh14x", b"lo", 1))'

start_engine() {
    export DOCKER_HOST="unix://$work/docker.sock"
    rm -f "$work/docker.sock"
    # shellcheck disable=SC2016 # the inner shell's
    unshare --net --mount --pid --fork --kill-child --mount-proc bash -c '
        ip link set lo up 2>/dev/null || python3 -c "$LOOPBACK_UP"
        exec dockerd --host "$DOCKER_HOST" --data-root "$1/data" --exec-root "$1/exec" --pidfile "$1/dockerd.pid"
    ' bash "$work" >"$work/dockerd.log" 2>&1 </dev/null &
    engine=$!
    for _ in {1..300}; do
        docker version >/dev/null 2>&1 && return 0
        kill -0 "$engine" 2>/dev/null || break
        sleep 0.1
    done
    reason="dockerd does not come up here: $(grep -E 'level=(error|fatal)|failed' "$work/dockerd.log" | tail -n 1)"
    return 1
}

find_engine() {
    [[ -n ${DOCKER_HOST:-} || -S /var/run/docker.sock ]] && timeout 10 docker version >/dev/null 2>&1 && return 0
    get_engine && start_engine
}

# Compose v2 where it is, or out of its package.
find_compose() {
    docker compose version >/dev/null 2>&1 && return 0
    if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
        reason='there is no compose, and only root on Debian can get it here'
        return 1
    fi
    export DOCKER_CONFIG="$work/docker-config"
    if [[ ! -e $DOCKER_CONFIG/cli-plugins/docker-compose ]]; then
        if ! timeout "$INSTALL_LIMIT" tests/container/from-trixie.sh "$work/compose" docker-compose >"$work/apt.log" 2>&1; then
            reason="Debian's package of compose can't be had: $(tail -n 1 "$work/apt.log")"
            return 1
        fi
        mkdir -p "$DOCKER_CONFIG/cli-plugins"
        cp "$work/compose/usr/libexec/docker/cli-plugins/docker-compose" "$DOCKER_CONFIG/cli-plugins/"
        rm -r "$work/compose"
    fi
    docker compose version >/dev/null
}

clean_up() {
    local result=$?
    trap '' INT TERM
    if ((result)) && [[ -n ${remember:-} ]]; then
        docker ps --all 2>/dev/null || true
        for id in $(docker ps --all --quiet 2>/dev/null); do docker logs --tail 5 "$id" 2>&1 | sed "s/^/    $id  /"; done
    fi
    [[ -z ${remember:-} ]] || remove_containers
    if [[ -n $engine ]]; then
        # The daemon is the first process of its namespace: whatever it started ends with it. `unshare` itself takes
        # no SIGTERM while it waits for it.
        kill "$(cat "/proc/$engine/task/$engine/children")" 2>/dev/null || true
        for _ in {1..300}; do
            kill -0 "$engine" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL "$engine" 2>/dev/null || true
        wait "$engine" 2>/dev/null || true
    fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# What this test made, now or when it was last ended from outside.
remove_containers() {
    [[ -z $engine ]] || docker swarm leave --force >/dev/null 2>&1 || true
    for label in "test=$PROJECT" "com.docker.compose.project=$PROJECT" "com.docker.stack.namespace=$STACK"; do
        docker ps --all --quiet --filter "label=$label" | xargs --no-run-if-empty docker rm --force --volumes >/dev/null
        docker volume ls --quiet --filter "label=$label" | xargs --no-run-if-empty docker volume rm >/dev/null
        docker network ls --quiet --filter "label=$label" | xargs --no-run-if-empty docker network rm >/dev/null
    done
}

# --- waiting ---------------------------------------------------------------------------------------------

# until_true WHAT COMMAND...: waits until the command succeeds.
until_true() {
    local what=$1 end=$((SECONDS + PATIENCE))
    shift
    until "$@"; do
        ((SECONDS < end)) || fail "$what: not within $PATIENCE s"
        sleep 0.3
    done
}

healthy() { [[ $(docker inspect --format '{{.State.Health.Status}}' "$1") == healthy ]]; }
all_healthy() { for id in "$@"; do healthy "$id" || return 1; done; }
ended() { [[ $(docker inspect --format '{{.State.Running}}' "$1") == false ]]; }
exit_code() { docker inspect --format '{{.State.ExitCode}}' "$1"; }

# run NAME...: a container as careful users run it, in the background.
run() {
    local name=$1
    shift
    docker run --detach --label "test=$PROJECT" --name "$PROJECT-$name" --read-only --cap-drop ALL \
        --security-opt no-new-privileges "$@"
}

# expect CODE NAME...: a run that ends by itself, with this exit code.
expect() {
    local code=$1 name=$2 id
    shift 2
    id=$(run "${name//[^a-z]/-}" "$@")
    until_true "the end of $name" ended "$id"
    [[ $(exit_code "$id") == "$code" ]] || fail "$name ended with $(exit_code "$id"), not $code: $(docker logs "$id" 2>&1)"
    say "$name: exit code $code"
}

# --- the image -------------------------------------------------------------------------------------------

builder_image() {
    local name=rust:1.95-slim-bookworm root="$work/builder" suite=bookworm
    docker image inspect "$name" >/dev/null 2>&1 && return 0
    timeout 60 docker pull --quiet "$name" 2>/dev/null && return 0
    ((EUID == 0)) || fail "$name can't be pulled, and only root can make it"
    say "$name can't be pulled: made here"
    unpack "$work/debootstrap" debootstrap || fail "debootstrap can't be had: $(tail -n 1 "$work/apt.log")"
    rm -rf "$root"
    DEBOOTSTRAP_DIR="$work/debootstrap/usr/share/debootstrap" "$work/debootstrap/usr/sbin/debootstrap" --variant=minbase \
        --include=gcc,libc6-dev,ca-certificates "$suite" "$root" >"$work/debootstrap.log" 2>&1 ||
        fail "debootstrap: $(tail -n 3 "$work/debootstrap.log")"
    # The toolchain in use, and the crates, for the build has no network.
    cargo fetch --locked
    mkdir -p "$root/usr/local/toolchain" "$root/usr/local/cargo/registry"
    cp -a "$(rustc --print sysroot)"/{bin,lib} "$root/usr/local/toolchain/"
    cp -a "${CARGO_HOME:-$HOME/.cargo}"/registry/{cache,index} "$root/usr/local/cargo/registry/"
    tar -C "$root" -c . | docker import \
        --change 'ENV PATH=/usr/local/toolchain/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
        --change 'ENV CARGO_HOME=/usr/local/cargo' --change 'ENV CARGO_NET_OFFLINE=true' - "$name" >/dev/null
    rm -rf "$root"
}

build_image() {
    local arguments=() root="$target/image-root"
    if [[ -n ${FROM_SOURCE:-} ]]; then
        builder_image
        arguments=(--build-arg "PROFILE=${PROFILE:-release}")
    else
        if [[ -z ${BINARY:-} ]]; then
            # With the benchmark, so that the libraries are those that `cargo bench` has compiled already.
            RUSTC_WORKSPACE_WRAPPER="$PWD/tests/container/static-rustc.sh" cargo build --locked \
                --profile "${PROFILE:-bench}" --bin kinesis-streamer --bench instructions
            case ${PROFILE:-bench} in dev) BINARY=$target/debug ;; *) BINARY=$target/release ;; esac
            BINARY+=/kinesis-streamer
        fi
        rm -rf "$root"
        install -D "$BINARY" "$root/root/kinesis-streamer"
        install -m 644 LICENSE "$root/root/LICENSE"
        install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$root/root/etc/ssl/certs/ca-certificates.crt"
        mkdir -p "$root/owned/data"
        # The folder of the build's context, whatever CARGO_TARGET_DIR is.
        [[ $root -ef target/image-root ]] || { mkdir -p target && rm -rf target/image-root && cp -a "$root" target/; }
        arguments=(--build-arg FILES=prebuilt)
    fi
    DOCKER_BUILDKIT=1 docker build --quiet --tag "$IMAGE" --build-arg "REVISION=$(git rev-parse HEAD)" \
        "${arguments[@]}" . >/dev/null
}

test_image() {
    local size id
    size=$(docker image inspect --format '{{.Size}}' "$IMAGE")
    say "size: $size bytes"
    # A program that is not optimised is larger, and not what is shipped.
    ((size < MOST)) || [[ ${PROFILE:-} == dev ]] || fail "the image has $size bytes, more than $MOST"
    [[ $(docker image inspect --format '{{.Config.User}}' "$IMAGE") == 65532:65532 ]] || fail 'it does not run as 65532'
    docker run --rm --entrypoint /bin/sh "$IMAGE" -c true 2>/dev/null && fail 'there is a shell in it'

    id=$(run signal --network none "$IMAGE" --local --duration "$AT_MOST")
    until_true 'the health check' healthy "$id"
    [[ $(docker logs "$id" 2>&1) != *ended* ]] || fail 'it ended before it was told to'
    docker stop --time 45 "$id" >/dev/null
    [[ $(exit_code "$id") == 0 ]] || fail "after SIGTERM: exit code $(exit_code "$id")"
    [[ $(docker logs "$id" 2>&1) == *'ended by SIGTERM'*'sent'* ]] || fail "no summary: $(docker logs "$id" 2>&1)"
    say 'healthy; as PID 1, SIGTERM drains and ends it with exit code 0'

    expect 0 'a run with an end' --network none "$IMAGE" --local --duration 2s
    expect 1 'a run over the limit, without retries' --network none "$IMAGE" --local --duration 2s --jobs 60 --messages 20 --retry none
    expect 64 'a wrong setting' --network none --env CRON_JOBS_TO_GENERATE=abc "$IMAGE" --local
    run stream --network none "$IMAGE" local --port 4567 --stream load >/dev/null
    expect 66 'no such stream' --network "container:$PROJECT-stream" "${local_stream[@]}" \
        --env STREAMER_LISTEN=off --env AWS_KINESIS_STREAM_NAME=nowhere "$IMAGE"
    docker volume create --label "test=$PROJECT" "$PROJECT" >/dev/null
    expect 0 'a run with a journal on a new volume' --network none --volume "$PROJECT:/data" --env STREAMER_JOURNAL=/data/run.journal \
        "$IMAGE" --local --duration 2s
    remove_containers
}
readonly local_stream=(--env AWS_ENDPOINT_URL_KINESIS=http://127.0.0.1:4567 --env AWS_REGION=us-east-1
    --env AWS_ACCESS_KEY_ID=local --env AWS_SECRET_ACCESS_KEY=local)

# --- many producers --------------------------------------------------------------------------------------

# sent JOURNAL: how many records its last run has sent.
sent() {
    docker run --rm --network none --volume "$(dirname "$1"):/journals:ro" "$IMAGE" journal "/journals/${1##*/}" --json \
        2>/dev/null | grep -oE '"sent": ?[0-9]+' | tail -n 1 | grep -oE '[0-9]+' || echo 0
}

# has_sent JOURNAL...: whether each holds records that were sent.
has_sent() {
    local journal
    for journal in "$@"; do (($(sent "$journal") > 0)) || return 1; done
}

# judge FOLDER NETWORK ENDPOINT: whether the stream holds what the journals of this folder claim; and that it would be
# noticed if a producer's word were missing.
judge() {
    local folder=$1 network=$2 endpoint=$3 journals=() file result=0
    for file in "$folder"/*.journal; do journals+=(--journal "/journals/${file##*/}"); done
    local call=(docker run --rm --network "$network" "${local_stream[@]}" --env "AWS_ENDPOINT_URL_KINESIS=$endpoint"
        --volume "$folder:/journals:ro" "$IMAGE" verify --stream load --idle 3s)
    "${call[@]}" "${journals[@]}" >"$work/verdict.txt" 2>"$work/verdict.log" || result=$?
    sed 's/^/    /' "$work/verdict.txt"
    ((result == 0)) || fail "verify ended with $result: $(cat "$work/verdict.log")"
    result=0
    "${call[@]}" "${journals[@]:2}" >/dev/null 2>&1 || result=$?
    ((result == 2)) || fail "without one of the journals, verify ended with $result, not 2"
    say "${#journals[@]} arguments name $((${#journals[@]} / 2)) journals; without one of them, verify finds records of nobody"
}

# --- compose ---------------------------------------------------------------------------------------------

compose() { docker compose --project-name "$PROJECT" "$@"; }
producers() { compose ps --all --quiet producer; }

# Copies each producer's journal out of its container, dead or alive.
copy_journals() {
    local id
    rm -rf "$work/journals" && mkdir "$work/journals"
    for id in $(producers); do
        docker cp "$id:/data/run.journal" "$work/journals/${id:0:12}.journal" >/dev/null 2>&1 || return 1
    done
}
all_have_sent() { copy_journals && has_sent "$work"/journals/*.journal; }

test_compose() {
    local ids victim services=(stream producer)
    # Smooth, so that a kill meets requests on their way.
    export KINESIS_STREAMER_IMAGE=$IMAGE STREAMER_LOG_FORMAT=text STREAMER_PACING=smooth
    prometheus_image && services+=(prometheus)
    compose up --detach --no-build --quiet-pull --scale producer=3 "${services[@]}" 2>&1 | sed 's/^/    /'
    mapfile -t ids < <(producers)
    ((${#ids[@]} == 3)) || fail "${#ids[@]} producers, not 3"
    until_true 'three healthy producers' all_healthy "${ids[@]}"
    until_true 'records of all three' all_have_sent
    say 'three producers are healthy and have sent'

    victim=${ids[1]}
    docker kill "$victim" >/dev/null
    [[ $(exit_code "$victim") == 137 ]] || fail 'it was not killed'
    # compose would begin the killed one anew, in its journal: that must be told apart as well.
    compose up --detach --no-build --no-recreate --scale producer=5 producer 2>&1 | sed 's/^/    /'
    mapfile -t ids < <(producers)
    ((${#ids[@]} == 5)) || fail "${#ids[@]} producers, not 5"
    until_true 'five healthy producers' all_healthy "${ids[@]}"
    until_true 'records of all five' all_have_sent
    say 'one was killed and begun anew, two more came: five are healthy and have sent'
    if [[ " ${services[*]} " == *' prometheus '* ]]; then ask_prometheus; fi

    compose stop producer 2>&1 | sed 's/^/    /'
    for id in "${ids[@]}"; do
        [[ $(exit_code "$id") == 0 ]] || fail "a producer ended with $(exit_code "$id"): $(docker logs --tail 20 "$id" 2>&1)"
    done
    copy_journals || fail 'a journal is not there'
    judge "$work/journals" "${PROJECT}_default" http://stream:4567
    remove_containers
}

# Prometheus as an image, from Debian's package where its own can't be pulled.
prometheus_image() {
    local root="$work/prometheus"
    export PROMETHEUS_IMAGE=${PROMETHEUS_IMAGE:-kinesis-streamer-test/prometheus}
    docker image inspect "$PROMETHEUS_IMAGE" >/dev/null 2>&1 && return 0
    if ! { ((EUID == 0)) && rm -rf "$root" && unpack "$root/package" prometheus; }; then
        skipped+=('Prometheus: its image is not there, nor is Debian'"'"'s package')
        return 1
    fi
    mkdir -p "$root/image/bin" "$root/image/etc" "$root/image/tmp" "$root/image/prometheus"
    cp "$root"/package/usr/bin/{prometheus,promtool} "$root/image/bin/"
    ldd "$root/image/bin/prometheus" | grep -o '/[^ ]*' | while read -r library; do
        install -D "$library" "$root/image$library"
    done
    tar -C "$root/image" -c . | docker import --change 'ENTRYPOINT ["/bin/prometheus"]' --change 'ENV PATH=/bin' \
        --change 'CMD ["--config.file=/etc/prometheus/prometheus.yml","--storage.tsdb.path=/prometheus"]' \
        - "$PROMETHEUS_IMAGE" >/dev/null
    rm -rf "$root"
}

query() { compose exec -T prometheus promtool query instant http://127.0.0.1:9090 "$1" </dev/null; }
has_rates() { [[ -n $(query 'rate(kinesis_streamer_records_sent_total[10s])') ]]; }
five_scraped() { [[ $(query 'count(kinesis_streamer_records_sent_total > 0)') == *'=> 5 @'* ]]; }

# Every expression of the dashboard, asked of a Prometheus that has scraped five producers.
ask_prometheus() {
    local expression answer asked=0 dashboard=config/grafana/provisioning/dashboards/kinesis-streamer.json
    until_true 'five scraped producers' five_scraped
    until_true 'rates' has_rates
    # shellcheck disable=SC2016 # Grafana's variables
    while read -r expression; do
        answer=$(query "$expression") || fail "Prometheus refuses: $expression"
        # Reading back has metrics where a run does so.
        [[ -n $answer || $expression == *_verify_* ]] || fail "no data for: $expression"
        asked=$((asked + 1))
    done < <(sed -n 's/^ *"expr": "\(.*\)",$/\1/p' "$dashboard" |
        sed -e 's/\\"/"/g' -e 's/\$__rate_interval/10s/g' -e 's/\$job\|\$instance/.*/g')
    ((asked > 30)) || fail "only $asked expressions in $dashboard"
    say "Prometheus answers all $asked expressions of the dashboard"
}

# --- Swarm -----------------------------------------------------------------------------------------------

tasks() { docker ps --quiet --filter "label=com.docker.swarm.service.name=${STACK}_producer"; }
running() {
    local ids
    mapfile -t ids < <(tasks)
    ((${#ids[@]} == $1)) && { (($1 == 0)) || all_healthy "${ids[@]}"; }
}
volume() { docker volume inspect --format '{{.Mountpoint}}' "${STACK}_data"; }
have_sent() {
    local journals=("$(volume)"/*.journal)
    ((${#journals[@]} == $1)) && has_sent "${journals[@]}"
}

have_shared() {
    local journal sent=0 journals=("$(volume)"/*.journal)
    for journal in "${journals[@]}"; do sent=$((sent + $(sent "$journal"))); done
    ((${#journals[@]} == $1 && sent == $2))
}
deploy() {
    docker stack deploy --resolve-image never --compose-file config/swarm/stack.yml \
        --compose-file tests/container/swarm.yml "$@" "$STACK" 2>&1 | sed 's/^/    /'
}

test_swarm() {
    docker swarm init --advertise-addr 127.0.0.1 --listen-addr 127.0.0.1:2377 >/dev/null
    run stream --network host "$IMAGE" local --port 4567 --shards 4 --stream load >/dev/null
    export KINESIS_STREAMER_IMAGE=$IMAGE
    deploy
    until_true 'three healthy tasks' running 3
    until_true 'records of all three' have_sent 3
    docker kill "$(tasks | head -n 1)" >/dev/null
    until_true 'another task in the place of the killed one' have_sent 4
    docker service scale --detach "${STACK}_producer=5" 2>&1 | sed 's/^/    /'
    until_true 'five healthy tasks' running 5
    until_true 'records of all, the killed one included' have_sent 6
    say 'one was killed and replaced, two more came: five are healthy, and six have sent'
    docker service scale --detach "${STACK}_producer=0" 2>&1 | sed 's/^/    /'
    until_true 'the end of all tasks' running 0
    judge "$(volume)" host http://127.0.0.1:4567

    # A fixed number of replicas divides one load: together they send as many records as were asked for, and no more.
    rm "$(volume)"/*.journal
    REPLICAS=3 STREAMER_MAX_RECORDS=250 deploy --compose-file config/swarm/shares.yml
    until_true 'three journals of 250 records' have_shared 3 250
    say 'three replicas that divide one load of 250 records sent 250'
    remove_containers
}

# ---------------------------------------------------------------------------------------------------------

reason=
if [[ ${1:-} == --can ]]; then
    find_engine || { echo "$reason"; exit 1; }
    docker version --format 'Docker {{.Server.Version}}'
    exit 0
fi
(($#)) || set -- image compose swarm
find_engine || fail "$reason"
remember=1
remove_containers
echo "--- build, with Docker $(docker version --format '{{.Server.Version}}')"
build_image
for part in "$@"; do
    echo "--- $part"
    case $part in
    image) test_image ;;
    compose) if find_compose; then test_compose; else skipped+=("compose: $reason") && continue; fi ;;
    swarm) if [[ -n $engine ]]; then test_swarm; else skipped+=('swarm: the engine is not ours to change') && continue; fi ;;
    *)
        echo "there is no part $part; there are image, compose, swarm" >&2
        exit 64
        ;;
    esac
    passed+=("$part")
done
remember=
echo
for name in "${passed[@]}"; do echo "passed   $name"; done
for name in ${skipped[@]+"${skipped[@]}"}; do echo "SKIPPED  $name"; done
