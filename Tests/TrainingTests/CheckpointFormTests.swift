import Foundation
import Models
import Safetensors
import Storage
import Tensors
import XCTest

@testable import Training

/// Checkpoints hold what a run keeps, in the form that it keeps it in.
final class CheckpointFormTests: XCTestCase {
  private let matrix = "model.layers.1.mlp.up_proj.weight"

  private func saved(_ form: TinyLoop, in folder: String) throws -> String {
    let loop = try form.made()
    _ = try loop.step(TinyLoop.rows(1))
    let path = folder + "/" + UUID().uuidString
    _ = try TrainingCheckpoint.save(loop, state: JSONObject(members: []), to: path)
    return path
  }

  private func error(loading path: String, into form: TinyLoop) throws -> TrainingCheckpointError? {
    let loop = try form.made(seed: 5)
    let before = loop.everything
    do throws(TrainingCheckpointError) {
      _ = try TrainingCheckpoint.load(into: loop, from: path)
      return nil
    } catch {
      XCTAssertEqual(differences(loop.everything, before), [], "nothing is taken from it")
      return error
    }
  }

  /// The layout of runs in float32 is what it was before there were other forms.
  func testNamesTypesAndShapes() throws {
    let folder = try temporaryFolder()
    for (name, form) in TinyLoop.forms(folder) {
      let path = try saved(form, in: folder)
      let parameters = try form.made().decoder.parameters
      let weights = try SafetensorsFile(at: path + "/weights.safetensors")
      XCTAssertEqual(weights.tensors.count, parameters.count, name)
      for parameter in parameters {
        XCTAssertEqual(weights[parameter.name]?.shape, parameter.shape)
        let isHalf = form.weights == .bfloat16 && parameter.shape.count == 2
        XCTAssertEqual(weights[parameter.name]?.dtype, isHalf ? .bf16 : .f32, parameter.name)
      }
      for moments in ["first-moments", "second-moments"] {
        let file = try SafetensorsFile(at: "\(path)/\(moments).safetensors")
        var count = parameters.count
        for parameter in parameters {
          let isQuantized =
            form.moments == .blockwise8Bit && parameter.shape.count == 2 && parameter.count >= 4096
          XCTAssertEqual(file[parameter.name]?.shape, parameter.shape)
          XCTAssertEqual(
            file[parameter.name]?.dtype, isQuantized ? .u8 : .f32, "\(name), \(parameter.name)")
          let scales = file[parameter.name + ".scales"]
          XCTAssertEqual(scales?.dtype, isQuantized ? .f32 : nil)
          XCTAssertEqual(scales?.shape, isQuantized ? [(parameter.count + 255) / 256] : nil)
          if isQuantized { count += 1 }
        }
        XCTAssertEqual(file.tensors.count, count, name)
      }
    }
  }

  func testMomentsOnTheDiskAndInMemoryAreOneForm() throws {
    let folder = try temporaryFolder()
    let forms = [TinyLoop(), TinyLoop(moments: .disk(folder: folder))]
    for (saved, loaded) in [(forms[0], forms[1]), (forms[1], forms[0])] {
      let path = try self.saved(saved, in: folder)
      let loop = try loaded.made(seed: 5), whole = try saved.made()
      _ = try TrainingCheckpoint.load(into: loop, from: path)
      _ = try whole.step(TinyLoop.rows(1))
      XCTAssertEqual(differences(loop.everything, whole.everything), [])
    }
  }

  func testAnotherFormIsTold() throws {
    let folder = try temporaryFolder()
    let plain = try saved(TinyLoop(), in: folder)
    let small = try saved(TinyLoop(weights: .bfloat16, moments: .blockwise8Bit), in: folder)
    let advice = "Go on in the form in which the run began, or begin anew in another folder."
    for (path, form, words) in [
      (
        plain, TinyLoop(weights: .bfloat16),
        "weights.safetensors: 'model.embed_tokens.weight' is in F32, where this run keeps BF16."
      ),
      (
        plain, TinyLoop(moments: .blockwise8Bit),
        "first-moments.safetensors: 'model.embed_tokens.weight' is in F32, where this run keeps U8."
      ),
      (
        small, TinyLoop(moments: .blockwise8Bit),
        "weights.safetensors: 'model.embed_tokens.weight' is in BF16, where this run keeps F32."
      ),
      (
        small, TinyLoop(weights: .bfloat16),
        "first-moments.safetensors: 'model.embed_tokens.weight' is in U8, where this run keeps F32."
      ),
    ] {
      let found = try error(loading: path, into: form)
      XCTAssertEqual(found?.reason, .otherForm)
      XCTAssertEqual(found?.description, "\(path)/\(words) \(advice)")
    }
  }

  /// A run that asks for another form is told, and no older checkpoint is taken instead.
  func testARunFolderTellsIt() throws {
    let folder = try temporaryFolder()
    let identity = RunDirectory.Identity(recipe: .null, fingerprint: [], remarks: [])
    do {
      let directory = try RunDirectory(at: folder + "/run", identity)
      _ = try directory.save(try TinyLoop().made(), state: JSONObject(members: []), keeping: 2)
    }
    let directory = try RunDirectory(at: folder + "/run", identity)
    XCTAssertThrowsError(
      try directory.restore(TinyLoop(weights: .bfloat16).made(), note: { XCTFail($0) })
    ) { XCTAssertEqual(($0 as? TrainingCheckpointError)?.reason, .otherForm) }
    XCTAssertEqual(try directory.checkpoints(), [0])
  }

  /// Files whose manifest is right, but which hold something else.
  func testFilesOfAnotherModel() throws {
    let folder = try temporaryFolder()
    let form = TinyLoop(moments: .blockwise8Bit)
    let changes: [(TrainingCheckpointError.Reason, ([TensorSource]) -> [TensorSource])] = [
      (.otherModel, { $0.filter { $0.name != self.matrix } }),
      (.otherModel, { $0.filter { $0.name != "model.norm.weight" } }),
      (.otherForm, { $0.filter { $0.name != self.matrix + ".scales" } }),
      (.otherModel, { $0 + [TensorSource("more", .f32, [1], [0, 0, 0, 0])] }),
      (.otherModel, { $0 + [TensorSource("more.scales", .f32, [1], [0, 0, 0, 0])] }),
      (
        .otherModel,
        {
          $0.map {
            $0.name == self.matrix + ".scales"
              ? TensorSource($0.name, .f32, [1, 18], [UInt8](repeating: 0, count: 72)) : $0
          }
        }
      ),
      (
        .otherForm,
        {
          $0.map {
            $0.name == self.matrix + ".scales"
              ? TensorSource($0.name, .i32, [18], [UInt8](repeating: 0, count: 72)) : $0
          }
        }
      ),
    ]
    for (number, (reason, change)) in changes.enumerated() {
      let path = try saved(form, in: folder)
      let file = path + "/second-moments.safetensors"
      let sources = try SafetensorsFile(at: file).tensors.map { TensorSource($0) }
      try SafetensorsFile.write(change(sources), to: file + ".new")
      XCTAssertEqual(rename(file + ".new", file), 0)
      let manifest = try TrainingCheckpoint.manifest(of: path).0
      try AtomicFile.write(manifest.serialized(pretty: true), to: path + "/manifest.json")
      XCTAssertEqual(try error(loading: path, into: form)?.reason, reason, "change \(number)")
    }
  }

  func testWeightsThatAreNoNumbersAreNotKept() throws {
    let folder = try temporaryFolder()
    for (form, strange) in [
      (TinyLoop(), Float.nan), (TinyLoop(weights: .bfloat16), .nan),
      (TinyLoop(weights: .bfloat16), .infinity), (TinyLoop(weights: .bfloat16), -.infinity),
    ] {
      let loop = try form.made()
      let parameter = try XCTUnwrap(loop.decoder.parameters.first { $0.name == matrix })
      switch parameter.storage {
      case .float32(let values): values[parameter.count - 1] = strange
      case .bfloat16(let words): words[parameter.count - 1] = BFloat16(strange).bitPattern
      }
      let path = folder + "/broken"
      XCTAssertThrowsError(
        try TrainingCheckpoint.save(loop, state: JSONObject(members: []), to: path)
      ) {
        XCTAssertEqual(
          "\($0)", "\(path): '\(matrix)' holds NaN or infinity, so this is not kept.")
      }
    }
  }
}
