// swift-tools-version: 6.2
import PackageDescription

// A program of a user's own: it imports the product FrameStreaming only, and brings a source and a codec.
let package = Package(
    name: "OwnSource",
    dependencies: [.package(name: "FrameStreaming", path: "../../..")],
    targets: [
        .executableTarget(
            name: "own-source", dependencies: [.product(name: "FrameStreaming", package: "FrameStreaming")])
    ],
    swiftLanguageModes: [.v6]
)
