/// Cuts a stream of server-sent events (WHATWG HTML, section 9.2.6) into events, whatever the
/// pieces it comes in.
struct EventStream {
  struct Event: Equatable {
    /// The data lines, a line feed between each two.
    var data: [UInt8]
    /// What an `id` line of this very event says.
    var id: [UInt8]?
  }

  private var line: [UInt8] = []
  private var data: [UInt8]?
  private var id: [UInt8]?
  private var isAfterCarriageReturn = false
  private var isAtStart = true

  /// Takes bytes in.
  ///
  /// - Returns: The events that they complete.
  mutating func add(_ bytes: UnsafeRawBufferPointer) -> [Event] {
    var events: [Event] = []
    for byte in bytes {
      if byte == 0x0A, isAfterCarriageReturn {
        isAfterCarriageReturn = false
        continue
      }
      isAfterCarriageReturn = byte == 0x0D
      if byte == 0x0A || byte == 0x0D {
        if let event = endLine() { events.append(event) }
      } else {
        line.append(byte)
      }
    }
    return events
  }

  /// What stands in the line or event that was not finished; a whole stream leaves nothing.
  mutating func rest() -> Event? {
    if !line.isEmpty { _ = endLine() }
    return data.map { Event(data: $0, id: id) }
  }

  private mutating func endLine() -> Event? {
    defer { line.removeAll(keepingCapacity: true) }
    if isAtStart {
      isAtStart = false
      if line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
    }
    guard !line.isEmpty else {
      defer { (data, id) = (nil, nil) }
      return data.map { Event(data: $0, id: id) }
    }
    let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.count
    var value = line[min(colon + 1, line.count)...]
    if value.first == 0x20 { value.removeFirst() }
    if line[..<colon].elementsEqual("data".utf8) {
      if data == nil {
        data = Array(value)
      } else {
        data?.append(0x0A)
        data?.append(contentsOf: value)
      }
    } else if line[..<colon].elementsEqual("id".utf8) {
      id = Array(value)
    }
    // 'event' and 'retry' say nothing here; a line that begins with a colon is a comment.
    return nil
  }
}
