import Foundation

/// What is wrong with a recipe that Foundation decoded, or refused to decode, as a type.
///
/// Foundation says which recipes are right, but it stops at the first mistake, knows no near
/// names, and lets keys pass that the type does not have. So the type is decoded once more, by
/// a decoder that notes what is asked for and what does not fit, and carries on with a stand-in.
func mistakes<Recipe: Decodable>(
  in value: RecipeValue, decodedAs type: Recipe.Type, _ result: Result<Recipe, any Error>
) -> [Finding] {
  let inspection = Inspection(of: value)
  _ = try? inspection.read(type, value, at: [])
  let (unknown, missing) = inspection.keyFindings
  guard case .failure(let error) = result else { return unknown }
  let mistakes = inspection.findings + missing
  if mistakes.isEmpty, unknown.isEmpty { return [inspection.finding(about: error, at: [])] }
  return mistakes + unknown
}

/// What the inspecting decoders of one recipe have seen. They share it, so it is a class.
final class Inspection {
  /// An object that a type has asked for keys.
  private struct Visit {
    let object: RecipeObject
    let place: Place
    /// The path of the value whose `init(from:)` asks; when that returns, all is asked.
    let owner: [String]
    var asked: Set<String> = []
    var missing: [String] = []
  }

  private let root: RecipeValue
  private(set) var findings: [Finding] = []
  private var visits: [[String]: Visit] = [:]
  private var finished: Set<[String]> = []
  private var mistakeCount = 0

  init(of root: RecipeValue) { self.root = root }

  /// Decodes a value as `type`, or a stand-in for it where it does not fit.
  ///
  /// - Parameter value: Nil makes a stand-in without a word.
  /// - Throws: Something, if the type takes no stand-in either; the mistake is noted then.
  func read<T: Decodable>(_ type: T.Type, _ value: RecipeValue?, at path: [String]) throws -> T {
    // A type that holds itself without end would otherwise do so on the stack.
    guard path.count <= 4 * JSON5Scanner.depthLimit else { throw Unreadable() }
    if let plain = type as? any Plain.Type {
      guard let result = read(plain: plain, value, at: path) as? T else { throw Unreadable() }
      return result
    }
    guard value != nil else { return try standIn(type, at: path) }
    let mistakesBefore = mistakeCount
    do {
      let result = try T(from: decoder(for: value, at: path, owner: path))
      finished.insert(path)
      return result
    } catch {
      // What follows from a mistake that is noted is not a mistake of its own.
      if mistakeCount == mistakesBefore { note(finding(about: error, at: path, type: type)) }
      return try standIn(type, at: path)
    }
  }

  private func standIn<T: Decodable>(_ type: T.Type, at path: [String]) throws -> T {
    if let cases = type as? any CaseIterable.Type, let first = firstCase(of: cases) as? T {
      return first
    }
    return try T(from: decoder(for: nil, at: path, owner: path))
  }

  private func firstCase<C: CaseIterable>(of type: C.Type) -> C? { type.allCases.first }

  private func read<P: Plain>(plain: P.Type, _ value: RecipeValue?, at path: [String]) -> P {
    guard let value else { return P.standIn }
    if let result = P(written: value) { return result }
    var words = "\(name(path)) \(P.complaint(about: value))."
    if P.self == String.self, value.place.override != nil, let written = value.scalar {
      let override = "\(path.joined(separator: "."))=\"\(written)\""
      words += " If it is meant as a text, write --set \(quoted(withoutSecret(override)))."
    }
    note(Finding(place: value.place, words: words))
    return P.standIn
  }

  func decoder(
    for value: RecipeValue?, at path: [String], owner: [String]
  ) -> InspectingDecoder {
    InspectingDecoder(inspection: self, value: value, path: path, owner: owner)
  }

  private func note(_ finding: Finding) {
    mistakeCount += 1
    findings.append(finding)
  }

  // MARK: Keys

  func visit(_ object: RecipeObject, _ place: Place, at path: [String], owner: [String]) {
    if visits[path] == nil { visits[path] = Visit(object: object, place: place, owner: owner) }
  }

  func ask(for key: String, at path: [String]) { visits[path]?.asked.insert(key) }

  func miss(_ key: String, at path: [String]) {
    mistakeCount += 1
    visits[path]?.missing.append(key)
  }

  /// The keys that no type asked for, and the keys that are asked for but not there. A missing
  /// key that was meant by an unknown one is not told twice.
  var keyFindings: (unknown: [Finding], missing: [Finding]) {
    var unknown: [Finding] = []
    var missing: [Finding] = []
    for (path, visit) in visits {
      var meant: Set<String> = []
      if finished.contains(visit.owner) {
        let known = visit.asked.sorted()
        for member in visit.object.members where !visit.asked.contains(member.key) {
          // Nobody reads a hundred hints, and each takes time.
          let near = unknown.count < 100 ? closest(to: member.key, in: known) : nil
          if let near { meant.insert(near) }
          let place = path.isEmpty ? "" : " in \(name(path))"
          unknown.append(
            Finding(
              place: member.place,
              words: "unknown key \(quoted(member.key))\(place).\(advice(near, known))"))
        }
      }
      for key in visit.missing where !meant.contains(key) {
        missing.append(
          Finding(place: visit.place, words: "missing key \(name(path + [key]))."))
      }
    }
    return (unknown, missing)
  }

  private func advice(_ near: String?, _ known: [String]) -> String {
    if let near { return " Did you mean \(quoted(near))?" }
    switch known.count {
    case 0: return " There are no keys here."
    case 1: return " The only key here is \(listed(known))."
    case ...30: return " The keys here are \(listed(known))."
    default: return ""
    }
  }

  // MARK: Words

  func finding(about error: any Error, at path: [String], type: Any.Type? = nil) -> Finding {
    let words = self.words(about: error, at: path, type: type)
    // What the standard library says is a sentence of its own; what follows a key is none.
    let colon = words.sentence.first?.isUppercase == true ? ":" : ""
    let stop = words.sentence.hasSuffix(".") ? "" : "."
    return Finding(
      place: root.nearest(to: words.path).place,
      words: "\(name(words.path))\(colon) \(printable(words.sentence))\(stop)")
  }

  private func words(
    about error: any Error, at path: [String], type: Any.Type?
  ) -> (path: [String], sentence: String) {
    guard let error = error as? DecodingError else { return (path, "cannot be used: \(error)") }
    switch error {
    case .keyNotFound(let key, let context):
      return (pathNames(context.codingPath + [key]), "is missing")
    case .typeMismatch(let expected, let context), .valueNotFound(let expected, let context):
      let place = pathNames(context.codingPath)
      guard context.debugDescription.isEmpty || type == nil else {
        return (place, context.debugDescription)  // thrown by the type, not by the decoder
      }
      let asked = type.flatMap { place == path && hasWording($0) ? $0 : nil }
      let wording = wording(of: asked ?? expected)
      return (place, "must be \(wording); it is \(root.nearest(to: place).found)")
    case .dataCorrupted(let context):
      return (pathNames(context.codingPath), context.debugDescription)
    @unknown default:
      return (path, "cannot be used: \(error)")
    }
  }

  private struct Unreadable: Error {}
}

private func pathNames(_ path: [any CodingKey]) -> [String] {
  path.map { $0.intValue.map { "\($0)" } ?? $0.stringValue }
}

// MARK: - What a person calls a type

/// A type whose values are written as one number, text or such.
protocol Plain: Decodable, Worded {
  /// Takes the place of a value that is wrong, until all mistakes are found.
  static var standIn: Self { get }
  init?(written value: RecipeValue)
  static func complaint(about value: RecipeValue) -> String
}

extension Plain {
  static func complaint(about value: RecipeValue) -> String {
    "must be \(wording); it is \(value.found)"
  }
}

/// A type that has words of its own.
protocol Worded {
  static var wording: String { get }
  static var plural: String { get }
}

func wording(of type: Any.Type) -> String {
  if let worded = type as? any Worded.Type { return worded.wording }
  if let choice = type as? any Choice.Type { return choice.wording }
  return "an object"
}

private func hasWording(_ type: Any.Type) -> Bool {
  type is any Worded.Type || type is any Choice.Type
}

private func plural(of type: Any.Type) -> String {
  if let worded = type as? any Worded.Type { return worded.plural }
  if let choice = type as? any Choice.Type { return "texts, each \(choice.wording)" }
  return "objects"
}

extension Array: Worded {
  static var wording: String { "a list of \(Interface.plural(of: Element.self))" }
  static var plural: String { "lists of \(Interface.plural(of: Element.self))" }
}

extension Optional: Worded {
  static var wording: String { Interface.wording(of: Wrapped.self) }
  static var plural: String { Interface.plural(of: Wrapped.self) }
}

extension Bool: Plain {
  static let wording = "true or false"
  static let plural = "true or false"
  static let standIn = false
  init?(written value: RecipeValue) {
    guard case .bool(let bool) = value.content else { return nil }
    self = bool
  }
}

extension String: Plain {
  static let wording = "a text"
  static let plural = "texts"
  static let standIn = ""
  init?(written value: RecipeValue) {
    guard case .text(let text) = value.content else { return nil }
    self = text
  }
}

extension URL: Plain {
  static let wording = "a text that is a URL"
  static let plural = "texts that are URLs"
  static let standIn = URL(fileURLWithPath: "/")
  init?(written value: RecipeValue) {
    guard case .text(let text) = value.content else { return nil }
    self.init(string: text)
  }
}

extension Plain where Self: BinaryFloatingPoint & LosslessStringConvertible {
  static var wording: String { "a number" }
  static var plural: String { "numbers" }
  static var standIn: Self { 0 }
  init?(written value: RecipeValue) {
    guard case .number(let digits) = value.content, let number = Self(digits), number.isFinite
    else { return nil }
    self = number
  }

  static func complaint(about value: RecipeValue) -> String {
    guard case .number = value.content else { return "must be \(wording); it is \(value.found)" }
    return "must be within ±\(Self.greatestFiniteMagnitude); it is \(value.found)"
  }
}

extension Double: Plain {}
extension Float: Plain {}

extension Plain where Self: FixedWidthInteger {
  static var wording: String { "a whole number" }
  static var plural: String { "whole numbers" }
  static var standIn: Self { 0 }
  init?(written value: RecipeValue) {
    guard case .number(let digits) = value.content else { return nil }
    self.init(digits)
  }

  static func complaint(about value: RecipeValue) -> String {
    if case .number(let digits) = value.content, let number = Double(digits),
      number == number.rounded()
    {
      return number < 0
        ? "must be at least \(Self.min); it is \(digits)"
        : "must be at most \(Self.max); it is \(digits)"
    }
    return "must be \(wording); it is \(value.found)"
  }
}

extension Int: Plain {}
extension Int8: Plain {}
extension Int16: Plain {}
extension Int32: Plain {}
extension Int64: Plain {}
extension UInt: Plain {}
extension UInt8: Plain {}
extension UInt16: Plain {}
extension UInt32: Plain {}
extension UInt64: Plain {}
