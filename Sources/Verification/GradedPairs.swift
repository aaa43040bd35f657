import Foundation
import Storage

/// A reference and an answer of a file of pairs, one JSON object on each line.
///
/// The fields are `gold` or `reference`, and `answer`; all others are kept. What the judge says is
/// written behind them, so that a file of verdicts can be graded again.
public struct GradedPair {
  /// The line as it was, without an earlier verdict.
  public let fields: JSONObject
  public let reference: String
  public let answer: String
  /// Whether an earlier verdict called the answer right; nil if there was none.
  public let earlier: Bool?

  /// The fields that a verdict is written to, in this order.
  static let verdictFields = [
    "equivalent", "outcome", "rule", "reason", "extracted_reference", "extracted_answer", "judge",
  ]

  /// Reads a line.
  ///
  /// - Throws: `JSONError` for a line that is no JSON; `GradingError` for one that is no pair.
  public init(line: Data, source: String) throws {
    guard case .object(let object) = try JSONValue(parsing: line, source: source) else {
      throw GradingError("\(source): the line is no object. Write one pair on each line.")
    }
    func text(_ names: [String]) throws(GradingError) -> String {
      for name in names {
        guard let value = object[name] else { continue }
        switch value {
        case .string(let text): return text
        case .number(let number): return number.text
        default:
          throw GradingError("\(source): '\(name)' must be a string or a number.")
        }
      }
      throw GradingError("\(source): there is no '\(names.joined(separator: "' and no '"))'.")
    }
    reference = try text(["gold", "reference"])
    answer = try text(["answer"])
    if case .bool(let flag) = object["equivalent"] { earlier = flag } else { earlier = nil }
    fields = JSONObject(
      members: object.members.filter { member in
        !Self.verdictFields.contains { $0.utf8.elementsEqual(member.key.utf8) }
      })
  }

  /// The line with a verdict, in UTF-8, without a line feed.
  public func line(with verdict: Verdict) -> Data {
    let values: [JSONValue] = [
      .bool(verdict.equivalent), .string(verdict.outcome.rawValue), .string(verdict.rule.rawValue),
      .string(verdict.reason), verdict.reference.map { .string($0) } ?? .null,
      verdict.answer.map { .string($0) } ?? .null, .string(verdict.version),
    ]
    let members = zip(Self.verdictFields, values).map { (key: $0, value: $1) }
    return JSONValue.object(JSONObject(members: fields.members + members)).serialized()
  }
}

/// A verdict that is no longer what it was.
public struct FlippedVerdict: Equatable, Sendable {
  /// The line, from 1.
  public let line: Int
  public let earlier: Bool
  public let verdict: Verdict
}

/// Why a file of pairs can't be graded.
public struct GradingError: Error, Equatable, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}

extension Judge {
  /// Judges the pairs of a text with one on each line; empty lines are skipped.
  ///
  /// - Parameters:
  ///   - source: The name of the text in errors, usually a file's path.
  ///   - write: Gets each line with its verdict, in order, without a line feed.
  /// - Returns: The verdicts that differ from the ones that the text holds already.
  /// - Throws: `JSONError` and `GradingError`, which name the line; what `write` throws.
  @discardableResult
  public func grade(
    _ text: Data, source: String, extracting: Bool = true, write: (Data) throws -> Void
  ) throws -> [FlippedVerdict] {
    var flipped: [FlippedVerdict] = []
    var number = 0
    for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      number += 1
      guard line.contains(where: { $0 > 32 }) else { continue }
      let pair = try GradedPair(line: Data(line), source: "\(source):\(number)")
      let verdict = verdict(
        reference: pair.reference, answer: pair.answer, extracting: extracting)
      if let earlier = pair.earlier, earlier != verdict.equivalent {
        flipped.append(FlippedVerdict(line: number, earlier: earlier, verdict: verdict))
      }
      try write(pair.line(with: verdict))
    }
    return flipped
  }
}
