import Interface
import XCTest

@testable import Commands

/// The pages of the commands that train.
final class TrainingHelpTests: XCTestCase {
  func testPlan() {
    assertPrints(
      distill("help", "plan"),
      """
      Says what a fine-tuning run will need.

      Tells parameters, memory by part, tokens, steps, disk, operations and the
      expected time of a recipe, and what to change if it does not fit. With 'memory:
      "automatic"' in the recipe it also tells the forms that the choice is between,
      with what each costs in memory, time and exactness. With '--memory' and
      '--cores' it plans for another machine, at this one's speed per core.

      Neither the weights nor the samples need to be there: a student that is no
      folder is known by its name, and samples that are missing by the recipe's
      'expected'.

      Usage: distill plan <recipe> [--set <key=value>] … [--memory <size>]
                          [--cores <count>] [--json]

      Arguments:
        <recipe>  A recipe of the kind 'fine-tune'.

      Options:
        --set <key=value>  Use another value for one key of the recipe, such as
                           optimizer.learningRate=2e-4.
        --memory <size>    Memory of the machine, such as 512GiB; without it, nine
                           tenths of this one's.
        --cores <count>    Cores of the machine; without it, this one's threads.
        --json             Print the plan as JSON.

      Every command accepts:
        --threads <count>  Worker threads; without it what DISTILL_THREADS says, or
                           one for each core.

      Examples:
        distill plan my-student.json5
        distill plan my-student.json5 --memory 512GiB --cores 128
      """)
  }

  func testFineTune() {
    assertPrints(
      distill("help", "fine-tune"),
      """
      Fine-tunes a student on samples.

      Renders and checks the samples of a recipe, plans the memory, trains all
      parameters of the student, or adapters beside them, and writes it as a folder
      that transformers or PEFT loads. The run's folder holds the whole recipe, what
      it ran on, the figures of every step, and checkpoints.

      Stopped at any moment (Ctrl-C, SIGTERM, or a kill), the same command goes on
      where it stopped, with the same results to the bit. After Ctrl-C or SIGTERM it
      is saved first, and the program ends with status 75; a second signal ends it at
      once.

      Usage: distill fine-tune <recipe> [--set <key=value>] … [--overfit-one-batch]
                               [--allow-inexact-resume] [--memory <size>]

      Arguments:
        <recipe>  A recipe of the kind 'fine-tune'.

      Options:
        --set <key=value>       Use another value for one key of the recipe, such as
                                optimizer.learningRate=2e-4.
        --overfit-one-batch     Learn from the first step's rows only, again and
                                again: the loss must fall to near 0.
        --allow-inexact-resume  Go on though the recipe, the data, the toolkit or the
                                processor is another.
        --memory <size>         Memory that may be used, such as 24GiB; without it,
                                nine tenths of what there is.

      Every command accepts:
        --threads <count>  Worker threads; without it what DISTILL_THREADS says, or
                           one for each core.

      Examples:
        distill fine-tune my-student.json5
        distill fine-tune my-student.json5 --overfit-one-batch --set run=try
      """)
  }

  func testReport() {
    assertPrints(
      distill("help", "report"),
      """
      Writes one page about a run, with its curves.

      Reads the folder of a run of 'fine-tune' or 'reinforce', which may still go on,
      and writes one HTML page. Of fine-tuning: loss by step and by source, learning
      rate, gradient norm, throughput, lengths, and what the student wrote. Of
      reinforcement: rewards, accuracy, lengths, entropy, divergence, where the time
      goes, findings, and answers to read. The page needs nothing else, and opens from
      disk.

      Usage: distill report <run> [--output <file>]

      Arguments:
        <run>  The folder of a run.

      Options:
        --output <file>  Where to write it; without it, report.html in the run's
                         folder.

      Every command accepts:
        --threads <count>  Worker threads; without it what DISTILL_THREADS says, or
                           one for each core.

      Examples:
        distill report my-student
        distill report my-student --output my-student.html
      """)
  }

  func testDiagnose() {
    assertPrints(
      distill("help", "diagnose"),
      """
      Checks a model's gradients, packing and cache.

      Takes a checkpoint's own weights and checks that gradients are what the loss
      says (by small steps along each, in float32), that documents packed into one row
      give what each gives alone, and that generation with a cache gives what the
      whole text gives, to the bit in bfloat16. Nothing is written. The model is held
      in float32 with its gradients.

      Usage: distill diagnose <checkpoint> [--json]

      Arguments:
        <checkpoint>  A model's folder.

      Options:
        --json  Print the findings as JSON.

      Every command accepts:
        --threads <count>  Worker threads; without it what DISTILL_THREADS says, or
                           one for each core.

      Example:
        distill diagnose Checkpoints/qwen2.5-0.5b
      """)
  }

  func testRecipe() {
    assertPrints(
      distill("recipe", "fine-tune"),
      """
      // The fine-tuning of a student on samples, as DeepSeek-R1's students were made.
      //   distill plan my-student.json5
      //   distill fine-tune my-student.json5
      {
        // The model that is trained: a folder in the Hugging Face layout.
        student: "Checkpoints/qwen2.5-0.5b",

        // The folder of the run, which is made. What holds it must exist.
        run: "my-student",

        // What is changed in the student's config.json before training. The Qwen2.5-Math models
        // stop at 4,096 positions; the paper trains at 32,768.
        // configuration: { ropeTheta: 300000, maxPositionEmbeddings: 32768 },

        // The samples; see 'distill recipe data' for all of this. The tokenizer and the template
        // are the student's unless 'checkpoint' names another folder.
        data: {
          sources: [{ path: "traces.jsonl" }],
          contextLength: 32768,
          supervision: "assistant",
          longerDocuments: "drop",
          packing: "bestFit",
          specialTokensInText: false,
          seed: 42,
          cache: "prepared-traces",
        },

        // Documents that are held out, and after how many steps their loss is taken.
        evaluation: { share: 0.01, everySteps: 100 },

        // The paper's students saw everything twice.
        epochs: 2,

        // The batch: rows of a step. The loss is divided once by the learned tokens of the step.
        rowsPerStep: 64,

        // Rows that are computed at once: memory depends on it, and else only rounding (and which
        // inputs 'lora.dropout' leaves out).
        microbatchRows: 1,

        // Products in "bfloat16", sums and everything else in float32; or all in "float32".
        precision: "bfloat16",

        // Adapters that are trained instead of all parameters (LoRA), in PEFT's terms; the run's
        // 'student' is then an adapter, which PEFT loads and 'distill merge' merges. Weights stay as
        // they are stored: those in bfloat16 are mapped. Also 'targetModules' (all seven of a layer
        // without it), 'rankStabilized', 'adapter' (a folder to begin from), and 'base: "disk"' for a
        // model that is larger than the memory.
        // lora: { rank: 16, alpha: 32, dropout: 0.05 },

        // What a student that is too large can do with less of. With 'memory: "automatic"', the
        // plan chooses what is not given here: the fastest form that fits.
        //   weights    "float32", or "bfloat16", which are rounded at random so that small updates
        //              are not lost
        //   moments    "float32"; "8bit", a quarter; or "disk", the same to the bit
        //   gradients  "kept"; or, where all rows of a step are computed at once, released on the
        //              way back: "releasedPerLayer", clipped by the norm of their layer, or
        //              "releasedTwoPass", the same as "kept" to the bit in twice the time
        // memory: "automatic",
        // weights: "bfloat16", moments: "8bit", gradients: "kept",

        // Blocks that are computed again in the backward pass instead of kept. Without it, as few
        // as memory asks for.
        // recomputedBlocks: 24,

        optimizer: {
          // The paper's: 1e-4 for 1.5B, 8e-5 for 7B, 7e-5 for 14B, 6e-5 for 32B, 5e-5 for 8B,
          // 2e-5 for 70B.
          learningRate: 1e-4,
          // "cosine", "linear" or "constant", down to 'floor' times the highest rate.
          schedule: "cosine",
          warmupShare: 0.03,
          floor: 0.1,
          betas: [0.9, 0.95],
          epsilon: 1e-8,
          // Of matrices only; gains and biases don't decay.
          weightDecay: 0.0,
          clipNorm: 1.0,
        },

        // Updates whose loss or gradient is far above the last ones' are skipped: 'threshold'
        // standard deviations above the median of the last 'window' steps. After 'mostSkips' in a
        // row the run stops.
        // spikes: { window: 128, threshold: 8, mostSkips: 5 },

        // When it is saved ('everySteps', 'everyMinutes', or both), how many checkpoints stay, and
        // whether the student of the lowest evaluation loss is kept too.
        checkpoints: { everyMinutes: 30, keep: 2, best: false },

        // The type of the finished weights.
        export: "bfloat16",

        // Prompts that the student answers while it learns, to be looked at.
        // generations: { prompts: ["What is 17 * 23?"], everySteps: 100, maxNewTokens: 512 },

        // For a plan without samples.
        // expected: { documents: 800000, tokensPerDocument: 5355 },
      }
      """)
  }
}
