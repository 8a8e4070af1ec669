// swift-tools-version: 6.2
import PackageDescription

// The programs of Docs/Recipes.md, and README's, one a target, as a user's own package has them.
let programs = [
    "serve-many", "save-jpegs", "bytes-to-files", "change-quality", "live-source", "async-frames", "async-send",
    "relay", "reconnect", "program",
]

let library = Target.Dependency.product(name: "FrameStreaming", package: "FrameStreaming")

let package = Package(
    name: "Recipes",
    dependencies: [
        // No traits, as for a dependency that is fetched. By default a dependency at a local
        // path has the traits of our examples.
        .package(name: "FrameStreaming", path: "../../..", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    ],
    targets: programs.map { .executableTarget(name: $0, dependencies: [library]) } + [
        // The one that shows that pixels need no unsafe code.
        .executableTarget(
            name: "negative", dependencies: [library],
            swiftSettings: [.strictMemorySafety(), .treatAllWarnings(as: .error)]),
        // The one recipe with a dependency of its own.
        .executableTarget(
            name: "camera-log", dependencies: [library, .product(name: "Logging", package: "swift-log")]),
        .testTarget(
            name: "SourceTests", dependencies: [.product(name: "FrameStreamingTesting", package: "FrameStreaming")]),
        .testTarget(
            name: "CodecTests", dependencies: [.product(name: "FrameStreamingTesting", package: "FrameStreaming")]),
    ],
    swiftLanguageModes: [.v6]
)
