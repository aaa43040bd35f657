// swift-tools-version: 6.0
import PackageDescription

let package = Package(
  name: "distill",
  products: [
    .library(name: "Storage", targets: ["Storage"]),
    .library(name: "Tensors", targets: ["Tensors"]),
    .library(name: "Layers", targets: ["Layers"]),
    .library(name: "Models", targets: ["Models"]),
  ],
  targets: [
    .target(name: "CKernels"),
    .target(name: "Storage"),
    .target(name: "Tensors", dependencies: ["CKernels"]),
    .target(name: "Layers", dependencies: ["Tensors", "CKernels"]),
    .target(name: "Models", dependencies: ["Layers", "Tensors", "CKernels", "Storage"]),
    .target(name: "Training", dependencies: ["Models", "Tensors", "CKernels"]),
    .executableTarget(
      name: "distill", dependencies: ["Models", "Tensors", "CKernels", "Training"]),
    .target(name: "TestSupport", dependencies: ["Tensors"], path: "Tests/TestSupport"),
    .target(
      name: "EmulatedKernels", dependencies: ["CKernels"], path: "Tests/EmulatedKernels",
      cSettings: [.headerSearchPath("../../Sources/CKernels")]),
    .testTarget(name: "StorageTests", dependencies: ["Storage"]),
    .testTarget(name: "ModelConfigurationTests", dependencies: ["Models", "Storage"]),
    .testTarget(
      name: "KernelTests", dependencies: ["CKernels", "EmulatedKernels", "Tensors", "TestSupport"]),
    .testTarget(name: "TensorTests", dependencies: ["Tensors", "CKernels", "TestSupport"]),
    .testTarget(name: "LayerTests", dependencies: ["Layers", "Tensors", "TestSupport"]),
  ]
)
