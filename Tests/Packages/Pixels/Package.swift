// swift-tools-version: 6.2
import PackageDescription

// Pixels without unsafe code, in a user's own program: built and run
// without optimization and with it.
let package = Package(
    name: "Pixels",
    // No traits, as for a dependency that is fetched. By default a dependency at a local
    // path has the traits of our examples.
    dependencies: [.package(name: "FrameStreaming", path: "../../..", traits: [])],
    targets: [
        .executableTarget(
            name: "pixels", dependencies: [.product(name: "FrameStreamingCore", package: "FrameStreaming")],
            swiftSettings: [
                .strictMemorySafety(), .treatAllWarnings(as: .error), .enableUpcomingFeature("MemberImportVisibility"),
            ]),
        // README's first program, which Tests/Documents/run runs with optimization.
        .executableTarget(
            name: "camera", dependencies: [.product(name: "FrameStreaming", package: "FrameStreaming")]),
    ],
    swiftLanguageModes: [.v6]
)
