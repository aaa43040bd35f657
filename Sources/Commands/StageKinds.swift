import Curation
import Interface
import Pipelines
import Problems
import Verification

extension StageKind {
  /// What a whole run knows of each kind of recipe, in the order of `Program.recipeKinds`.
  static let all: [StageKind] = Program.recipeKinds.map { stageKind($0) }

  /// The rules by which answers are judged: with others, other answers count as right.
  private static let judges = [
    "answers \(AnswerJudge.version)", "readability \(Readability.version)",
  ]

  private static func stageKind(_ kind: RecipeKind) -> StageKind {
    switch kind.name {
    case "data":
      StageKind(kind, command: "prepare", reads: data(""), writes: "cache")
    case "initialize":
      StageKind(
        kind, command: "initialize", reads: [.ifThere("configuration"), "tokenizer"],
        writes: "output", resumes: false)
    case "generate":
      StageKind(
        kind, command: "generate", reads: teacher("teacher") + ["prompts[].path"],
        writes: "output", rules: judges)
    case "curate":
      StageKind(
        kind, command: "curate",
        reads: ["samples[].run", "tokenizer", "decontaminate.sets[].path", "mixture[].path"]
          + teacher("judge.teacher"),
        writes: "output", rules: judges)
    case "fine-tune":
      StageKind(
        kind, command: "fine-tune", reads: ["student", "lora.adapter"] + data("data."),
        writes: "run", page: { try writePage($0, $1) })
    case "reinforce":
      StageKind(
        kind, command: "reinforce",
        reads: [
          "policy", "problems[].path", "evaluation.problems[].path", .ifThere("chatTemplate"),
          .ifThere("rewards.program.command[]"),
        ] + teacher("rewards.helpfulness.teacher") + teacher("rewards.harmlessness.teacher"),
        writes: "run", rules: judges, page: { try writePage($0, $1) })
    case "evaluate":
      StageKind(
        kind, command: "evaluate",
        reads: teacher("models[]") + ["benchmarks[].problems[].path"], writes: "output",
        rules: judges)
    case "compare":
      StageKind(
        kind, command: "compare",
        // Of what made a model only the figures count, not its weights.
        reads: [
          "rows[].evaluation", .filesOf("rows[].made[]"), .filesOf("rows[].made[].run"),
          .filesOf("curves[].run"),
        ],
        writes: "output", isResult: true)
    default:
      StageKind(kind, command: nil, writes: "output")
    }
  }

  /// The files of a teacher.
  private static func teacher(_ key: String) -> [RecipeKey] {
    [RecipeKey("\(key).local.checkpoint"), RecipeKey("\(key).recorded.path")]
  }

  /// The files of samples.
  private static func data(_ prefix: String) -> [RecipeKey] {
    [
      RecipeKey("\(prefix)checkpoint"), RecipeKey("\(prefix)sources[].path"),
      .ifThere("\(prefix)chatTemplate"),
    ]
  }

  /// The page of a run of training.
  private static func writePage(_ folder: String, _ path: String) throws {
    try RunPage.page(for: folder, of: Program.runPages).write(folder, path)
  }
}
