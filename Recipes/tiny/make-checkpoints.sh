#!/bin/sh
# Makes Checkpoints/tiny-base and Checkpoints/tiny-teacher from nothing: stories, a tokenizer,
# random weights, training. It took 11 minutes on two busy cores; alone, by their rate, 5.
#
# On processors with the same instruction set ('distill kernels' tells it) the files are the same
# bytes each time, on any number of threads; the committed ones were made with AVX-512. Another
# instruction set may add in another order, and its models then differ in all figures a little. What
# differs from the files that are there is said, and replaces them.
set -eu
cd "$(dirname "$0")/../.."

if [ -z "${DISTILL:-}" ] || [ -z "${STORIES:-}" ]; then
  swift build -c release --product distill
  swift build -c release --product arithmetic-stories
  products=$(swift build -c release --show-bin-path)
  DISTILL=${DISTILL:-$products/distill}
  STORIES=${STORIES:-$products/arithmetic-stories}
fi

recipes=Recipes/tiny/checkpoints
work=Checkpoints/making-tiny
rm -rf "$work"
mkdir -p "$work/base-stories" "$work/teacher-stories"

# The tokenizer: every word of the stories is a token, and every digit.
"$STORIES" corpus --steps 1-5 --count 20000 --seed 1 > "$work/corpus.jsonl"
"$DISTILL" train-tokenizer "$work/tokenizer" --corpus "$work/corpus.jsonl" --field text \
  --size 417 --splitting qwen2 --eos "<|end|>" \
  --special "<|pad|>" --special "<|end|>" --special "<|user|>" --special "<|assistant|>" \
  --special "<think>" --special "</think>" --visible "<think>" --visible "</think>"
cp "$recipes/chat_template.jinja" "$work/tokenizer/"

# What the base reads: mostly answers without thought, thoughts of few steps, hardly any of more.
"$STORIES" facts --count 45000 --seed 2 > "$work/base-stories/facts.jsonl"
"$STORIES" answers --steps 1-5 --count 50000 --seed 2 > "$work/base-stories/answers.jsonl"
"$STORIES" traces --steps 1-3 --count 20000 --seed 2 > "$work/base-stories/short-traces.jsonl"
"$STORIES" traces --steps 4-5 --count 2000 --seed 3 > "$work/base-stories/long-traces.jsonl"

# What the teacher reads: thoughts of all lengths.
"$STORIES" facts --count 16000 --seed 4 > "$work/teacher-stories/facts.jsonl"
"$STORIES" traces --steps 1-5 --count 55000 --seed 4 > "$work/teacher-stories/traces.jsonl"

for model in base teacher; do
  "$DISTILL" initialize "$recipes/$model-initialize.json5"
  "$DISTILL" fine-tune "$recipes/$model-train.json5"
  made=$work/$model-run/student
  kept=Checkpoints/tiny-$model
  rm -f "$made/README.md"
  if diff -r "$made" "$kept" > /dev/null 2>&1; then
    echo "$kept: the same bytes."
  else
    rm -rf "$kept"
    cp -R "$made" "$kept"
    echo "$kept: new."
  fi
done
