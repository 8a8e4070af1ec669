// swift-tools-version: 6.2
import PackageDescription

/// A client of one product alone: it is compiled, as a user's own package would be, and never run.
func client(_ name: String, of product: String) -> Target {
    .target(
        name: "\(name)Client", dependencies: [.product(name: product, package: "FrameStreaming")],
        // Every member that is used must come with the one import, and no call needs `unsafe`.
        swiftSettings: [
            .strictMemorySafety(), .treatAllWarnings(as: .error), .enableUpcomingFeature("MemberImportVisibility"),
            .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
        ])
}

/// What the pieces of code in the documentation import.
let shown: [Target.Dependency] = [
    .product(name: "FrameStreaming", package: "FrameStreaming"),
    .product(name: "FrameStreamingPreview", package: "FrameStreaming"),
    .product(name: "FrameStreamingTLS", package: "FrameStreaming"),
    .product(name: "FrameStreamingMedia", package: "FrameStreaming"),
]

let package = Package(
    name: "Clients",
    dependencies: [.package(name: "FrameStreaming", path: "../../..", traits: ["Preview", "TLS", "Media"])],
    targets: [
        client("Umbrella", of: "FrameStreaming"),
        client("Core", of: "FrameStreamingCore"),
        client("Camera", of: "FrameStreamingCamera"),
        client("Files", of: "FrameStreamingFiles"),
        client("JPEG", of: "FrameStreamingJPEG"),
        client("TCP", of: "FrameStreamingTCP"),
        client("Testing", of: "FrameStreamingTesting"),
        client("Preview", of: "FrameStreamingPreview"),
        client("TLS", of: "FrameStreamingTLS"),
        client("Media", of: "FrameStreamingMedia"),
        .target(name: "Snippets", dependencies: shown),
        // The program of Docs/Preview.md.
        .executableTarget(name: "viewer", dependencies: shown),
    ],
    swiftLanguageModes: [.v6]
)
