// swift-tools-version: 6.2
import PackageDescription

// The protocol alone, without camera and JPEG library. It builds where
// neither -dev package is installed.
let package = Package(
    name: "ProtocolOnly",
    // No traits, as for a dependency that is fetched. By default a dependency at a local
    // path has the traits of our examples.
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
