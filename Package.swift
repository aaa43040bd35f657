// swift-tools-version: 6.0
import PackageDescription

let package = Package(
  name: "distill",
  products: [
    .library(name: "Storage", targets: ["Storage"]),
    .library(name: "Safetensors", targets: ["Safetensors"]),
    .library(name: "Models", targets: ["Models"]),
  ],
  targets: [
    .target(name: "Storage"),
    .target(name: "Safetensors", dependencies: ["Storage"]),
    .target(name: "Models", dependencies: ["Storage"]),
    .testTarget(name: "StorageTests", dependencies: ["Storage"]),
    .testTarget(name: "SafetensorsTests", dependencies: ["Safetensors", "Storage"]),
    .testTarget(name: "ModelConfigurationTests", dependencies: ["Models", "Storage"]),
  ]
)
