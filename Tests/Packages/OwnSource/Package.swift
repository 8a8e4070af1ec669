// swift-tools-version: 6.2
import PackageDescription

// A user's program: it imports the product FrameStreaming only, and brings a source and a codec.
let package = Package(
    name: "OwnSource",
    // No traits, as for a dependency that is fetched. By default a dependency at a local
    // path has the traits of our examples.
    dependencies: [.package(name: "FrameStreaming", path: "../../..", traits: [])],
    targets: [
        .executableTarget(
            name: "own-source", dependencies: [.product(name: "FrameStreaming", package: "FrameStreaming")],
            // The pixel loops need no `unsafe`, and no member of a module that is not imported.
            swiftSettings: [
                .strictMemorySafety(), .treatAllWarnings(as: .error), .enableUpcomingFeature("MemberImportVisibility"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
