// swift-tools-version: 6.2
import PackageDescription

// A program of a user's own: it imports the product FrameStreaming only,
// and brings a source and a codec.
let package = Package(
    name: "OwnSource",
    // No traits: what a package that is fetched has unless it asks; one
    // beside this has those of our examples.
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
