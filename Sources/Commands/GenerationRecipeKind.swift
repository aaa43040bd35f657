import Interface
import TeacherGeneration

extension RecipeKind {
  /// Recipes for `distill generate`.
  static let generate = RecipeKind(
    "generate", as: TeacherGenerationRecipe.self,
    summary: "The sampling of a teacher's answers to problems.",
    template: """
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
        //   mathematics: "{question}\\n\\nPlease reason step by step, and put your final answer \
      within \\\\boxed{}.",
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
      """,
    check: { recipe in
      let findings = recipe.findings + recipe.teacherFindings
      if !findings.isEmpty { throw CommandError(findings.joined(separator: "\n")) }
    })
}
