import Comparison
import Interface
import Storage

extension Command {
  /// `compare`: models in one table.
  static let compare = Command(
    "compare", summary: "Puts models into one table: Table 6.",
    discussion: """
      Reads what 'distill evaluate' left of models, and sets them beside each other and beside \
      published figures: scores with their intervals, mean tokens of an answer, and what it took to \
      make each model. Beneath the table stands what can't be compared and why, which differences \
      are real, by a paired bootstrap over problems, and the smallest difference that the problems \
      could show.

      The table is printed, and written into the recipe's output: table.txt, table.md, table.csv, \
      table.json, and report.html with plots, which needs nothing else and opens from disk.
      """,
    example: """
      distill compare my-table.json5
      """,
    takes: recipe, set, json,
    run: prepared { arguments, console in
      let recipe = try readRecipe(
        ComparisonRecipe.self, of: .compare, at: arguments[recipe], overrides: arguments[set]
      ).recipe
      let comparison = try ModelComparison(recipe)
      try comparison.write()
      if arguments[json] {
        console.write(
          String(decoding: comparison.json.serialized(pretty: true), as: UTF8.self))
        return
      }
      console.print(comparison.text)
      console.print(
        "\nThe table is in \(recipe.output), the report in \(recipe.output)/report.html.")
    })

  private static let recipe = Positional("recipe", help: "A recipe of the kind 'compare'.")
  private static let set = RepeatedOption.recipeOverrides
  private static let json = Flag("json", help: "Print the table as JSON.")
}
