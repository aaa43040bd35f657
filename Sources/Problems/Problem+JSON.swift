import Storage
import Verification

extension Problem {
  /// The problem as `problems.jsonl` has it; `init(_:place:)` reads the same problem from it.
  ///
  ///     {"id": …, "source": …, "place": …, "difficulty": …, "rating": …, "date": …, "question": …,
  ///      "reference": {"answer": …} or {"choices": […], "correct": 0} or {"program": {…}}
  ///                   or {"text": …} or {},
  ///      "solution": …}
  ///
  /// What is nil is left out.
  public var json: JSONValue {
    .object(
      JSONObject(present: [
        ("id", .string(id)), ("source", .string(source)), ("place", .string(place)),
        ("difficulty", difficulty.map { .string($0) }),
        ("rating", rating.flatMap { JSONNumber($0) }.map { .number($0) }),
        ("date", date.map { .string($0) }), ("question", .string(question)),
        ("reference", .object(referenceJSON)), ("solution", solution.map { .string($0) }),
      ]))
  }

  private var referenceJSON: JSONObject {
    switch reference {
    case .answer(let text): JSONObject(members: [("answer", .string(text))])
    case .choices(let options, let correct):
      JSONObject(members: [
        ("choices", .array(options.map { .string($0) })), ("correct", .number(JSONNumber(correct))),
      ])
    case .program(let task): JSONObject(members: [("program", task.json)])
    case .none(let text): JSONObject(present: [("text", text.map { .string($0) })])
    }
  }

  /// Reads what `json` wrote.
  ///
  /// - Parameter place: The file and line that errors name; the problem keeps its own.
  /// - Throws: `ProblemError`.
  public init(_ json: JSONValue, place: String) throws(ProblemError) {
    let given: JSONMembers
    do throws(JSONMemberError) {
      let members = try JSONMembers(json, place: place)
      self.init(
        id: try members.text("id"), question: try members.text("question"), reference: .none(nil),
        solution: try members.optionalText("solution"), source: try members.text("source"),
        difficulty: try members.optionalText("difficulty"),
        rating: members.has("rating") ? try members.number("rating") : nil,
        date: try members.optionalText("date"), place: try members.text("place"))
      given = try members.members("reference")
      if given.has("answer") {
        reference = .answer(try given.text("answer"))
      } else if given.has("choices") {
        reference = .choices(try given.texts("choices"), correct: try given.count("correct"))
      } else if let text = try given.optionalText("text") {
        reference = .none(text)
      }
    } catch {
      throw ProblemError(error)
    }
    if case .choices(let options, let correct) = reference {
      guard MultipleChoice.optionCounts.contains(options.count), correct < options.count else {
        throw ProblemError(
          place,
          "there must be \(MultipleChoice.optionCounts.lowerBound) to "
            + "\(MultipleChoice.optionCounts.upperBound) 'choices', and 'correct' must be the "
            + "number of one of them, from 0.")
      }
    }
    if let task = given.object["program"] {
      do throws(ProgramTaskError) {
        reference = .program(try ProgramTask(task, source: place))
      } catch {
        throw ProblemError(error)
      }
    }
  }
}
