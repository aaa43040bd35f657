#!/usr/bin/env bash
# Installs what is missing, lints, builds and runs every test; fails if any of it fails.
#
#   Tests/run.sh                        everything, about as long as the modules' times add up to
#   Tests/run.sh --filter LayerTests    arguments go to `swift test`
#   DISTILL_LONG_TESTS=1 Tests/run.sh   the long tests too, as .ci/run does
#
# Needs a Swift 6 toolchain. The environment variables are in CONTRIBUTING.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Tests run kernels that were compiled with optimization: code at -O0 would be other arithmetic,
# and far too slow. `-enable-testing` is what `@testable import` needs in a release build.
configuration=(-c release -Xswiftc -enable-testing)
module_seconds=45

step() { printf '\n== %s\n' "$1"; }
stop() { printf 'Error: %s\n' "$1" >&2; exit 1; }

not_run=""  # what this machine could not check, a line each
leave_out() {
  printf 'Note: %s\n' "$1"
  not_run+="  $1"$'\n'
}

source Tests/install.sh

# The clang of the Swift toolchain compiles for every processor, with its own headers and no
# system's: variants that this machine can't run are at least known to compile, without a warning.
compile_kernels() {
  local clang architecture source object
  clang="$(dirname "$(command -v swift)")/clang"
  [ -x "$clang" ] || clang="$(command -v clang || true)"
  if [ -z "$clang" ]; then
    leave_out "No clang found; the kernels of other processors were not compiled."
    return
  fi
  object="$(mktemp)"
  for architecture in aarch64 x86_64; do
    for source in Sources/CKernels/*.c; do
      # The choice between the variants asks the system, and needs its headers.
      [ "$source" != Sources/CKernels/CKernels.c ] || continue
      "$clang" "--target=$architecture-linux-gnu" -ffreestanding -nostdlibinc -O2 -Wall -Werror \
        -ISources/CKernels/include -c "$source" -o "$object" ||
        { rm -f "$object"; stop "$source does not compile for $architecture."; }
    done
  done
  rm -f "$object"
}

# Reads the names of all tests and the log of a run; prints the time of each module, the reasons
# for which tests were skipped, and the tests that began and did not end. Those are a failure, also
# where the process left with status 0.
summarize() {
  LC_ALL=C awk -v limit="$1" '
    # XCTest writes Class.test on Linux and -[Module.Class test] on macOS.
    function plain(name) {
      gsub(/^-\[|\]$/, "", name)
      gsub(/[ \/]/, ".", name)
      return name
    }
    function counted(tests) { return tests + 0 == 1 ? "1 test" : tests + 0 " tests" }
    function module(name) { return name in modules ? modules[name] : name }
    NR == FNR {
      name = $0
      sub(/\..*/, "", name)
      test = plain($0)
      modules[test] = name
      sub(/^[^.]*\./, "", test)
      modules[test] = name
      next
    }
    /^Test Case .* started/ {
      split($0, quoted, "\047")
      open[plain(quoted[2])] = 1
    }
    /^Test Case .* (passed|failed|skipped) \(/ {
      split($0, quoted, "\047")
      name = plain(quoted[2])
      delete open[name]
      seconds = $0
      sub(/.*\(/, "", seconds)
      time[module(name)] += seconds + 0
      tests[module(name)]++
    }
    / : Test skipped/ {
      reason = $0
      sub(/.* : Test skipped[: -]*/, "", reason)
      sub(/^required [a-z]+ value but got [a-z]+( - )?/, "", reason)
      sub(/\.$/, "", reason)
      skipped[reason == "" ? "no reason given" : reason]++
    }
    END {
      sort = "sort"
      for (name in time) {
        printf "  %-28s %11s %8.1f s\n", name, counted(tests[name]), time[name] | sort
      }
      close(sort)
      for (name in time) {
        if (limit > 0 && time[name] > limit) {
          printf "Warning: %s took %.1f s; a module stays under %d s.\n", name, time[name], limit
        }
      }
      for (reason in skipped) {
        printf "Skipped: %s: %s.\n", counted(skipped[reason]), reason | sort
      }
      close(sort)
      for (name in open) {
        printf "Began and did not end: %s.\n", name
        unfinished = 1
      }
      exit unfinished
    }' "$2" "$3"
}

command -v swift >/dev/null || stop "There is no 'swift'. Install Swift 6: https://swift.org/install"

if [ -z "${DISTILL_FIXTURES:-}" ] && [ -d ../shared/fixtures ]; then
  DISTILL_FIXTURES="$(cd ../shared/fixtures && pwd)"
  export DISTILL_FIXTURES
fi
if [ -n "${DISTILL_FIXTURES:-}" ] && [ ! -d "$DISTILL_FIXTURES" ]; then
  stop "DISTILL_FIXTURES is '$DISTILL_FIXTURES', which is no folder."
fi

install_missing

step "Linting"
swift format lint --strict --recursive Sources Tests Examples Package.swift

step "Compiling the kernels for other processors"
compile_kernels

step "Building"
swift build "${configuration[@]}" --build-tests --explicit-target-dependency-import-check error

step "Testing"
log=.build/tests.log
names=.build/tests.txt
swift test list "${configuration[@]}" --skip-build --disable-swift-testing 2>/dev/null |
  grep '^[A-Za-z0-9_]*\.[A-Za-z0-9_]*/test' >"$names" || stop "No tests were found."
status=0
swift test "${configuration[@]}" --skip-build --disable-swift-testing "$@" 2>&1 |
  tee "$log" | awk '!/^Test (Case|Suite) .* (started|passed|skipped)/ && !/^\t Executed .* 0 failures/ {
    print
    fflush()
  }' || status=$?

step "Summary"
if [ "${DISTILL_LONG_TESTS:-}" = 1 ]; then module_seconds=0; fi
summarize "$module_seconds" "$names" "$log" || status=$?
if [ -n "$not_run" ]; then printf 'Not checked:\n%s' "$not_run"; fi
[ "$status" -eq 0 ] || stop "Tests failed; the whole log is '$PWD/$log'."
grep -Eq '^Test Case .* (passed|skipped)' "$log" || stop "No test ran."
printf 'Passed.\n'
