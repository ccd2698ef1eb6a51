#!/usr/bin/env bash
# Unpacks packages of the Debian release after bookworm into a folder, without installing them: compose v2 and
# kustomize, whose programs need no library, are not in bookworm itself. Needs root.
#
#     tests/container/from-trixie.sh FOLDER PACKAGE...
set -euo pipefail

folder=$(realpath -m "$1")
shift
mkdir -p "$folder/apt/lists/partial" "$folder/apt/cache/archives/partial" "$folder/packages"
echo 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main' \
    >"$folder/apt/trixie.list"
apt=(-q -o "Dir::Etc::sourcelist=$folder/apt/trixie.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$folder/apt/lists"
    -o "Dir::Cache=$folder/apt/cache" -o APT::Sandbox::User=root)
apt-get "${apt[@]}" update
cd "$folder/packages"
apt-get "${apt[@]}" download "$@"
for package in *.deb; do dpkg-deb -x "$package" "$folder"; done
rm -r "$folder/packages" "$folder/apt"
