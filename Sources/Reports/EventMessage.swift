import Storage

/// TensorBoard's messages as protocol buffers, field by field.
///
/// Numbers of fields are those of `event.proto`, `summary.proto`, `tensor.proto` and
/// `types.proto` of TensorBoard 2.21.
struct EventMessage {
  private(set) var bytes: [UInt8] = []

  /// `Event`: wall_time = 1, step = 2, and one of what follows.
  private init(time: Double, step: Int) {
    fixed64(1, time.bitPattern)
    // A step of 0 is the default, which is not written.
    if step != 0 { varint(2, UInt64(bitPattern: Int64(step))) }
  }

  private init() {}

  /// The first event of a file, file_version = 3.
  static func version(time: Double) -> EventMessage {
    var event = EventMessage(time: time, step: 0)
    event.text(3, versionText)
    return event
  }

  static let versionText = "brain.Event:2"

  /// summary = 5 with a value = 1 for each number: tag = 1, simple_value = 2.
  static func scalars(
    _ scalars: [(tag: String, value: Float)], step: Int, time: Double
  ) -> EventMessage {
    var summary = EventMessage()
    for (tag, value) in scalars {
      var message = EventMessage()
      message.text(1, tag)
      message.fixed32(2, value.bitPattern)
      summary.message(1, message)
    }
    var event = EventMessage(time: time, step: step)
    event.message(5, summary)
    return event
  }

  /// A summary whose value = 1 has a tag = 1, a tensor = 8 of one string (dtype = 1 is DT_STRING = 7,
  /// tensor_shape = 2, string_val = 8) and the metadata = 9 that show it as text: plugin_data = 1
  /// with plugin_name = 1, and data_class = 4, which is DATA_CLASS_TENSOR = 2.
  static func text(_ text: String, tag: String, step: Int, time: Double) -> EventMessage {
    var plugin = EventMessage()
    plugin.text(1, "text")
    var metadata = EventMessage()
    metadata.message(1, plugin)
    metadata.varint(4, 2)
    var tensor = EventMessage()
    tensor.varint(1, 7)
    tensor.message(2, EventMessage())
    tensor.text(8, text)
    var value = EventMessage()
    value.text(1, tag)
    value.message(8, tensor)
    value.message(9, metadata)
    var summary = EventMessage()
    summary.message(1, value)
    var event = EventMessage(time: time, step: step)
    event.message(5, summary)
    return event
  }

  /// session_log = 7 with status = 1, which is START = 1: what came before of this step and later
  /// steps is not shown.
  static func restart(step: Int, time: Double) -> EventMessage {
    var log = EventMessage()
    log.varint(1, 1)
    var event = EventMessage(time: time, step: step)
    event.message(7, log)
    return event
  }

  /// Length, its masked checksum, the message, and its masked checksum, all little-endian.
  var record: [UInt8] {
    var record: [UInt8] = []
    Self.append(UInt64(bytes.count), to: &record)
    Self.append(CRC32C.masked(record), to: &record)
    record += bytes
    Self.append(CRC32C.masked(bytes), to: &record)
    return record
  }

  private static func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
  }

  private mutating func plainVarint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  private mutating func key(_ field: UInt64, _ wireType: UInt64) {
    plainVarint(field << 3 | wireType)
  }

  private mutating func varint(_ field: UInt64, _ value: UInt64) {
    key(field, 0)
    plainVarint(value)
  }

  private mutating func fixed64(_ field: UInt64, _ value: UInt64) {
    key(field, 1)
    Self.append(value, to: &bytes)
  }

  private mutating func fixed32(_ field: UInt64, _ value: UInt32) {
    key(field, 5)
    Self.append(value, to: &bytes)
  }

  private mutating func text(_ field: UInt64, _ text: String) {
    key(field, 2)
    plainVarint(UInt64(text.utf8.count))
    bytes += text.utf8
  }

  private mutating func message(_ field: UInt64, _ message: EventMessage) {
    key(field, 2)
    plainVarint(UInt64(message.bytes.count))
    bytes += message.bytes
  }
}
