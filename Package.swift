// swift-tools-version: 6.0
import PackageDescription

let package = Package(
  name: "distill",
  products: [
    .library(name: "Storage", targets: ["Storage"])
  ],
  targets: [
    .target(name: "Storage"),
    .testTarget(name: "StorageTests", dependencies: ["Storage"]),
    .target(name: "Interface", exclude: ["README.md"]),
    .testTarget(name: "InterfaceTests", dependencies: ["Interface"]),
  ]
)
