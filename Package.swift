// swift-tools-version: 6.0
import PackageDescription

let package = Package(
  name: "distill",
  products: [
    .executable(name: "distill", targets: ["distill"]),
    .library(name: "Storage", targets: ["Storage"]),
    .library(name: "Safetensors", targets: ["Safetensors"]),
    .library(name: "Interface", targets: ["Interface"]),
    .library(name: "Tensors", targets: ["Tensors"]),
    .library(name: "Layers", targets: ["Layers"]),
    .library(name: "Models", targets: ["Models"]),
    .library(name: "Training", targets: ["Training"]),
    .library(name: "Commands", targets: ["Commands"]),
  ],
  targets: [
    .target(name: "CKernels"),
    .target(name: "Storage"),
    .target(name: "Interface", exclude: ["README.md"]),
    .target(name: "Safetensors", dependencies: ["Storage"]),
    .target(name: "Tensors", dependencies: ["CKernels"]),
    .target(name: "Layers", dependencies: ["Tensors", "CKernels"]),
    .target(
      name: "Models", dependencies: ["Layers", "Tensors", "CKernels", "Safetensors", "Storage"]),
    .target(name: "Training", dependencies: ["Models", "Tensors", "CKernels"]),
    .target(name: "Timings", dependencies: ["Tensors", "CKernels"]),
    .target(
      name: "Commands",
      dependencies: ["Interface", "Timings", "Models", "Tensors", "Safetensors", "Storage"],
      exclude: ["README.md"]),
    .executableTarget(name: "distill", dependencies: ["Commands", "Interface"]),
    .testTarget(name: "StorageTests", dependencies: ["Storage"]),
    .testTarget(name: "SafetensorsTests", dependencies: ["Safetensors", "Storage"]),
    .testTarget(name: "InterfaceTests", dependencies: ["Interface"]),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "distill", "Commands", "Interface", "Timings", "Models", "Tensors", "Safetensors",
        "Storage",
      ]),
    .testTarget(
      name: "ModelTests",
      dependencies: ["Models", "Layers", "Tensors", "Safetensors", "Storage", "Training"]),
    .testTarget(name: "ModelConfigurationTests", dependencies: ["Models", "Storage"]),
  ]
)
