#!/usr/bin/env bash
# From a Swift toolchain to a model that was distilled here: installs what is missing, builds
# 'distill', and runs Recipes/tiny to the end.
#
#   Examples/quickstart.sh           from any folder; the same command goes on where it was stopped
#   Examples/quickstart.sh --help    what it does
#
# Ends with the status of 'distill run': 75 if it was stopped.
set -euo pipefail

usage() {
  cat <<'END'
Usage: Examples/quickstart.sh

Installs what is missing (OpenBLAS and Python, with apt-get), builds 'distill' with optimization, and
runs the experiment of Recipes/tiny to the end: a teacher is sampled, a student fine-tuned on what it
said, and both base and student are reinforced. Needs a Swift 6 toolchain. The same command goes on
where it was stopped.
END
}

step() { printf '\n== %s\n' "$1"; }
stop() { printf 'Error: %s\n' "$1" >&2; exit "${2:-1}"; }
leave_out() { printf 'Note: %s\n' "$1"; }

case "$*" in
--help | -h) usage; exit ;;
"") ;;
*) stop "'$*' is not known; this takes no argument but '--help'." 64 ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/.."
source Tests/install.sh
command -v swift >/dev/null || stop "There is no 'swift'. Install Swift 6: https://swift.org/install"

install_missing

step "Building distill"
swift build -c release --product distill
program="$(swift build -c release --show-bin-path)/distill"

step "Running Recipes/tiny"
exec "$program" run Recipes/tiny
