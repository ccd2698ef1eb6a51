# kinesis-streamer in an image: built in one stage, copied alone into the other.
#
#     docker build -t kinesis-streamer .
#     docker run --rm --env-file .env kinesis-streamer
#     docker run --rm kinesis-streamer --local --duration 1m
#
# Both base images can come from another registry. The runtime's needs no shell and no package manager: a C
# library (glibc and libgcc) is enough, as in gcr.io/distroless/cc-debian12.
ARG BUILD_IMAGE=rust:1.95-slim-bookworm
ARG RUNTIME_IMAGE=debian:bookworm-slim

FROM ${BUILD_IMAGE} AS build
WORKDIR /build

# The dependencies alone, which take minutes: this layer lasts until Cargo.toml or Cargo.lock change.
# Cargo.toml names the benchmarks, so cargo wants to see them.
COPY Cargo.toml Cargo.lock ./
COPY benches benches
RUN mkdir src \
    && echo 'fn main() {}' > src/main.rs \
    && touch src/lib.rs \
    && cargo build --release --locked \
    && rm -r src

COPY src src
# Newer than what was built above, whatever time the files had outside.
RUN touch src/lib.rs src/main.rs && cargo build --release --locked

FROM ${RUNTIME_IMAGE}
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="kinesis-streamer" \
      org.opencontainers.image.description="A load-generating producer daemon for Amazon Kinesis Data Streams" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="MIT"

# TLS to AWS needs to know whom to trust, and slim images don't.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /build/target/release/kinesis-streamer /usr/local/bin/kinesis-streamer
COPY LICENSE /usr/share/doc/kinesis-streamer/LICENSE

# A `.env` that is mounted here is read, but --env-file does without a mount.
WORKDIR /etc/kinesis-streamer

# Metrics on loopback would be out of everyone's reach in a container.
ENV STREAMER_LISTEN=0.0.0.0:9464
EXPOSE 9464

# By number, so that an orchestrator can see that it is not root; the user needs no name and owns nothing.
USER 65532:65532
# SIGTERM drains; give it the drain's deadline (STREAMER_DRAIN_TIMEOUT, 30 s) as `docker stop --time`.
STOPSIGNAL SIGTERM
ENTRYPOINT ["kinesis-streamer"]
