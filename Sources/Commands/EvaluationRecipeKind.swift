import Evaluation
import Interface

extension RecipeKind {
  /// Recipes for `distill evaluate`.
  static let evaluate = RecipeKind(
    "evaluate", as: EvaluationRecipe.self,
    summary: "The measuring of models on benchmarks.",
    template: """
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
      """,
    check: { recipe in
      let findings = recipe.findings
      if !findings.isEmpty { throw CommandError(findings.joined(separator: "\n")) }
    })
}
