import Foundation
import Storage
import Training

/// Where a run stands, besides weights and moments: what a checkpoint keeps of it.
struct GRPOState: Codable, Equatable {
  /// Steps that are done.
  var step = 0
  /// Of the next question, in the order of the run.
  var position = 0
  /// The step whose policy is the reference; 0 for the one it began with.
  var referenceStep = 0
  /// The step of the last evaluation; -1 before.
  var evaluatedStep = -1
  /// The best accuracy on held-out problems, and its step.
  var best: Best?
  /// The share of right answers at a question's last turn, where the recipe filters by it.
  var passRates: [Int: Double] = [:]
  /// Tokens sampled and learned from in all.
  var sampledTokens = 0
  var trainedTokens = 0
  var findings: Findings

  struct Best: Codable, Equatable {
    var accuracy: Double
    var step: Int
  }

  init(_ findings: Findings) { self.findings = findings }

  /// Reads what `json` wrote.
  ///
  /// - Throws: `RunError` if it is not that.
  init(_ json: JSONObject, place: String) throws {
    do {
      self = try JSONDecoder().decode(Self.self, from: JSONValue.object(json).serialized())
    } catch {
      throw RunError(
        "\(place): the checkpoint does not say where the run stands. Was it written by another "
          + "version of this program? Name another folder.")
    }
  }

  func json() throws -> JSONObject {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let json = try encoder.encode(self).withUnsafeBytes {
      try JSONValue(parsing: $0, source: "state")
    }
    guard case .object(let object) = json else { return JSONObject(members: []) }
    return object
  }
}
