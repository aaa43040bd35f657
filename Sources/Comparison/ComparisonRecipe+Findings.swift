import Interface
import Storage

extension ComparisonRecipe {
  private static let mostRows = 100
  static let mostPairs = 100
  private static let mostColumns = 100

  /// What cannot be meant although it can be read, a sentence each.
  public var findings: [String] {
    var found: [String] = []
    func check(_ holds: Bool, _ words: @autoclosure () -> String) {
      if !holds { found.append("The recipe: \(words())") }
    }
    check(!title.isEmpty, "'title' is empty.")
    check(!output.isEmpty, "'output' is empty.")
    check(!rows.isEmpty, "it has no 'rows', the models to compare.")
    check(rows.count <= Self.mostRows, "it has more than \(Self.mostRows) rows.")
    for (i, row) in rows.enumerated() {
      for words in row.findings("rows.\(i)") { check(false, words) }
    }
    var names: [String] = []
    for name in rows.map(\.title) where !name.isEmpty {
      if names.contains(where: { $0.utf8.elementsEqual(name.utf8) }) {
        check(false, "two rows are named \(quoted(name)). Name them apart.")
      }
      names.append(name)
    }
    for words in columnFindings + pairFindings(names) + curveFindings { check(false, words) }
    if let confidence {
      check(
        (0.5...0.9999).contains(confidence),
        "'confidence' is \(confidence); it must lie between 0.5 and 0.9999.")
    }
    if let resamples {
      check(
        (100...1_000_000).contains(resamples),
        "'resamples' is \(resamples); it must lie between 100 and 1000000.")
    }
    return found
  }

  private var columnFindings: [String] {
    guard let columns else { return [] }
    if columns.isEmpty { return ["'columns' is empty. Leave it out for the usual ones."] }
    if columns.count > Self.mostColumns {
      return ["it has more than \(Self.mostColumns) columns."]
    }
    var found: [String] = []
    for (i, column) in columns.enumerated() {
      if ScoreName(column.score) == nil {
        found.append(
          "'columns.\(i).score' is \(quoted(column.score)); it must be \(ScoreName.known).")
      }
      if columns[..<i].contains(column) {
        found.append(
          "'columns.\(i)', \(column.score) of \(quoted(column.benchmark)), is there twice.")
      }
    }
    return found
  }

  private func pairFindings(_ names: [String]) -> [String] {
    guard let compare else { return [] }
    if compare.count > Self.mostPairs {
      return ["'compare' has more than \(Self.mostPairs) pairs."]
    }
    var found: [String] = []
    for (i, pair) in compare.enumerated() {
      guard pair.count == 2 else {
        found.append("'compare.\(i)' must be the names of two rows.")
        continue
      }
      for name in pair where !names.contains(where: { $0.utf8.elementsEqual(name.utf8) }) {
        found.append(
          "'compare.\(i)' names \(quoted(name)), which no row is.\(hint(for: name, in: names))")
      }
      if pair[0].utf8.elementsEqual(pair[1].utf8) {
        found.append("'compare.\(i)' compares \(quoted(pair[0])) with itself.")
      }
    }
    return found
  }

  private var curveFindings: [String] {
    var found: [String] = []
    let curves = curves ?? []
    for (i, curve) in curves.enumerated() {
      if curve.name.isEmpty { found.append("'curves.\(i).name' is empty.") }
      if curve.run.isEmpty { found.append("'curves.\(i).run' is empty.") }
      if curves[..<i].contains(where: { $0.name.utf8.elementsEqual(curve.name.utf8) }) {
        found.append("two curves are named \(quoted(curve.name)). Name them apart.")
      }
    }
    return found
  }
}

extension ComparisonRecipe.Row {
  /// What is wrong with a row, the end of a sentence each.
  fileprivate func findings(_ key: String) -> [String] {
    let ways = [evaluation != nil, published != nil, figures != nil].count { $0 }
    guard ways == 1 else {
      return ["'\(key)' must have one of 'evaluation', 'published' and 'figures'."]
    }
    if let published { return publishedFindings(published, key) }
    var found: [String] = []
    if name?.isEmpty ?? true { found.append("'\(key)' has no 'name'.") }
    if let evaluation {
      if evaluation.isEmpty { found.append("'\(key).evaluation' is empty.") }
      if source != nil { found.append("'\(key).source' belongs to 'figures'.") }
    }
    if let figures { found += figureFindings(figures, key) }
    let counts =
      [("parameters", parameters)]
      + (made ?? []).enumerated().map { ("made.\($0).parameters", $1.parameters) }
    for (name, count) in counts where !(1...Self.mostParameters).contains(count ?? 1) {
      found.append("'\(key).\(name)' must lie between 1 and 10¹⁵.")
    }
    for (i, made) in (made ?? []).enumerated() where made.run.isEmpty {
      found.append("'\(key).made.\(i)' is empty.")
    }
    return found
  }

  private static let mostParameters = 1_000_000_000_000_000

  private func publishedFindings(_ published: String, _ key: String) -> [String] {
    var found: [String] = []
    if name != nil || parameters != nil || made != nil || source != nil {
      found.append("'\(key)' is a published row, which takes nothing beside 'published'.")
    }
    if PublishedRow.named(published) == nil {
      let names = PublishedRow.all.map(\.name)
      let near = hint(for: published, in: names)
      let all =
        near.isEmpty ? " There are \(names.map { quoted($0) }.joined(separator: ", "))." : near
      found.append(
        "'\(key).published' is \(quoted(published)), of which no figures are kept here.\(all)")
    }
    return found
  }

  private func figureFindings(
    _ figures: [String: [String: Double]], _ key: String
  ) -> [String] {
    var found: [String] = []
    if source?.isEmpty ?? true {
      found.append("'\(key)' has no 'source', which says where its figures are from.")
    }
    if figures.values.allSatisfy(\.isEmpty) { found.append("'\(key).figures' has no figure.") }
    for (benchmark, scores) in figures.sortedByKey {
      for (score, value) in scores.sortedByKey {
        let place = "'\(key).figures' has \(value) for \(quoted(score)) of \(quoted(benchmark))"
        guard let name = ScoreName(score) else {
          found.append("\(place); the score must be \(ScoreName.known).")
          continue
        }
        let range = name.isShare ? 0...100.0 : -10_000...10_000
        if !range.contains(value) {
          found.append(
            "\(place); give \(name.isShare ? "points from 0 to 100" : "a number within ±10000").")
        }
      }
    }
    return found
  }
}

extension Dictionary where Key == String {
  /// The members in the order of the bytes of their keys.
  var sortedByKey: [(key: String, value: Value)] {
    sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
  }
}
