// swift-tools-version: 6.2
import PackageDescription

// The programs of Docs/Recipes.md, and README's, one a target, as a user's own package has them.
let programs = [
    "serve-many", "save-jpegs", "bytes-to-files", "change-quality", "live-source", "async-frames", "program",
]

let package = Package(
    name: "Recipes",
    dependencies: [.package(name: "FrameStreaming", path: "../../..")],
    targets: programs.map {
        .executableTarget(name: $0, dependencies: [.product(name: "FrameStreaming", package: "FrameStreaming")])
    } + [
        .testTarget(
            name: "SourceTests", dependencies: [.product(name: "FrameStreamingTesting", package: "FrameStreaming")])
    ],
    swiftLanguageModes: [.v6]
)
