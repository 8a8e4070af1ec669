// swift-tools-version: 6.2
import PackageDescription

/// CI sets FRAMESTREAMING_WERROR, so that a warning that a newer compiler
/// adds does not break a user's build.
let warnings: [SwiftSetting] =
    Context.environment["FRAMESTREAMING_WERROR"] == nil ? [] : [.treatAllWarnings(as: .error)]

let settings: [SwiftSetting] =
    warnings + [
        .strictMemorySafety(),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ]

/// A package of its own, so that only building the window needs SDL2.
let package = Package(
    name: "frame-view",
    dependencies: [
        // Named explicitly, whatever the folder of the checkout is called.
        .package(name: "FrameStreaming", path: "../..", traits: ["TLS"]),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    ],
    targets: [
        .systemLibrary(name: "CSDL2", pkgConfig: "sdl2", providers: [.apt(["libsdl2-dev"])]),
        .executableTarget(
            name: "frame-view",
            dependencies: [
                "CSDL2", .product(name: "FrameStreaming", package: "FrameStreaming"),
                .product(name: "FrameStreamingTLS", package: "FrameStreaming"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "FrameViewTests",
            dependencies: [
                "frame-view", "CSDL2", .product(name: "FrameStreaming", package: "FrameStreaming"),
                .product(name: "FrameStreamingTesting", package: "FrameStreaming"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
