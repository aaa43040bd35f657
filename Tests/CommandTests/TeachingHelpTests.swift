import Interface
import XCTest

@testable import Commands

/// The pages of the commands that sample and curate.
final class TeachingHelpTests: XCTestCase {
  func testGenerate() {
    assertPrints(
      distill("help", "generate"),
      """
      Samples a teacher's answers to problems.

      Asks a teacher the problems of a recipe and keeps every answer in the run's
      folder: a server with OpenAI's interface (vLLM, SGLang, llama.cpp, commercial
      ones), a checkpoint on this machine, or a file of earlier answers. 'distill
      curate' makes a training set of them.

      Nothing that was sampled is lost or paid for twice: stopped at any moment
      (Ctrl-C, SIGTERM, a kill, a full disk), the same command goes on. After Ctrl-C
      or SIGTERM the program ends with status 75. Questions that failed for good are
      asked again with '--retry-failed'. With '--shard' several machines share the
      problems; each has a folder of its own in the output, and 'distill curate' reads
      them all.

      Usage: distill generate <recipe> [--set <key=value>] … [--shard <i/n>]
                              [--retry-failed] [--json]

      Arguments:
        <recipe>  A recipe of the kind 'generate'.

      Options:
        --set <key=value>  Use another value for one key of the recipe, such as
                           optimizer.learningRate=2e-4.
        --shard <i/n>      The part of the problems that is asked here, such as 0/4 to
                           3/4.
        --retry-failed     Ask questions again that failed for good.
        --json             Print the counts as JSON.

      Every command accepts:
        --threads <count>  Worker threads; without it what DISTILL_THREADS says, or
                           one for each core.

      Examples:
        distill generate my-generate.json5
        distill generate my-generate.json5 --shard 0/4
      """)
  }

  func testCurate() {
    assertPrints(
      distill("help", "curate"),
      """
      Makes a training set from a teacher's answers.

      Judges the samples of 'distill generate', drops what is wrong, cut, unreadable,
      too like another or too like an evaluation question, chooses among the answers
      to a problem, mixes in other data, and writes 'samples.jsonl' for 'distill
      fine-tune', with a manifest and a report as text, JSON and HTML: how many
      samples each rule took, and examples.

      The samples stay as they are, and can be curated again by other rules. The same
      command writes the same bytes; stopped at any moment, it goes on with the
      verdicts it has. With '--shard' several machines share the work; duplicates that
      differ in a word are then not found across them.

      Usage: distill curate <recipe> [--set <key=value>] … [--shard <i/n>] [--json]

      Arguments:
        <recipe>  A recipe of the kind 'curate'.

      Options:
        --set <key=value>  Use another value for one key of the recipe, such as
                           optimizer.learningRate=2e-4.
        --shard <i/n>      The part of the problems that is curated here, such as 0/4
                           to 3/4.
        --json             Print the report as JSON.

      Every command accepts:
        --threads <count>  Worker threads; without it what DISTILL_THREADS says, or
                           one for each core.

      Examples:
        distill curate my-curate.json5
        distill curate my-curate.json5 --set perProblem.most=2 --set output=other
      """)
  }

  func testRecipeGenerate() {
    assertPrints(
      distill("recipe", "generate"),
      #"""
      // The sampling of a teacher's answers, the first stage of DeepSeek-R1's distillation.
      //   distill generate my-generate.json5
      {
        // Who answers; one of these.
        teacher: {
          // A server with OpenAI's chat completions: vLLM, SGLang, llama.cpp, commercial ones.
          remote: {
            url: "http://localhost:8000/v1",
            model: "deepseek-ai/DeepSeek-R1",
            // Where the key is; it belongs in no recipe. Or { file: "path" }.
            // key: { environment: "TEACHER_API_KEY" },
            // Requests under way at once, and limits of the server.
            requestsInFlight: 64,
            // requestsPerMinute: 600, tokensPerMinute: 1000000,
            // R1 thinks for long: seconds of silence, and of a whole answer.
            idleSeconds: 120, totalSeconds: 3600,
          },
          // A checkpoint on this machine.
          // local: { checkpoint: "Checkpoints/my-teacher", weights: "int8", sequences: 32 },
          // Answers that were given before: a run's folder, or a file of questions and answers.
          // recorded: { path: "answers.jsonl" },
        },

        // Problems: files in JSONL or of one JSON array. GSM8K, MATH, AIME, MBPP, HumanEval and others
        // are known by their keys; other keys are named by 'fields'.
        prompts: [
          { path: "problems.jsonl" },
          // { path: "mine.jsonl", fields: { question: "text", answer: "result" }, limit: 1000 },
        ],

        // How problems are worded; without it, in the usual words. R1's model card recommends no
        // system turn, and for mathematics the last sentence of this.
        // prompt: {
        //   mathematics: "{question}\n\nPlease reason step by step, and put your final answer within \\boxed{}.",
        // },

        sampling: {
          // Several for each problem, of which only correct ones are kept.
          samplesPerProblem: 4,
          // R1's model card: 0.5 to 0.7, against endless repetition.
          temperature: 0.6,
          topP: 0.95,
          // The reasoning included.
          maxTokens: 32768,
          seed: 42,
        },

        // More samples of problems that need them: 'round' at a time, until 'correct' of them are
        // right or 'maxSamples' are drawn. Problems outside of 'passRate' are given up.
        // adaptive: { correct: 2, maxSamples: 16, round: 4, passRate: { min: 0.1, max: 0.95, after: 8 } },

        // What a million tokens cost, and what may be spent in all.
        // prices: { prompt: 0.55, completion: 2.19, currency: "USD" },
        // budget: { cost: 500 },

        // The folder of the run, which is made. What holds it must exist.
        output: "my-samples",
      }
      """#)
  }

  func testRecipeCurate() {
    assertPrints(
      distill("recipe", "curate"),
      """
      // The training set made of a teacher's answers, as the paper's 800,000 samples were.
      //   distill curate my-curate.json5
      {
        // Folders of 'distill generate'; several are taken together.
        samples: [{ run: "my-samples" }],

        // Only answers that are right are learned from. What no rule can judge needs a 'judge'.
        keep: ["correct"],
        // Answers that were cut at the token limit end without an end.
        keepsCutAnswers: false,
        // One <think>…</think>, and an answer behind it.
        format: true,

        // Chains of thought that mix languages, have long paragraphs or code blocks, or go round in
        // circles are left out; 'drops' names what is looked for.
        readability: {},
        // The language of the thinking.
        // language: { name: "english", share: 0.9 },
        length: { maxTokens: 32768 },

        // The same answer twice, and questions that are nearly the same (Jaccard's likeness).
        duplicates: { exact: true, near: 0.8 },

        // How many answers to a problem are kept: "shortest", "random", "mostReadable" or "first".
        perProblem: { most: 2, choose: "random" },
        // Problems that the teacher nearly always or never solves.
        // passRate: { min: 0.1, max: 0.95, fewest: 4 },

        // Nothing of these may be learned; the paper leaves out what shares ten words in a row.
        // decontaminate: { sets: [{ path: "math500.jsonl" }, { path: "aime24.jsonl" }] },

        // A model that judges what no rule can, given the reference; 'agreement' answers that a rule
        // has judged are given to it too, to tell how far both agree.
        // judge: { teacher: { remote: { url: "http://localhost:8000/v1", model: "judge" } }, agreement: 100 },

        // Other samples, in any form that 'distill check' reads: the paper has 200,000 of writing,
        // facts and translation beside 600,000 of reasoning.
        // mixture: [{ path: "general.jsonl", share: 0.25, reasoning: "keep" }],
        // total: 800000,

        // What a million of the teacher's tokens cost, for the cost of a kept sample.
        // prices: { prompt: 0.55, completion: 2.19, currency: "USD" },

        seed: 42,
        // The folder of the training set. What holds it must exist.
        output: "my-training-set",
      }
      """)
  }
}
