// swift-tools-version: 6.0
import PackageDescription

let package = Package(
  name: "distill",
  products: [
    .library(name: "Storage", targets: ["Storage"])
  ],
  targets: [
    .target(name: "Storage"),
    .target(name: "Models", dependencies: ["Storage"]),
    .testTarget(name: "StorageTests", dependencies: ["Storage"]),
    .testTarget(name: "ModelConfigurationTests", dependencies: ["Models", "Storage"]),
  ]
)
