import Foundation
import Models
import Safetensors
import Storage

/// The files of a checkpoint's folder, as far as they can be told without reading the weights.
struct CheckpointFiles {
  /// The files with weights, in order of their names.
  let names: [String]
  let bytesOnDisk: Int
  /// The types of the weights, as `config.json` names them.
  let dtypes: [String]
  /// The tensors that the head is in.
  let headTensors: [String]
  /// The file that the tokenizer is read from, if it is there.
  let tokenizer: String?
  /// The file that holds the chat template, if any does.
  let chatTemplate: String?
  /// What is unusual but does no harm, in sentences.
  let notes: [String]

  init(_ checkpoint: Checkpoint) {
    let path = checkpoint.path
    let configuration = checkpoint.configuration
    names = checkpoint.tensors.files.map {
      $0.path.split(separator: "/").last.map(String.init) ?? $0.path
    }
    bytesOnDisk = checkpoint.tensors.files.reduce(0) { $0 + (sizeOfFile($1.path) ?? 0) }
    dtypes = checkpoint.dtypes.map(\.dtypeName)
    let head: [ParameterRole] = configuration.tieWordEmbeddings ? [.embedding, .head] : [.head]
    headTensors = head.map { $0.name() }.filter { checkpoint.tensors[$0] != nil }

    let present = Set((try? Storage.names(inFolder: path)) ?? [])
    var notes: [String] = []
    if let dtype = configuration.dtype, dtypes != [dtype.rawValue] {
      notes.append(
        "\(path): config.json says '\(dtype.rawValue)', but the weights are stored as "
          + "\(listText(dtypes)).")
    }
    tokenizer = present.contains("tokenizer.json") ? "tokenizer.json" : nil
    let others = ["tokenizer.model", "vocab.json"].filter(present.contains)
    if tokenizer == nil, let other = others.first {
      notes.append(
        "\(path): there is '\(other)', but only 'tokenizer.json' is read. transformers writes one "
          + "with 'AutoTokenizer.from_pretrained(…).save_pretrained(…)'.")
    }
    chatTemplate = Self.chatTemplate(in: path, present, &notes)
    self.notes = notes
  }

  /// A file of its own comes before the member of `tokenizer_config.json`, as in transformers.
  private static func chatTemplate(
    in path: String, _ present: Set<String>, _ notes: inout [String]
  ) -> String? {
    for name in ["chat_template.jinja", "chat_template.json"] where present.contains(name) {
      return name
    }
    let name = "tokenizer_config.json"
    guard present.contains(name) else { return nil }
    do {
      let file = try MappedFile(at: path + "/" + name)
      let json = try withExtendedLifetime(file) {
        try JSONValue(
          parsing: file.bytes, source: path + "/" + name, limits: JSONLimits(bytes: 16 << 20))
      }
      guard case .object(let object) = json, let template = object["chat_template"],
        template != .null
      else { return nil }
      return name
    } catch {
      notes.append("\(error)")
      return nil
    }
  }

  var json: JSONValue {
    .members([
      ("weights", .array(names.map { .string($0) })),
      ("bytesOnDisk", .count(bytesOnDisk)),
      ("dtypes", .array(dtypes.map { .string($0) })),
      ("headTensors", .array(headTensors.map { .string($0) })),
      ("tokenizer", .text(tokenizer)),
      ("chatTemplate", .text(chatTemplate)),
    ])
  }
}

/// The bytes of a file, or of the one that a link leads to; nil if there is none.
func sizeOfFile(_ path: String) -> Int? {
  var status = stat()
  guard stat(path, &status) == 0 else { return nil }
  return Int(status.st_size)
}
