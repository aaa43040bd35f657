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
  ],
  targets: [
    .target(name: "CKernels", exclude: ["README.md"]),
    .target(name: "Storage"),
    .target(name: "Interface", exclude: ["README.md"]),
    .target(name: "Safetensors", dependencies: ["Storage"]),
    .target(name: "Tensors", dependencies: ["CKernels"], exclude: ["README.md"]),
    .target(name: "Layers", dependencies: ["Tensors", "CKernels"], exclude: ["README.md"]),
    .target(
      name: "Models", dependencies: ["Layers", "Tensors", "CKernels", "Safetensors", "Storage"],
      exclude: ["README.md"]),
    .target(name: "Training", dependencies: ["Models", "Tensors", "CKernels"]),
    .target(
      name: "Timings", dependencies: ["Models", "Layers", "Tensors", "CKernels", "Training"]),
    .executableTarget(
      name: "distill", dependencies: ["Interface", "Timings", "Models", "Tensors"]),
    .executableTarget(
      name: "memorize", dependencies: ["Models", "Tensors", "Training"],
      path: "Examples/memorize"),
    .testTarget(name: "StorageTests", dependencies: ["Storage"]),
    .testTarget(name: "SafetensorsTests", dependencies: ["Safetensors", "Storage"]),
    .testTarget(name: "InterfaceTests", dependencies: ["Interface"]),
    .testTarget(
      name: "ModelTests",
      dependencies: ["Models", "Layers", "Tensors", "Safetensors", "Storage", "Training"]),
    .testTarget(name: "ModelConfigurationTests", dependencies: ["Models", "Storage"]),
    .testTarget(name: "PackageTests", dependencies: ["memorize"]),
  ]
)
