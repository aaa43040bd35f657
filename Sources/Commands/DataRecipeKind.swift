import Datasets
import Interface

extension RecipeKind {
  /// Recipes for `distill check`, `prepare` and `show`.
  static let data = RecipeKind(
    "data", as: DataRecipe.self, summary: "Samples, and how they become rows to train on.",
    template: """
      // Samples, and how they become rows to train on.
      //   distill check my-data.json5
      {
        // The student's folder: its tokenizer and its chat template are used.
        checkpoint: "Checkpoints/qwen2.5-0.5b",

        // Files in JSONL, or of one JSON array. The form of their samples is told by their keys:
        // 'messages', ShareGPT's 'conversations', 'prompt' and 'completion', Alpaca's
        // 'instruction' and 'output', or 'text'. Other keys are named by 'fields'.
        sources: [
          { path: "traces.jsonl" },
          // { path: "gsm8k.jsonl", fields: { user: "question", assistant: "answer" } },
          // { path: "chat.jsonl", form: "messages", system: "You are a helpful assistant." },
        ],

        // The room of a row in tokens. R1's traces run to 32,768.
        contextLength: 32768,

        // Which tokens are learned: "assistant" is what the assistant says in every turn, with the
        // token that ends it; "last" in the last turn only; "everything" is all of the text.
        supervision: "assistant",

        // Documents longer than a row: "drop" leaves them out, "keepIfComplete" keeps leading
        // turns if they are whole, "refuse" ends with an error. Nothing is cut otherwise.
        longerDocuments: "drop",

        // "bestFit" packs documents into rows, in which they do not see each other; "none" gives
        // each a row of its own.
        packing: "bestFit",

        // Whether special tokens that are written out in samples, such as <|im_end|>, become those
        // tokens. With false they are text, and nobody's sample can end a turn.
        specialTokensInText: false,

        // The order of the samples in every epoch.
        seed: 42,

        // The folder where the prepared rows are kept. What holds it must exist.
        cache: "prepared-traces",

        // Checks that are left out: "learnsSomething", "beginsOnce", "learnsToStop", "samePrompt"
        // or "learnsReasoning". Without them the model learns what nobody wants it to.
        // skippedChecks: ["samePrompt"],

        // A template in place of the checkpoint's, or the name of one of several.
        // chatTemplate: "r1.jinja",
        // What the template is given besides.
        // templateVariables: { enable_thinking: true },
        // The day that templates which write today's date are told.
        // date: "2024-07-26",
        // Tokens that end a turn, if the checkpoint names others than its template writes.
        // endTokens: ["<|im_end|>"],
      }
      """)
}
