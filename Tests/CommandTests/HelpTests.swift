import XCTest

/// Every page of help, whole, and every recipe that is printed.
final class HelpTests: XCTestCase {
  func testNoWord() {
    assertPrints(
      distill(),
      """
      Distils the reasoning of large language models into small ones, on CPUs.

        Try it: a whole experiment   distill run
        Sample a teacher             distill generate, distill curate
        Fine-tune a student          distill fine-tune
        Reinforce a model            distill reinforce
        Evaluate and compare models  distill evaluate, distill compare
        Use what came of it          distill chat, distill sample, distill report

      'distill help <command>' says more about one of them, and 'distill help' lists
      all commands.
      """)
  }

  func testProgram() {
    assertPrints(
      distill(),
      """
      Distils the reasoning of large language models into small ones, on CPUs.

        Try it: a whole experiment   distill run
        Sample a teacher             distill generate, distill curate
        Fine-tune a student          distill fine-tune
        Reinforce a model            distill reinforce
        Evaluate and compare models  distill evaluate, distill compare
        Use what came of it          distill chat, distill sample, distill report

      'distill help <command>' says more about one of them, and 'distill help' lists
      all commands.
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

  func testMerge() {
    assertPrints(
      distill("help", "merge"),
      """
      Writes a model with a LoRA adapter merged into it.

      Adds a LoRA adapter, as PEFT saves it, to the weights of the model that it was
      trained for: each becomes W + scale·B·A, computed in float32 and rounded once.
      The merged model is a folder that transformers loads without PEFT. It appears
      whole or not at all; neither model need fit into memory.

      Tokenizer, chat template and generation settings in the adapter's folder come in
      place of the model's, since the adapter was trained with them; licences are the
      model's.

      Usage: distill merge <checkpoint> <adapter> <output> [--dtype <type>]
                           [--shard-size <size>] [--replace]

      Arguments:
        <checkpoint>  The folder of the model that the adapter is for.
        <adapter>     The folder of the adapter.
        <output>      The folder to write.

      Options:
        --dtype <type>       'float32' or 'bfloat16', rounded to nearest even; without
                             it, the model's own.
        --shard-size <size>  The most bytes of tensors in one file; without it 5GB.
        --replace            Exchange a model that is in the output folder for the new
                             one.

      Every command accepts:
        --threads <count>  Worker threads; without it what DISTILL_THREADS says, or
                           one for each core.

      Examples:
        distill merge Checkpoints/base adapter merged
        distill merge Checkpoints/base adapter merged --dtype bfloat16
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
        distill recipe data > my-data.json5
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
      Times training and generation on this machine.

      Measures the machine's ceilings, and then matrix products at the shapes of the
      paper's students, causal attention over 1,024, 8,192 and 32,768 tokens, and full
      training steps (forward, backward, clipping, AdamW) of a random Qwen2.5-0.5B on
      rows of 1,024 and 4,096 tokens, in float32 and bfloat16; then the generation of
      text with the same model: 1, 8 and 32 sequences at once with sampling, and a
      prompt of 1,024 tokens. Names of parts choose among them: products, attention,
      training, generation, tokenizer. Every figure comes with its fraction of the
      ceiling of its precision, generation's also with that of the memory.

      The part tokenizer reads the tokenizer of a folder, encodes and decodes text,
      and texts that are made to be slow; it runs only if the folder is given.

      The whole takes some minutes and up to 15 GB of memory. Run it while nothing
      else runs.

      Usage: distill bench [<part>] [--tokens <count>] [--precision <precision>]
                           [--recompute] [--tokenizer <checkpoint>] [--text <file>]
                           [--json]

      Arguments:
        <part>  Only this part: products, attention, training, generation or
                tokenizer.

      Options:
        --tokens <count>          Rows of this length only, in attention and training.
        --precision <precision>   Only this precision: float32 or bfloat16.
        --recompute               Run blocks again in the backward pass instead of
                                  keeping them.
        --tokenizer <checkpoint>  Time the tokenizer of this folder.
        --text <file>             The text it encodes, instead of one made of its
                                  tokens.
        --json                    Print a JSON array of timings.

      Every command accepts:
        --threads <count>  Worker threads; without it what DISTILL_THREADS says, or
                           one for each core.

      Examples:
        distill bench
        distill bench training --tokens 1024 --precision bfloat16
        distill bench attention --json
        distill bench generation
        distill bench tokenizer --tokenizer Checkpoints/qwen2.5-0.5b --text book.txt
      """)
  }

  func testKindsOfRecipes() {
    assertPrints(
      distill("recipe"),
      """
        data        Samples, and how they become rows to train on.
        initialize  A model with random weights.
        generate    The sampling of a teacher's answers to problems.
        curate      The training set made of a teacher's answers.
        fine-tune   The fine-tuning of a student on samples.
        reinforce   The reinforcement of a model by GRPO.
        evaluate    The measuring of models on benchmarks.
        compare     A table of models: which is better, and by how much.
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

  func testTokenize() {
    assertPrints(
      distill("help", "tokenize"),
      """
      Shows the tokens of a text.

      Prints the ids of a text and what each stands for, between bars, with line
      breaks as ↵, and how many tokens, characters and bytes there are. Special tokens
      that are written out in the text are text, as in a user's message, unless
      '--special' is given. Of texts with more than 1,000 tokens only the counts are
      printed, unless '--all' is given.

      Usage: distill tokenize <checkpoint> [<text>] [--file <path>] [--ids <list>]
                              [--special] [--add-special] [--all] [--json]

      Arguments:
        <checkpoint>  A folder with a tokenizer.
        <text>        The text; '-' for what comes on standard input.

      Options:
        --file <path>  A file with the text.
        --ids <list>   Ids instead of text, such as 1,2,3.
        --special      Read special tokens in the text as such.
        --add-special  Put the tokenizer's own tokens around the text.
        --all          Print all tokens of a long text.
        --json         Print ids and counts as JSON.

      Every command accepts:
        --threads <count>  Worker threads; without it what DISTILL_THREADS says, or
                           one for each core.

      Examples:
        distill tokenize Checkpoints/qwen2.5-0.5b "Let me think."
        distill tokenize Checkpoints/qwen2.5-0.5b --file traces.txt
        distill tokenize Checkpoints/qwen2.5-0.5b --ids 10061,752,1744,13
      """)
  }

  func testTrainTokenizer() {
    assertPrints(
      distill("help", "train-tokenizer"),
      """
      Learns a tokenizer from text.

      Learns a byte-level byte-pair encoding and writes it as a folder with a
      tokenizer.json that Hugging Face's library reads, and a tokenizer_config.json.
      Merges are those of its BpeTrainer with the same settings. A corpus is a text
      file, or a file of samples in JSONL, of which '--field' names the text. The same
      corpus and settings give the same bytes.

      Usage: distill train-tokenizer <output> [--corpus <file>] … [--size <tokens>]
                                     [--splitting <family>] [--special <token>] …
                                     [--visible <token>] … [--eos <token>]
                                     [--field <key>] [--minimum-frequency <count>]

      Arguments:
        <output>  A new folder.

      Options:
        --corpus <file>              A file to learn from; may be given several times.
        --size <tokens>              All tokens together; 32,000 without it.
        --splitting <family>         How text is split: as gpt2, llama3 (without it)
                                     or qwen2 do.
        --special <token>            A special token; they take the first ids, in
                                     their order.
        --visible <token>            Which special token is text and stays in what is
                                     decoded, such as <think>.
        --eos <token>                Which special token ends a text.
        --field <key>                The corpus is JSONL; this key holds the text.
        --minimum-frequency <count>  Pairs that come less often are not merged; 2
                                     without it.

      Every command accepts:
        --threads <count>  Worker threads; without it what DISTILL_THREADS says, or
                           one for each core.

      Examples:
        distill train-tokenizer my-tokenizer --corpus book.txt --size 8000
        distill train-tokenizer my-tokenizer --corpus traces.jsonl --field response
        distill train-tokenizer my-tokenizer --corpus book.txt --special "<end>" --eos "<end>"
        distill train-tokenizer my-tokenizer --corpus book.txt --special "<think>" --visible "<think>"
      """)
  }

  func testCheck() {
    assertPrints(
      distill("help", "check"),
      """
      Checks samples before a model is trained on them.

      Renders every sample of a data recipe as training would, and refuses it when a
      model could not learn from it what it should: a beginning of sequence that is
      missing or there twice, a turn whose end is not learned, no learned token,
      reasoning that the template dropped, a prompt that differs from the one of
      generation, tokens beyond the embedding, turns out of order. Each finding names
      the sample. Prints counts for each source, the lengths, and how full the rows
      are.

      Usage: distill check <recipe> [--set <key=value>] … [--json]

      Arguments:
        <recipe>  A recipe of the kind 'data' or 'fine-tune'.

      Options:
        --set <key=value>  Use another value for one key of the recipe, such as
                           optimizer.learningRate=2e-4.
        --json             Print the counts as JSON.

      Every command accepts:
        --threads <count>  Worker threads; without it what DISTILL_THREADS says, or
                           one for each core.

      Examples:
        distill check my-data.json5
        distill check my-data.json5 --set contextLength=4096 --json
      """)
  }

  func testShow() {
    assertPrints(
      distill("help", "show"),
      """
      Shows a sample as it will be trained on.

      Prints what a sample of a data recipe becomes: the text of its tokens, special
      tokens among them, and which of them are learned. On a terminal learned text is
      green and special tokens are bold; elsewhere, or with NO_COLOR set, learned text
      stands between ⟦ and ⟧. A line break that belongs to the text is shown as ↵.

      Usage: distill show <recipe> [--sample <number>] [--tokens]
                          [--set <key=value>] … [--json]

      Arguments:
        <recipe>  A recipe of the kind 'data' or 'fine-tune'.

      Options:
        --sample <number>  Which sample, from 1 over all sources; without it the
                           first.
        --tokens           Print a table of tokens.
        --set <key=value>  Use another value for one key of the recipe, such as
                           optimizer.learningRate=2e-4.
        --json             Print ids and mask as JSON.

      Every command accepts:
        --threads <count>  Worker threads; without it what DISTILL_THREADS says, or
                           one for each core.

      Examples:
        distill show my-data.json5 --sample 12
        distill show my-data.json5 --sample 12 --tokens
      """)
  }

  func testPrepare() {
    assertPrints(
      distill("help", "prepare"),
      """
      Turns samples into token ids on disk.

      Renders and checks every sample of a data recipe, and keeps the documents in the
      folder that the recipe calls its cache. Data that was prepared from the same
      samples, tokenizer, template and settings is used again.

      Usage: distill prepare <recipe> [--set <key=value>] … [--json]

      Arguments:
        <recipe>  A recipe of the kind 'data' or 'fine-tune'.

      Options:
        --set <key=value>  Use another value for one key of the recipe, such as
                           optimizer.learningRate=2e-4.
        --json             Print the counts as JSON.

      Every command accepts:
        --threads <count>  Worker threads; without it what DISTILL_THREADS says, or
                           one for each core.

      Example:
        distill prepare my-data.json5
      """)
  }

  func testDataRecipe() {
    assertPrints(
      distill("recipe", "data"),
      """
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
}
