/// Counts what one rendering has used, and ends it before it uses more than its limits.
///
/// Memory is charged before it is taken, so the operations also bound the bytes: a text costs one
/// operation for 16 bytes and one for each range of input, an element of a list four.
final class TemplateBudget {
  let limits: TemplateLimits
  private(set) var operations = 0

  init(_ limits: TemplateLimits) { self.limits = limits }

  /// Charges steps of work.
  @inline(__always)
  func charge(_ count: Int = 1) throws {
    let (sum, overflow) = operations.addingReportingOverflow(count)
    if overflow || sum > limits.operations { throw exhausted }
    operations = sum
  }

  private var exhausted: TemplateFault {
    .limit("the template needs more than \(limits.operations) operations.")
  }

  /// Charges a text that is about to be made, or looked through.
  func chargeText(bytes: Int, ranges: Int = 0) throws {
    try check(length: bytes)
    try charge(1 + bytes / 16 + ranges)
  }

  /// Checks the length of a text that is about to grow.
  func check(length: Int) throws {
    guard length <= limits.output else {
      throw TemplateFault.limit("a text of more than \(limits.output) bytes.")
    }
  }

  /// Charges a text that is about to be copied.
  func charge(_ text: TemplateText) throws {
    try chargeText(bytes: text.count, ranges: text.inputRanges.count)
  }

  /// Charges elements of a list or dictionary that is about to be made.
  func chargeElements(_ count: Int) throws {
    let (cost, overflow) = count.multipliedReportingOverflow(by: 4)
    guard !overflow else { throw exhausted }
    try charge(cost)
  }

  /// Charges a text that is repeated; the number is not above zero for an empty result.
  func chargeRepeated(_ text: TemplateText, _ times: Int) throws {
    guard times > 0, text.count > 0 else { return }
    let (bytes, overflow) = text.count.multipliedReportingOverflow(by: times)
    guard !overflow, bytes <= limits.output else {
      throw TemplateFault.limit("a text of more than \(limits.output) bytes.")
    }
    try chargeText(bytes: bytes, ranges: text.inputRanges.count * times)
  }

  /// Checks the depth of a list or dictionary.
  func check(depth: Int) throws {
    guard depth <= limits.depth else {
      throw TemplateFault.limit(
        "lists and dictionaries inside one another deeper than \(limits.depth) levels.")
    }
  }
}
