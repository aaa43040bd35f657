import Interface
import XCTest

@testable import Commands

/// The pages of the commands that measure, compare, and run whole folders.
final class EvaluationHelpTests: XCTestCase {
  func testEvaluate() {
    assertPrints(
      distill("help", "evaluate"),
      """
      Measures models on benchmarks: pass@1, cons@k, intervals.

      Asks each model of a recipe the problems of its benchmarks, k times each, and
      judges the answers by the rules that also filter and reward: pass@1 is the mean
      over the samples that are there, cons@k a vote over equal answers, and intervals
      come from a bootstrap over problems. The presets 'paper' and 'open-r1' hold
      those protocols' settings.

      Nothing is sampled or judged twice: stopped at any moment, the same command goes
      on. After Ctrl-C or SIGTERM the program ends with status 75. What models wrote,
      what was taken from it, and why it was judged so is read with 'distill
      responses'; 'distill compare' sets models side by side, and 'distill diff'
      explains a changed score.

      Usage: distill evaluate <recipe> [--set <key=value>] … [--retry-failed] [--json]

      Arguments:
        <recipe>  A recipe of the kind 'evaluate'.

      Options:
        --set <key=value>  Use another value for one key of the recipe, such as
                           optimizer.learningRate=2e-4.
        --retry-failed     Ask questions again that failed for good.
        --json             Print the figures as JSON.

      Every command accepts:
        --threads <count>  Worker threads; without it what DISTILL_THREADS says, or
                           one for each core.

      Examples:
        distill evaluate my-evaluate.json5
        distill evaluate my-evaluate.json5 --set sampling.samplesPerProblem=4 --json
      """)
  }

  func testResponses() {
    assertPrints(
      distill("help", "responses"),
      """
      Shows what a model answered, and why it was judged so.

      Reads the folder of a benchmark within an evaluation, and prints responses: the
      question, the whole text, what was taken from it as the answer, the verdict and
      its reason. Without options the first sample of each of the first problems is
      shown.

      Usage: distill responses <folder> [--problem <id>] [--outcome <name>]
                               [--sample <number>] [--most <count>] [--json]

      Arguments:
        <folder>  The folder of a benchmark in a model's evaluation.

      Options:
        --problem <id>     Only this problem's, all its samples.
        --outcome <name>   Only those that are right, wrong, cut, noAnswer,
                           unreadable, timeout or infrastructure.
        --sample <number>  Only the sample with this number, from 0.
        --most <count>     How many are shown; without it 5, or all of a problem.
        --json             Print them as JSON.

      Every command accepts:
        --threads <count>  Worker threads; without it what DISTILL_THREADS says, or
                           one for each core.

      Examples:
        distill responses my-evaluation/student/aime-2024 --outcome wrong --most 3
        distill responses my-evaluation/student/aime-2024 --problem aime24.jsonl#7 --json
      """)
  }

  func testCompare() {
    assertPrints(
      distill("help", "compare"),
      """
      Puts models into one table: Table 6.

      Reads what 'distill evaluate' left of models, and sets them beside each other
      and beside published figures: scores with their intervals, mean tokens of an
      answer, and what it took to make each model. Beneath the table stands what can't
      be compared and why, which differences are real, by a paired bootstrap over
      problems, and the smallest difference that the problems could show.

      The table is printed, and written into the recipe's output: table.txt, table.md,
      table.csv, table.json, and report.html with plots, which needs nothing else and
      opens from disk.

      Usage: distill compare <recipe> [--set <key=value>] … [--json]

      Arguments:
        <recipe>  A recipe of the kind 'compare'.

      Options:
        --set <key=value>  Use another value for one key of the recipe, such as
                           optimizer.learningRate=2e-4.
        --json             Print the table as JSON.

      Every command accepts:
        --threads <count>  Worker threads; without it what DISTILL_THREADS says, or
                           one for each core.

      Example:
        distill compare my-table.json5
      """)
  }

  func testDiff() {
    assertPrints(
      distill("help", "diff"),
      """
      Explains why two evaluations differ.

      Sets two evaluations beside each other that 'distill evaluate' left: both scores
      and the interval of their difference, every setting that is another (model,
      sampling, prompt, problems, judge, preset, version), and the problems that
      flipped from right to wrong or back, with the answers that most samples have and
      the reference.

      Usage: distill diff <first> <second> [--problems <count>] [--json]

      Arguments:
        <first>   A model's folder of an evaluation.
        <second>  Another one.

      Options:
        --problems <count>  Flipped problems that are listed in each direction;
                            without it, 10.
        --json              Print it as JSON, with all flipped problems.

      Every command accepts:
        --threads <count>  Worker threads; without it what DISTILL_THREADS says, or
                           one for each core.

      Examples:
        distill diff my-evaluation/base my-evaluation/student
        distill diff last-week/student my-evaluation/student --problems 50
      """)
  }

  func testRun() {
    assertPrints(
      distill("help", "run"),
      """
      Runs the numbered recipes of a folder in order.

      Runs '1-….json5', '2-….json5' and so on, each by the command of its kind, after
      all of them were checked. A stage runs only if its recipe, the program, or the
      content of a file that it reads changed since it was made; what it made before
      is then moved aside to '….earlier-1'. Without a folder it is the tiny
      experiment: that of the package where the current folder has it, else a copy in
      './distill-tiny'.

      Stopped at any moment (Ctrl-C, SIGTERM, or a kill), the same command goes on;
      after Ctrl-C or SIGTERM the program ends with status 75. Paths in recipes start
      from the current folder. Beside what the first stage makes, the folder
      '<name>-run' keeps the record of the run, and in the end 'report.html' with
      times, memory and the pages of the stages.

      Usage: distill run [<folder>] [--from <stage>] [--only <stage>]
                         [--again <stage>] … [--list] [--json]

      Arguments:
        <folder>  A folder of numbered recipes; without it, the tiny experiment.

      Options:
        --from <stage>   Begin with this stage, by number or name; those before are as
                         they are.
        --only <stage>   Look at this stage only.
        --again <stage>  Run this stage although nothing changed; may be repeated.
        --list           Say what would run, and why; run nothing.
        --json           Print what was done as JSON.

      Every command accepts:
        --threads <count>  Worker threads; without it what DISTILL_THREADS says, or
                           one for each core.

      Examples:
        distill run
        distill run Recipes/tiny --list
        distill run Recipes/tiny --from 3
      """)
  }

  func testRecipeEvaluate() {
    assertPrints(
      distill("recipe", "evaluate"),
      """
      // The measuring of models on benchmarks, as DeepSeek-R1's paper does it.
      //   distill evaluate my-evaluate.json5
      {
        // Each gets a folder of its own in the output.
        models: [
          // A checkpoint on this machine. 'forcedPrefix' is for those whose chat template does not open
          // the thinking itself.
          { name: "student", local: { checkpoint: "my-student", weights: "int8", sequences: 32 } },
          // A server with OpenAI's chat completions.
          // { name: "teacher", remote: { url: "http://localhost:8000/v1", model: "deepseek-ai/DeepSeek-R1", key: { environment: "TEACHER_API_KEY" } } },
        ],

        // A published protocol, for what isn't told here: 'paper' is DeepSeek-R1's, 'open-r1' open-r1's.
        // Both draw at temperature 0.6 and top-p 0.95 up to 32,768 tokens; k and wording differ.
        preset: "paper",

        // 'benchmark' names one that the field knows: aime2024, aime2025, amc2023, math500, gsm8k,
        // gpqaDiamond, liveCodeBench, humanEval, mbpp, codeforces. Any other file of problems with
        // answers will do; it then needs a 'name' and 'samplesPerProblem'. The files are yours: JSONL, one
        // JSON array, or CSV.
        benchmarks: [
          { benchmark: "aime2024", problems: [{ path: "aime24.jsonl" }] },
          { benchmark: "math500", problems: [{ path: "math500.jsonl" }] },
          { benchmark: "gpqaDiamond", problems: [{ path: "gpqa_diamond.csv" }] },
          // The paper's window; 'limit: 20' would take the first problems only.
          // { benchmark: "liveCodeBench", problems: [{ path: "test5.jsonl", released: { from: "2024-08-01", until: "2025-01-31" } }] },
          // { name: "mine", problems: [{ path: "mine.jsonl", fields: { question: "text", answer: "result" } }],
          //   sampling: { samplesPerProblem: 4 } },
        ],

        // For all benchmarks that don't say it themselves; each may have a 'sampling' of its own.
        // sampling: { samplesPerProblem: 16, temperature: 0.6, topP: 0.95, maxTokens: 32768, seed: 42 },

        // Where answers to mathematics are looked for: 'all' is in boxes, behind "the answer is" and the
        // like, and in the last formula or number; 'boxes' in boxes only. Benchmarks may have their own.
        extraction: "all",

        // 'refuse' gives no figure where samples are missing; 'mark' gives that of those that are there.
        missingSamples: "refuse",

        // Bootstrap over problems.
        intervals: { confidence: 0.95, resamples: 10000 },

        // The folder of the evaluation, which is made. What holds it must exist.
        output: "my-evaluation",
      }
      """)
  }

  func testRecipeCompare() {
    assertPrints(
      distill("recipe", "compare"),
      """
      // A table of models, as DeepSeek-R1's Table 6: distillation against reinforcement.
      //   distill compare my-table.json5
      {
        title: "Distillation against reinforcement",

        // From above to below. 'evaluation' is a model's folder that 'distill evaluate' left.
        rows: [
          { name: "base", evaluation: "my-evaluation/base" },
          // 'made' names the runs that made the model, for what that took: tokens, FLOPs, hours.
          { name: "RL from base", evaluation: "my-evaluation/reinforced", made: ["my-reinforced"] },
          { name: "distilled", evaluation: "my-evaluation/student",
            // A teacher on a server doesn't tell its size; of DeepSeek-R1 a token uses 37 billion.
            made: [{ run: "my-samples", parameters: 37e9 }, "my-student"] },
          // Tables 5 and 6 of the paper are built in, and marked as published.
          { published: "DeepSeek-R1-Zero-Qwen-32B" },
          { published: "DeepSeek-R1-Distill-Qwen-32B" },
          // Figures from elsewhere, marked too.
          // { name: "other", source: "their model card", figures: { "AIME 2024": { "pass@1": 47.0 } } },
        ],

        // Without it: of each benchmark that was measured pass@1 and the vote over all samples.
        // 'pass@k', 'cons@k', 'avg@k', 'mG-Pass@k', 'rating'.
        // columns: [{ benchmark: "AIME 2024", score: "pass@1" }, { benchmark: "AIME 2024", score: "cons@64" }],

        // Without it: all pairs of measured rows.
        // compare: [["distilled", "RL from base"]],

        // Runs of reinforcement to draw by their steps; without it, those of 'made'.
        // curves: [{ name: "RL from base", run: "my-reinforced" }],

        // Of intervals, and what is called better; bootstrap over problems.
        confidence: 0.95,
        resamples: 10000,

        // The folder of the table, which is made. What holds it must exist.
        output: "my-table",
      }
      """)
  }
}
