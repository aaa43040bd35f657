import Interface
import XCTest

@testable import Commands

/// The pages of the command that reinforces.
final class ReinforceHelpTests: XCTestCase {
  func testReinforce() {
    assertPrints(
      distill("help", "reinforce"),
      """
      Improves a model by reinforcement (GRPO).

      Samples several answers to each problem of a recipe, rewards them by rules,
      compares those to the same problem with one another, and raises the probability
      of the better ones (group relative policy optimization): from a base model, as
      DeepSeek-R1-Zero, or from a distilled student. The run's folder holds the
      recipe, the figures of every step, answers to read, checkpoints, and in the end
      the policy, as a folder that transformers loads.

      Stopped at any moment (Ctrl-C, SIGTERM, or a kill), the same command goes on
      from its last checkpoint, with the same results to the bit. After Ctrl-C or
      SIGTERM the program ends with status 75; a second signal ends it at once.

      Usage: distill reinforce <recipe> [--set <key=value>] … [--plan]
                               [--allow-inexact-resume] [--memory <size>]

      Arguments:
        <recipe>  A recipe of the kind 'reinforce'.

      Options:
        --set <key=value>       Use another value for one key of the recipe, such as
                                optimizer.learningRate=2e-4.
        --plan                  Say what the run needs, and end.
        --allow-inexact-resume  Go on though the recipe, the problems, the toolkit or
                                the processor is another.
        --memory <size>         Memory that may be used, such as 24GiB; without it,
                                nine tenths of what there is.

      Every command accepts:
        --threads <count>  Worker threads; without it what DISTILL_THREADS says, or
                           one for each core.

      Examples:
        distill reinforce my-policy.json5 --plan
        distill reinforce my-policy.json5
      """)
  }

  func testRecipe() {
    assertPrints(
      distill("recipe", "reinforce"),
      #"""
      // The reinforcement of a model by group relative policy optimization (GRPO).
      //   distill reinforce my-policy.json5 --plan
      //   distill reinforce my-policy.json5
      {
        // The model that is trained, a base model or a distilled student: a folder in the Hugging
        // Face layout.
        policy: "Checkpoints/qwen2.5-0.5b",

        // The folder of the run, which is made. What holds it must exist.
        run: "my-policy",

        // Problems with answers; see 'distill recipe generate' for their forms.
        problems: [{ path: "problems.jsonl" }],

        // How problems are worded, where the usual words are not meant: those of mathematics end with
        // "Please reason step by step, and put your final answer within \boxed{}."
        // prompt: { mathematics: "{question}" },

        // How that becomes what the model continues: "chat" for the checkpoint's template,
        // "r1-zero" for that of DeepSeek-R1-Zero, or a text of your own that holds {prompt}.
        template: "chat",

        // What every answer begins with; it is given, not learned. The format reward knows of it.
        // prefill: "<think>\n",

        sampling: {
          questionsPerStep: 32,
          // The size of a group: the answers that are compared with one another.
          answersPerQuestion: 16,
          // Of sampling and of all log-probabilities. There is no top-p: what is learned from must
          // come from what is learned.
          temperature: 1.0,
          maxTokens: 4096,
          // Answers sampled at a time: speed and memory depend on it, results don't.
          sequences: 64,
          seed: 42,
        },

        // Each samples, judges and learns.
        steps: 200,

        // The answers of a step are cut into 'minibatches', an update each, and gone through
        // 'passes' times. Answers are packed into rows of 'rowTokens'.
        updates: { minibatches: 1, passes: 1, rowTokens: 4096 },

        // What an answer is worth: the sum of weight times value.
        rewards: {
          // 1 for a right answer, by the rules that also filter samples and score models.
          accuracy: { weight: 1 },
          // 1 for one <think>...</think> and an answer behind it. 'answerTags: true' asks for
          // <answer>...</answer> too, as DeepSeek-R1-Zero's template does.
          format: { weight: 0.5 },
          // The share of the thinking's words in a language.
          // language: { weight: 0.1, language: "english" },
          // 0, falling to -1 over the last 'buffer' tokens before 'most'.
          // length: { weight: 0.2, most: 4096, buffer: 512 },
          // The share of runs of words that were there before, negated.
          // repetition: { weight: 0.2, words: 20 },
          // A program of yours: JSON lines in, JSON lines with 'id' and 'reward' out.
          // program: { weight: 1, command: ["./my-reward"], timeoutSeconds: 60 },
          // A judge model, for what no rule can judge: 'helpfulness' sees the final answer only,
          // 'harmlessness' the thinking too.
          // helpfulness: { weight: 0.5, teacher: { remote: { url: "http://localhost:8000/v1", model: "judge" } } },
        },

        objective: {
          // "answer" is the paper's mean over an answer's tokens and then over answers; "token"
          // (DAPO) over all tokens; "constant" (Dr. GRPO) over answers times 'maxTokens'.
          normalization: "answer",
          // The ratio's bounds: 1 - clipLow and 1 + clipHigh.
          clipLow: 0.2,
          clipHigh: 0.2,
          // The weight of the divergence from the reference; with 0 none is in memory.
          klCoefficient: 0.001,
          // Whether nothing is learned from answers that were cut.
          leavesOutCutAnswers: false,
        },

        // After how many steps the policy becomes the reference; without it, never.
        // referenceEverySteps: 400,

        // Questions whose answers all have one reward teach nothing: others can be asked in their
        // place, up to 'resamplings' times a step, and problems can be passed over whose last share
        // of right answers was outside 'passRate'.
        // filters: { resamplings: 2, passRate: { min: 0.05, max: 0.95 } },

        // Held-out problems, and how often they are asked.
        // evaluation: { problems: [{ path: "held-out.jsonl" }], everySteps: 20, samplesPerProblem: 4, temperature: 0.6 },

        // For a policy that is too large: weights in "bfloat16", rounded at random so that small
        // updates are not lost; moments in "8bit", or on the "disk", which is the same to the bit.
        // weights: "bfloat16", moments: "8bit",

        optimizer: {
          learningRate: 2e-6,
          schedule: "constant",
          warmupShare: 0.0,
          floor: 1.0,
          betas: [0.9, 0.95],
          epsilon: 1e-8,
          weightDecay: 0.0,
          clipNorm: 1.0,
        },

        // When it is saved: a kill costs what came after. 'best' keeps the policy of the best
        // held-out accuracy too.
        checkpoints: { everySteps: 1, keep: 2, best: false },

        // The type of the finished weights.
        export: "bfloat16",

        // After how many steps all answers are kept, to be read.
        completionsEverySteps: 10,
      }
      """#)
  }
}
