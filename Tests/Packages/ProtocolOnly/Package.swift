// swift-tools-version: 6.2
import PackageDescription

// The protocol alone: no camera, no JPEG library. It builds where
// neither -dev package is installed.
let package = Package(
    name: "ProtocolOnly",
    // No traits: what a package that is fetched has unless it asks; one
    // beside this has those of our examples.
    dependencies: [.package(name: "FrameStreaming", path: "../../..", traits: [])],
    targets: [
        .testTarget(
            name: "ProtocolOnlyTests",
            dependencies: [
                .product(name: "FrameStreamingCore", package: "FrameStreaming"),
                .product(name: "FrameStreamingTCP", package: "FrameStreaming"),
                .product(name: "FrameStreamingTesting", package: "FrameStreaming"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
