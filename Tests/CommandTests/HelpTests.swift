import XCTest

/// Every page of help, whole, and every recipe that is printed.
final class HelpTests: XCTestCase {
  func testProgram() {
    assertPrints(
      distill(),
      """
      Distils the reasoning of large language models into small ones, on CPUs.

      Usage: distill <command> [<argument> …]

      Commands:
        inspect     Shows what a model is and what it needs.
        convert     Writes a model again in another type or other files.
        initialize  Makes a model with random weights.
        recipe      Prints a recipe to start from.
        kernels     Shows what this machine computes with, and how fast.
        bench       Times products, attention and training on this machine.

      Every command accepts:
        --threads <count>  Worker threads; without it what DISTILL_THREADS says, or
                           one for each core.
        --help             Print the command's page.

      Exit status:
        0   Done.
        1   The run failed; the last lines say why.
        64  The command line was not understood.

      See 'distill help <command>' for one of them; 'distill --version' prints the
      version.
      """)
  }

  func testInspect() {
    assertPrints(
      distill("help", "inspect"),
      """
      Shows what a model is and what it needs.

      Reads a model's folder as transformers saves it, checks that names, shapes and
      types of all tensors fit its config.json, and shows its shape, its size and the
      memory it takes. Values of the weights are not looked at.

      A config.json alone, and the names of some published models, are shown without
      weights. Memory is that of the weights, and in training of gradients and AdamW's
      moments; keys and values, or activations, come on top.

      Usage: distill inspect [<model>] [--models] [--json]

      Arguments:
        <model>  A model's folder, a config.json, or the name of a known model.

      Options:
        --models  List the known models instead.
        --json    Print JSON, with sizes in bytes.

      Every command accepts:
        --threads <count>  Worker threads; without it what DISTILL_THREADS says, or
                           one for each core.

      Examples:
        distill inspect Checkpoints/qwen2.5-math-1.5b
        distill inspect Qwen/Qwen2.5-Math-7B --json
        distill inspect --models
      """)
  }

  func testConvert() {
    assertPrints(
      distill("help", "convert"),
      """
      Writes a model again in another type or other files.

      Writes a copy of a model's folder that transformers loads, with its tokenizer
      and licence. The copy appears whole or not at all. The model is read tensor by
      tensor and need not fit into memory.

      '--rope-theta' and '--positions' change what config.json says and no weight:
      they are for models that are to be trained at greater lengths.

      Usage: distill convert <checkpoint> <output> [--dtype <type>]
                             [--shard-size <size>] [--rope-theta <number>]
                             [--positions <count>] [--untie] [--replace]

      Arguments:
        <checkpoint>  The folder of the model.
        <output>      The folder to write.

      Options:
        --dtype <type>         'float32' or 'bfloat16', rounded to nearest even;
                               without it, the model's own.
        --shard-size <size>    The most bytes of tensors in one file; without it 5GB.
        --rope-theta <number>  RoPE's base.
        --positions <count>    The longest text, in tokens.
        --untie                Give the head weights of its own, equal to the
                               embedding's.
        --replace              Exchange a model that is in the output folder for the
                               new one.

      Every command accepts:
        --threads <count>  Worker threads; without it what DISTILL_THREADS says, or
                           one for each core.

      Examples:
        distill convert Checkpoints/student Checkpoints/student-bf16 --dtype bfloat16
        distill convert Checkpoints/base long --rope-theta 1e6 --positions 131072
      """)
  }

  func testInitialize() {
    assertPrints(
      distill("help", "initialize"),
      """
      Makes a model with random weights.

      Draws the weights that a recipe asks for and writes them as a folder that
      transformers loads. It appears whole or not at all. The model is made tensor by
      tensor and need not fit into memory.

      Usage: distill initialize <recipe> [--set <key=value>] … [--replace]

      Arguments:
        <recipe>  A recipe file; 'distill recipe initialize' prints one to start from.

      Options:
        --set <key=value>  Use another value for one key of the recipe, such as
                           optimizer.learningRate=2e-4.
        --replace          Exchange a model that is in the output folder for the new
                           one.

      Every command accepts:
        --threads <count>  Worker threads; without it what DISTILL_THREADS says, or
                           one for each core.

      Examples:
        distill initialize my-initialize.json5
        distill initialize my-initialize.json5 --set seed=7 --set output=random-7
      """)
  }

  func testRecipe() {
    assertPrints(
      distill("help", "recipe"),
      """
      Prints a recipe to start from.

      A recipe is a file in JSON5 that states everything about a run. The one that is
      printed holds the recommended values, with a reason beside each.

      Usage: distill recipe [<kind>]

      Arguments:
        <kind>  The kind of recipe; without it, a list of them.

      Every command accepts:
        --threads <count>  Worker threads; without it what DISTILL_THREADS says, or
                           one for each core.

      Examples:
        distill recipe
        distill recipe initialize > my-initialize.json5
      """)
  }

  func testKernels() {
    assertPrints(
      distill("help", "kernels"),
      """
      Shows what this machine computes with, and how fast.

      Shows the processor, the instruction set and the OpenBLAS that are in use, and
      measures in about a second how many operations a core and all threads do at best
      and how fast they read memory. Training comes to a fraction of these. Run it
      while nothing else runs.

      DISTILL_ISA chooses another instruction set, by a name that is printed in
      brackets.

      Usage: distill kernels [--json]

      Options:
        --json  Print JSON, with rates per second.

      Every command accepts:
        --threads <count>  Worker threads; without it what DISTILL_THREADS says, or
                           one for each core.

      Examples:
        distill kernels
        distill kernels --threads 4 --json
      """)
  }

  func testBench() {
    assertPrints(
      distill("help", "bench"),
      """
      Times products, attention and training on this machine.

      Measures the machine's ceilings, and then matrix products at the shapes of the
      paper's students, causal attention over 1,024, 8,192 and 32,768 tokens, and full
      training steps (forward, backward, clipping, AdamW) of a random Qwen2.5-0.5B on
      rows of 1,024 and 4,096 tokens, in float32 and bfloat16. Names of parts choose
      among them: products, attention, training. Every figure comes with its fraction
      of the ceiling of its precision.

      The whole takes some minutes and up to 15 GB of memory. Run it while nothing
      else runs.

      Usage: distill bench [<part>] [--tokens <count>] [--precision <precision>]
                           [--recompute] [--json]

      Arguments:
        <part>  Only this part: products, attention or training.

      Options:
        --tokens <count>         Rows of this length only, in attention and training.
        --precision <precision>  Only this precision: float32 or bfloat16.
        --recompute              Run blocks again in the backward pass instead of
                                 keeping them.
        --json                   Print a JSON array of timings.

      Every command accepts:
        --threads <count>  Worker threads; without it what DISTILL_THREADS says, or
                           one for each core.

      Examples:
        distill bench
        distill bench training --tokens 1024 --precision bfloat16
        distill bench attention --json
      """)
  }

  func testKindsOfRecipes() {
    assertPrints(
      distill("recipe"),
      """
        initialize  A model with random weights.
      """)
  }

  func testInitializeTemplate() {
    assertPrints(
      distill("recipe", "initialize"),
      """
      // A model with random weights, to be trained from scratch or to try things out.
      //   distill initialize my-initialize.json5
      {
        // The shape: the name of a known model ('distill inspect --models' lists them), or the
        // path of a config.json or of the folder that it is in.
        configuration: "Qwen2.5-0.5B",

        // Matrices are drawn from a normal distribution with the configuration's
        // 'initializer_range' as its standard deviation; gains are 1, biases 0. The same seed
        // gives the same weights, on any number of threads.
        seed: 42,

        // "float32" keeps what was drawn; "bfloat16" rounds it and takes half the space.
        dtype: "float32",

        // A new folder. What holds it must exist.
        output: "random-qwen2.5-0.5b",

        // The most bytes of tensors in one file; 5GB is what transformers uses.
        shardSize: "5GB",

        // A folder whose tokenizer is copied into the new one; without the key, none is.
        // tokenizer: "Checkpoints/qwen2.5-0.5b",
      }
      """)
  }
}
