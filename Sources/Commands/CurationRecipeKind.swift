import Curation
import Interface

extension RecipeKind {
  /// Recipes for `distill curate`.
  static let curate = RecipeKind(
    "curate", as: CurationRecipe.self, summary: "The training set made of a teacher's answers.",
    template: """
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
      """,
    check: { recipe in
      let findings = recipe.findings + recipe.judgeFindings
      if !findings.isEmpty { throw CommandError(findings.joined(separator: "\n")) }
    })
}
