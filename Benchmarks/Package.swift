// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// A package of its own, so that those who depend on FrameStreaming build none of this.
let package = Package(
    name: "Benchmarks",
    dependencies: [
        // Named, whatever the checkout is called.
        .package(name: "FrameStreaming", path: "..", traits: ["Preview"]),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    ],
    targets: [
        /// libturbojpeg alone: what the pipeline could reach if
        /// everything around the codec were free.
        .executableTarget(
            name: "TurboReference",
            linkerSettings: [.linkedLibrary("turbojpeg"), .linkedLibrary("pthread")]),
        /// The same bytes over the same loopback in the plainest C.
        .executableTarget(name: "LoopReference"),
        /// A longer and thinner cable, where the kernel has none.
        .executableTarget(name: "DelayProxy"),
        /// One payload to many receivers in the plainest C.
        .executableTarget(name: "FanOutReference", linkerSettings: [.linkedLibrary("pthread")]),
        /// YUYV expanded to three bytes a pixel and libjpeg, as other programs for
        /// cameras do it (libjpeg62-turbo-dev).
        .target(name: "ExpandedRows", linkerSettings: [.linkedLibrary("jpeg")]),
        .executableTarget(
            name: "frame-bench",
            dependencies: [
                "ExpandedRows",
                .product(name: "FrameStreaming", package: "FrameStreaming"),
                .product(name: "FrameStreamingPreview", package: "FrameStreaming"),
                .product(name: "FrameStreamingTesting", package: "FrameStreaming"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
