# kinesis-streamer as an image: one static binary, the certificate authorities, nothing else.
#
#     docker build -t kinesis-streamer .
#     docker run --rm kinesis-streamer --local --duration 1m
#     docker run --rm -e AWS_KINESIS_STREAM_NAME=my-stream -e AWS_REGION=eu-west-1 kinesis-streamer
#
# Needs BuildKit (Docker 23 and later have it on; before, DOCKER_BUILDKIT=1). docs/engines/docker.md says more.
#
# Both base images can come from another registry. BUILD_IMAGE has a Rust toolchain, gcc and ca-certificates on a
# system with glibc; RUNTIME_IMAGE may be empty, for the program needs nothing of it.
ARG BUILD_IMAGE=rust:1.95-slim-bookworm
ARG RUNTIME_IMAGE=scratch
# Where the image's files come from: `build` compiles them; `prebuilt` takes the folder target/image-root, as
# tests/container.sh lays it out, for those who have compiled already.
ARG FILES=build

FROM ${BUILD_IMAGE} AS build
WORKDIR /build
# `release` is what is measured and meant; `dev` compiles faster.
ARG PROFILE=release

# The dependencies alone, which take minutes: this layer lasts until one of these files changes.
# Cargo.toml names the benchmark, so cargo wants to see one.
COPY Cargo.toml Cargo.lock build.rs ./
RUN mkdir -p src benches/instructions \
    && echo 'fn main() {}' > src/main.rs \
    && cp src/main.rs benches/instructions/main.rs \
    && touch src/lib.rs \
    && cargo build --profile "${PROFILE}" --locked --bin kinesis-streamer \
    && rm -r src

COPY src src
# Newer than what was built above, whatever time the files had outside. Without shared libraries, and that for the
# program alone: dependencies don't care, and procedural macros can't be static.
RUN touch src/lib.rs src/main.rs \
    && cargo rustc --profile "${PROFILE}" --locked --bin kinesis-streamer -- -C target-feature=+crt-static \
    && case "${PROFILE}" in dev) built=debug ;; bench) built=release ;; *) built="${PROFILE}" ;; esac \
    && install -D "target/${built}/kinesis-streamer" /image/root/kinesis-streamer
COPY LICENSE /image/root/LICENSE
# TLS to AWS needs to know whom to trust.
RUN install -D -m 644 /etc/ssl/certs/ca-certificates.crt /image/root/etc/ssl/certs/ca-certificates.crt \
    && mkdir -p /image/owned/data

FROM scratch AS prebuilt
COPY target/image-root /image

# hadolint ignore=DL3006
FROM ${FILES} AS files

# hadolint ignore=DL3006
FROM ${RUNTIME_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="kinesis-streamer" \
      org.opencontainers.image.description="A load-generating producer daemon for Amazon Kinesis Data Streams" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="MIT"

COPY --from=files /image/root /
# For journals: a volume mounted here belongs to the user below, as this folder does. A `.env` that is mounted here
# is read, but --env-file does without a mount.
COPY --from=files --chown=65532:65532 /image/owned /
WORKDIR /data

# Metrics on loopback would be out of everyone's reach in a container.
ENV STREAMER_LISTEN=0.0.0.0:9464
EXPOSE 9464

# By number, so that an orchestrator can see that it is not root; the user needs no name.
USER 65532:65532
# The program asks its own listener: there is no shell and no curl here.
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 CMD ["/kinesis-streamer", "healthcheck"]
# SIGTERM drains; give it the drain's deadline (STREAMER_DRAIN_TIMEOUT, 30 s) as `docker stop --time`.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/kinesis-streamer"]
