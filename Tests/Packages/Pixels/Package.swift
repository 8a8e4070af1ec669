// swift-tools-version: 6.2
import PackageDescription

// Pixels without unsafe code, in a user's own program: built and run
// without optimization and with it.
let package = Package(
    name: "Pixels",
    // No traits: what a package that is fetched has unless it asks; one
    // beside this has those of our examples.
    dependencies: [.package(name: "FrameStreaming", path: "../../..", traits: [])],
    targets: [
        .executableTarget(
            name: "pixels", dependencies: [.product(name: "FrameStreamingCore", package: "FrameStreaming")],
            swiftSettings: [
                .strictMemorySafety(), .treatAllWarnings(as: .error), .enableUpcomingFeature("MemberImportVisibility"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
