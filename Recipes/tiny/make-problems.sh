#!/bin/sh
# Writes the problems of Recipes/tiny again: the same bytes, but for how gzip packs them.
#
#   easy.jsonl, hard.jsonl     on which models are measured; settings were not chosen on them
#   easy-development.jsonl, hard-development.jsonl   on which they were
#   training.jsonl.gz          which are sampled for training
#
# No chain of numbers is in two of these, or in what the checkpoints were trained on and in one of
# the first four.
set -eu
cd "$(dirname "$0")/../.."

if [ -z "${STORIES:-}" ]; then
  swift build -c release --product arithmetic-stories
  STORIES=$(swift build -c release --show-bin-path)/arithmetic-stories
fi

folder=Recipes/tiny/problems
mkdir -p "$folder"
"$STORIES" problems --split test --steps 2-3 --count 200 --seed 1 > "$folder/easy.jsonl"
"$STORIES" problems --split test --steps 4-5 --count 200 --seed 1 > "$folder/hard.jsonl"
"$STORIES" problems --split training --steps 2-5 --count 5000 --seed 1 |
  gzip -n -9 > "$folder/training.jsonl.gz"

"$STORIES" problems --split development --steps 2-3 --count 200 --seed 1 \
  > "$folder/easy-development.jsonl"
"$STORIES" problems --split development --steps 4-5 --count 200 --seed 1 \
  > "$folder/hard-development.jsonl"
