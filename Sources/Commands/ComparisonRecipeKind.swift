import Comparison
import Interface

extension RecipeKind {
  /// Recipes for `distill compare`.
  static let compare = RecipeKind(
    "compare", as: ComparisonRecipe.self,
    summary: "A table of models: which is better, and by how much.",
    template: """
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
      """,
    check: { recipe in
      let findings = recipe.findings
      if !findings.isEmpty { throw CommandError(findings.joined(separator: "\n")) }
    })
}
