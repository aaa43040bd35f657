import Interface
import XCTest

@testable import Commands

/// The pages of the commands that generate text.
final class GenerationHelpTests: XCTestCase {
  func testSample() {
    assertPrints(
      distill("help", "sample"),
      #"""
      Lets a model answer many prompts.

      Reads prompts, and prints one JSON object for each sample as it ends. Prompts
      are JSON lines (or an array) with 'messages', a list of turns, or with 'prompt',
      a text that is continued; or plain text with one prompt in each line, which is a
      user's turn if the checkpoint has a chat template. '-' reads them from standard
      input.

      With '--output' the samples are appended to a file. Stopped at any moment and
      started again with the same words, it goes on where it was; a sample depends on
      the seed, its prompt and its number alone. What is not given is taken from
      generation_config.json.

      Usage: distill sample <checkpoint> <prompts> [--output <file>]
                            [--samples <count>] [--temperature <number>]
                            [--top-p <share>] [--top-k <count>] [--min-p <share>]
                            [--repetition-penalty <number>] [--seed <number>]
                            [--max-new-tokens <count>] [--stop <text>] …
                            [--stop-token <token>] … [--force-prefix <text>]
                            [--thinking-budget <count>] [--weights <precision>]
                            [--cache-memory <size>] [--sequences <count>] [--raw]
                            [--log-probabilities]

      Arguments:
        <checkpoint>  A model's folder.
        <prompts>     A file of prompts; '-' for standard input.

      Options:
        --output <file>                Append the samples to this file, and go on
                                       where it ends.
        --samples <count>              Samples of each prompt; 1 without it.
        --temperature <number>         What logits are divided by; 0 takes the most
                                       probable token.
        --top-p <share>                Keep the most probable tokens that have this
                                       share.
        --top-k <count>                Keep this many of the most probable tokens.
        --min-p <share>                Drop tokens below this share of the most
                                       probable one's probability.
        --repetition-penalty <number>  Makes tokens that occurred less probable; 1
                                       does nothing.
        --seed <number>                What the random numbers begin with; 0 without
                                       it.
        --max-new-tokens <count>       The most tokens of a completion.
        --stop <text>                  A text before which a completion ends; may be
                                       given several times.
        --stop-token <token>           A token that ends a completion, beside those of
                                       the checkpoint.
        --force-prefix <text>          What every completion begins with, such as
                                       '<think>\n'; \n is a line break.
        --thinking-budget <count>      The most tokens within <think>, which is then
                                       closed.
        --weights <precision>          How the weights are kept: bfloat16, which is
                                       the default, int8 or float32.
        --cache-memory <size>          Memory for keys and values, such as 2GiB.
        --sequences <count>            The most samples that run at a time; 32 without
                                       it.
        --raw                          Continue lines of text as they are, without the
                                       chat template.
        --log-probabilities            Write each token's id and log-probability too.

      Every command accepts:
        --threads <count>  Worker threads; without it what DISTILL_THREADS says, or
                           one for each core.

      Examples:
        distill sample Checkpoints/qwen2.5-0.5b prompts.jsonl --output samples.jsonl --samples 4
        distill sample Checkpoints/qwen2.5-0.5b questions.txt --temperature 0.6 --top-p 0.95
      """#)
  }

  func testChat() {
    assertPrints(
      distill("help", "chat"),
      #"""
      Talks with a model in the terminal.

      Each line is a turn; the answer is printed as it comes, its thinking dimmed.
      Ctrl-C stops the answer, and nothing else. A checkpoint without a chat template
      continues each line as text.

      These lines are commands: '/reset' begins a new conversation, '/system <text>'
      one with a system turn, '/thinking' shows what the last answer was thought out
      from, '/save <file>' writes the conversation as a sample that training reads,
      '/exit' ends.

      Lines may also come from a pipe; then only the answers are printed.

      Usage: distill chat <checkpoint> [--system <text>] [--hide-thinking]
                          [--temperature <number>] [--top-p <share>] [--top-k <count>]
                          [--min-p <share>] [--repetition-penalty <number>]
                          [--seed <number>] [--max-new-tokens <count>]
                          [--stop <text>] … [--stop-token <token>] …
                          [--force-prefix <text>] [--thinking-budget <count>]
                          [--weights <precision>] [--cache-memory <size>]

      Arguments:
        <checkpoint>  A model's folder.

      Options:
        --system <text>                What the system turn says.
        --hide-thinking                Say only how long the model thought.
        --temperature <number>         What logits are divided by; 0 takes the most
                                       probable token.
        --top-p <share>                Keep the most probable tokens that have this
                                       share.
        --top-k <count>                Keep this many of the most probable tokens.
        --min-p <share>                Drop tokens below this share of the most
                                       probable one's probability.
        --repetition-penalty <number>  Makes tokens that occurred less probable; 1
                                       does nothing.
        --seed <number>                What the random numbers begin with; 0 without
                                       it.
        --max-new-tokens <count>       The most tokens of a completion.
        --stop <text>                  A text before which a completion ends; may be
                                       given several times.
        --stop-token <token>           A token that ends a completion, beside those of
                                       the checkpoint.
        --force-prefix <text>          What every completion begins with, such as
                                       '<think>\n'; \n is a line break.
        --thinking-budget <count>      The most tokens within <think>, which is then
                                       closed.
        --weights <precision>          How the weights are kept: bfloat16, which is
                                       the default, int8 or float32.
        --cache-memory <size>          Memory for keys and values, such as 2GiB.

      Every command accepts:
        --threads <count>  Worker threads; without it what DISTILL_THREADS says, or
                           one for each core.

      Examples:
        distill chat Checkpoints/qwen2.5-0.5b
        distill chat Checkpoints/qwen2.5-0.5b --hide-thinking --temperature 0.6 --top-p 0.95
      """#)
  }
}
