import Interface

extension Command {
  /// `report`: one page about a run.
  static let report = Command(
    "report", summary: "Writes one page about a run, with its curves.",
    discussion: """
      Reads the folder of a run of 'fine-tune' or 'reinforce', which may still go on, and writes one \
      HTML page. Of fine-tuning: loss by step and by source, learning rate, gradient norm, \
      throughput, lengths, and what the student wrote. Of reinforcement: rewards, accuracy, lengths, \
      entropy, divergence, where the time goes, findings, and answers to read. The page needs \
      nothing else, and opens from disk.
      """,
    example: """
      distill report my-student
      distill report my-student --output my-student.html
      """,
    takes: run, output,
    run: prepared { arguments, console in
      let path = arguments[output] ?? arguments[run] + "/report.html"
      try RunPage.page(for: arguments[run], of: Program.runPages).write(arguments[run], path)
      console.print("The report is in \(path).")
    })

  private static let run = Positional("run", help: "The folder of a run.")
  private static let output = Option(
    "output", "file", help: "Where to write it; without it, report.html in the run's folder.",
    .texts)
}
