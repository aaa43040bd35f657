// swift-tools-version: 6.0
import PackageDescription

// A target imports what is listed for it and nothing else; Tests/run.sh builds with that check.
let package = Package(
  name: "distill",
  platforms: [.macOS(.v13)],
  products: [
    .executable(name: "distill", targets: ["distill"]),
    .library(name: "Storage", targets: ["Storage"]),
    .library(name: "Safetensors", targets: ["Safetensors"]),
    .library(name: "Tokenizers", targets: ["Tokenizers"]),
    .library(name: "Datasets", targets: ["Datasets"]),
    .library(name: "Interface", targets: ["Interface"]),
    .library(name: "ChatTemplates", targets: ["ChatTemplates"]),
    .library(name: "Verification", targets: ["Verification"]),
    .library(name: "Reports", targets: ["Reports"]),
    .library(name: "Sandbox", targets: ["Sandbox"]),
    .library(name: "Tensors", targets: ["Tensors"]),
    .library(name: "Layers", targets: ["Layers"]),
    .library(name: "Models", targets: ["Models"]),
    .library(name: "Adapters", targets: ["Adapters"]),
    .library(name: "Training", targets: ["Training"]),
    .library(name: "Generation", targets: ["Generation"]),
    .library(name: "Problems", targets: ["Problems"]),
    .library(name: "Overlap", targets: ["Overlap"]),
    .library(name: "Teachers", targets: ["Teachers"]),
    .library(name: "Curation", targets: ["Curation"]),
    .library(name: "TeacherGeneration", targets: ["TeacherGeneration"]),
    .library(name: "FineTuning", targets: ["FineTuning"]),
    .library(name: "Reinforcement", targets: ["Reinforcement"]),
    .library(name: "Scores", targets: ["Scores"]),
    .library(name: "Evaluation", targets: ["Evaluation"]),
    .library(name: "Comparison", targets: ["Comparison"]),
    .library(name: "Pipelines", targets: ["Pipelines"]),
    .library(name: "Timings", targets: ["Timings"]),
    .library(name: "Commands", targets: ["Commands"]),
  ],
  targets: [
    .target(name: "CKernels", exclude: ["README.md"]),
    .target(name: "Storage", dependencies: ["CKernels"], exclude: ["README.md"]),
    .target(name: "Interface", exclude: ["README.md"]),
    .target(name: "Safetensors", dependencies: ["Storage"], exclude: ["README.md"]),
    .target(name: "Tokenizers", dependencies: ["Storage"], exclude: ["README.md"]),
    .target(
      name: "Datasets", dependencies: ["ChatTemplates", "Tokenizers", "Interface", "Storage"],
      exclude: ["README.md"]),
    .target(name: "ChatTemplates", dependencies: ["Storage"], exclude: ["README.md"]),
    .target(name: "CSandbox", exclude: ["README.md"]),
    .target(name: "Sandbox", dependencies: ["CSandbox"], exclude: ["README.md"]),
    .target(name: "Verification", dependencies: ["Sandbox", "Storage"], exclude: ["README.md"]),
    .target(
      name: "Problems",
      dependencies: ["Verification", "Sandbox", "Datasets", "Interface", "Storage"],
      exclude: ["README.md"]),
    .target(
      name: "Teachers",
      dependencies: ["Generation", "Models", "Datasets", "Tokenizers", "Interface", "Storage"],
      exclude: ["README.md"]),
    .target(
      name: "TeacherGeneration", dependencies: ["Teachers", "Problems", "Storage"],
      exclude: ["README.md"]),
    .target(name: "Overlap", dependencies: ["Storage"], exclude: ["README.md"]),
    .target(name: "Reports", dependencies: ["Storage"], exclude: ["README.md"]),
    .target(name: "Scores", dependencies: ["Storage"], exclude: ["README.md"]),
    .target(
      name: "Evaluation",
      dependencies: [
        "TeacherGeneration", "Teachers", "Problems", "Verification", "Scores", "Models",
        "Interface", "Reports", "Storage",
      ], exclude: ["README.md"]),
    .target(
      name: "Comparison",
      dependencies: [
        "Evaluation", "Teachers", "Models", "Scores", "Reports", "Interface", "Storage",
      ], exclude: ["README.md"]),
    .target(
      name: "Curation",
      dependencies: [
        "Teachers", "Problems", "Overlap", "Datasets", "Verification", "Sandbox", "Tokenizers",
        "Interface", "Reports", "Storage",
      ],
      exclude: ["README.md"]),
    .target(name: "Tensors", dependencies: ["CKernels"], exclude: ["README.md"]),
    .target(name: "Layers", dependencies: ["Tensors", "CKernels"], exclude: ["README.md"]),
    .target(
      name: "Models", dependencies: ["Layers", "Tensors", "CKernels", "Safetensors", "Storage"],
      exclude: ["README.md"]),
    .target(
      name: "Adapters", dependencies: ["Models", "Safetensors", "Storage", "Tensors"],
      exclude: ["README.md"]),
    .target(
      name: "Training", dependencies: ["Models", "Safetensors", "Storage", "Tensors", "CKernels"],
      exclude: ["README.md"]),
    .target(
      name: "TrainingRecipes", dependencies: ["Training", "Models", "Interface"],
      exclude: ["README.md"]),
    .target(
      name: "FineTuning",
      dependencies: [
        "Training", "TrainingRecipes", "Adapters", "Generation", "Datasets", "Models", "Interface",
        "Reports", "Storage", "Tensors",
      ],
      exclude: ["README.md"]),
    .target(
      name: "Reinforcement",
      dependencies: [
        "Training", "TrainingRecipes", "Generation", "Teachers", "Problems", "Verification",
        "Sandbox", "Datasets", "Tokenizers", "Models", "Interface", "Reports", "Storage", "Tensors",
      ],
      exclude: ["README.md"]),
    .target(
      name: "Generation", dependencies: ["Models", "Tokenizers", "Tensors", "CKernels"],
      exclude: ["README.md"]),
    .target(
      name: "Timings",
      dependencies: [
        "Generation", "Models", "Layers", "Tensors", "CKernels", "Training", "Tokenizers",
      ]),
    .target(
      name: "Pipelines", dependencies: ["Reports", "Interface", "Storage"],
      exclude: ["README.md"]),
    .target(name: "CTinyExperiment", exclude: ["README.md"]),
    .target(
      name: "Commands",
      dependencies: [
        "Interface", "Pipelines", "CTinyExperiment", "Timings", "FineTuning", "Training",
        "TrainingRecipes", "Reinforcement",
        "Reports", "Generation", "Adapters", "Models", "Tensors",
        "Safetensors", "Datasets", "Tokenizers", "Storage", "Verification", "Sandbox",
        "TeacherGeneration", "Teachers", "Problems", "Curation", "Evaluation", "Comparison",
        "Scores",
      ],
      exclude: ["README.md"]),
    .executableTarget(name: "distill", dependencies: ["Commands", "Interface"]),
    .executableTarget(
      name: "memorize", dependencies: ["Models", "Tensors", "Training"],
      path: "Examples/memorize"),
    .executableTarget(
      name: "sample-from-checkpoint", dependencies: ["Datasets", "Generation", "Models"],
      path: "Examples/sample-from-checkpoint"),
    .executableTarget(
      name: "custom-reward",
      dependencies: ["Interface", "Problems", "Reinforcement", "Storage", "Training"],
      path: "Examples/custom-reward"),
    .executableTarget(
      name: "custom-benchmark", dependencies: ["Problems", "Scores", "Teachers"],
      path: "Examples/custom-benchmark"),
    .target(name: "Stories", path: "Examples/arithmetic-stories/Stories"),
    .executableTarget(
      name: "arithmetic-stories", dependencies: ["Stories"], path: "Examples/arithmetic-stories",
      exclude: ["Stories"]),

    .target(name: "FaultServer", dependencies: ["Storage"], path: "Tests/FaultServer"),
    .target(name: "TestSupport", dependencies: ["Tensors"], path: "Tests/TestSupport"),
    .target(
      name: "EmulatedKernels", dependencies: ["CKernels"], path: "Tests/EmulatedKernels",
      cSettings: [.headerSearchPath("../../Sources/CKernels")]),
    .testTarget(
      name: "KernelTests", dependencies: ["CKernels", "EmulatedKernels", "Tensors", "TestSupport"]),
    .testTarget(name: "TensorTests", dependencies: ["Tensors", "CKernels", "TestSupport"]),
    .testTarget(name: "LayerTests", dependencies: ["Layers", "Tensors", "TestSupport"]),
    .testTarget(
      name: "ModelTests",
      dependencies: ["Models", "Layers", "Tensors", "Safetensors", "Storage", "Training"]),
    .testTarget(name: "ModelConfigurationTests", dependencies: ["Models", "Storage"]),
    .testTarget(
      name: "AdapterTests",
      dependencies: ["Adapters", "Models", "Safetensors", "Storage", "Tensors"]),
    .testTarget(
      name: "TrainingTests",
      dependencies: ["Training", "Models", "Safetensors", "Tensors", "Storage", "TestSupport"]),
    .testTarget(
      name: "FineTuningTests",
      dependencies: [
        "distill", "FineTuning", "Training", "TrainingRecipes", "Adapters", "Datasets", "Models",
        "Safetensors", "Tensors", "Storage",
      ]),
    .testTarget(name: "StorageTests", dependencies: ["Storage"]),
    .testTarget(name: "SafetensorsTests", dependencies: ["Safetensors", "Storage"]),
    .testTarget(name: "TokenizerTests", dependencies: ["Tokenizers", "Storage"]),
    .testTarget(
      name: "DatasetTests",
      dependencies: ["Datasets", "ChatTemplates", "Tokenizers", "Models", "Tensors", "Storage"]),
    .testTarget(name: "ChatTemplateTests", dependencies: ["ChatTemplates", "Storage"]),
    .testTarget(
      name: "GenerationTests",
      dependencies: ["Generation", "Models", "Tokenizers", "Tensors", "CKernels", "Storage"]),
    .testTarget(name: "VerificationTests", dependencies: ["Verification", "Storage"]),
    .testTarget(name: "ReadabilityTests", dependencies: ["Verification", "Storage"]),
    .testTarget(name: "SandboxTests", dependencies: ["Sandbox", "CSandbox"]),
    .testTarget(name: "ProgramTests", dependencies: ["Verification", "Sandbox", "Storage"]),
    .testTarget(
      name: "ProblemTests",
      dependencies: ["Problems", "Verification", "Sandbox", "Datasets", "Interface", "Storage"]),
    .testTarget(
      name: "TeacherGenerationTests",
      dependencies: ["TeacherGeneration", "Teachers", "Problems", "Storage"]),
    .testTarget(
      name: "TeacherTests", dependencies: ["Teachers", "FaultServer", "Interface", "Storage"]),
    .testTarget(
      name: "TeachingTests", dependencies: ["distill", "FaultServer", "Teachers", "Storage"]),
    .testTarget(name: "OverlapTests", dependencies: ["Overlap", "Storage"]),
    .testTarget(name: "ReportTests", dependencies: ["Reports", "Storage"]),
    .testTarget(
      name: "EvaluationTests",
      dependencies: [
        "Evaluation", "Scores", "TeacherGeneration", "Teachers", "Problems", "Sandbox", "Interface",
        "Storage",
      ]),
    .testTarget(name: "ScoreTests", dependencies: ["Scores", "Storage"]),
    .testTarget(
      name: "ComparisonTests",
      dependencies: [
        "Comparison", "Evaluation", "Teachers", "Scores", "Reports", "Interface", "Storage",
      ]),
    .testTarget(
      name: "CurationTests",
      dependencies: [
        "Curation", "TeacherGeneration", "Teachers", "Problems", "Datasets", "ChatTemplates",
        "Verification", "Tokenizers", "Interface", "Reports", "Storage",
      ]),
    .testTarget(
      name: "PipelineTests",
      dependencies: [
        "distill", "Pipelines", "Commands", "Reports", "Interface", "Storage",
      ]),
    .testTarget(name: "InterfaceTests", dependencies: ["Interface"]),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "distill", "Commands", "Interface", "Timings", "FineTuning", "Training", "Generation",
        "Models",
        "Tensors", "Safetensors", "Datasets", "Tokenizers", "Storage", "Sandbox",
        "TeacherGeneration", "Curation", "Evaluation", "Comparison",
      ]),
    .testTarget(
      name: "RewardTests",
      dependencies: [
        "Reinforcement", "Teachers", "Problems", "Verification", "Sandbox", "Interface", "Storage",
      ]),
    .testTarget(
      name: "ReinforcementTests",
      dependencies: [
        "distill", "Reinforcement", "Training", "TrainingRecipes", "Generation", "Problems",
        "Verification", "Datasets", "Tokenizers", "Models", "Interface", "Storage", "Tensors",
      ]),
    .testTarget(
      name: "ObjectiveTests",
      dependencies: ["Reinforcement", "Problems", "Interface", "Reports", "Storage"]),
    .testTarget(name: "StoryTests", dependencies: ["Stories", "Storage"]),
    .testTarget(
      name: "PackageTests",
      dependencies: [
        "memorize", "sample-from-checkpoint", "custom-reward", "custom-benchmark",
        "arithmetic-stories",
      ]),
  ]
)
