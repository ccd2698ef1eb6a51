#!/bin/sh
# Cargo's RUSTC_WORKSPACE_WRAPPER: links the program without shared libraries, as the Dockerfile does. Only the
# last step of a build asks for that, so what is compiled already, dependencies above all, is taken as it is.
case " $* " in
*' --crate-name kinesis_streamer '*' --crate-type bin '*) exec "$@" -C target-feature=+crt-static ;;
*) exec "$@" ;;
esac
