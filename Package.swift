// swift-tools-version: 6.3
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

/// Returning a Span from an API of our own needs this in the module
/// that defines it, and nowhere else.
let lifetimes: [SwiftSetting] = settings + [.enableExperimentalFeature("Lifetimes")]

/// The preview's page, which `PreviewPage` puts together.
let pageFiles = [
    "index.html", "page.css", "elements.js", "figures.js", "plot.js", "tile.js", "places.js", "grid.js", "actions.js",
    "pictures.js", "connection.js",
]

/// An executable under Examples. None is a product: who depends on the package gets libraries only.
func example(_ name: String, preview: Bool = false) -> Target {
    .executableTarget(
        name: name,
        dependencies: [
            "FrameStreaming", "ExampleSupport",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
            .target(name: "FrameStreamingTLS", condition: .when(traits: ["TLS"])),
        ] + (preview ? ["FrameStreamingPreview", "PreviewSupport"] : []),
        path: "Examples/\(name)", swiftSettings: settings)
}

/// Whether SwiftPM has fetched this package for another: it reads the manifest out of the
/// repository (at `/`) to choose a version, and from its checkouts afterwards. The trait is then
/// off unless it is asked for; here, at home, it is on for the examples and the tests. SwiftPM
/// itself has one default for both.
let isFetched = Context.packageDirectory == "/" || Context.packageDirectory.contains("/checkouts/")

/// Whether the manifest has FFmpeg's part. At home only if FRAMESTREAMING_FULL asks for it
/// (`make full`), because SwiftPM builds every target of the package that it stands in, and that
/// must not need FFmpeg.
let hasMedia = isFetched || Context.environment["FRAMESTREAMING_FULL"] != nil

let package = Package(
    name: "FrameStreaming",
    products: [
        .library(name: "FrameStreaming", targets: ["FrameStreaming"]),
        .library(name: "FrameStreamingCore", targets: ["FrameStreamingCore"]),
        .library(name: "FrameStreamingCamera", targets: ["FrameStreamingCamera"]),
        .library(name: "FrameStreamingFiles", targets: ["FrameStreamingFiles"]),
        .library(name: "FrameStreamingJPEG", targets: ["FrameStreamingJPEG"]),
        .library(name: "FrameStreamingTCP", targets: ["FrameStreamingTCP"]),
        .library(name: "FrameStreamingTesting", targets: ["FrameStreamingTesting"]),
        .library(name: "FrameStreamingPreview", targets: ["FrameStreamingPreview"]),
        .library(name: "FrameStreamingTLS", targets: ["FrameStreamingTLS"]),
    ],
    traits: [
        .trait(name: "Preview", description: "The product FrameStreamingPreview."),
        .trait(name: "TLS", description: "The product FrameStreamingTLS, which needs OpenSSL 3."),
        .default(enabledTraits: isFetched ? [] : Set(["Preview", "TLS"] + (hasMedia ? ["Media"] : []))),
    ],
    dependencies: [
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    ],
    targets: [
        .target(
            name: "FrameStreaming",
            dependencies: [
                "FrameStreamingCore", "FrameStreamingCamera", "FrameStreamingFiles", "FrameStreamingJPEG",
                "FrameStreamingTCP",
            ],
            swiftSettings: settings),
        .target(
            name: "FrameStreamingCore",
            dependencies: [
                "FrameStreamingSystem", .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            swiftSettings: lifetimes),
        .target(name: "FrameStreamingSystem", dependencies: ["CLinux"], swiftSettings: lifetimes),
        .systemLibrary(name: "CLinux"),
        .target(
            name: "FrameStreamingCamera",
            dependencies: ["FrameStreamingCore", "FrameStreamingSystem", "CLinux", "CV4L2"], swiftSettings: settings),
        .target(
            name: "FrameStreamingFiles",
            dependencies: ["FrameStreamingCore", "FrameStreamingSystem"], swiftSettings: settings),
        .target(
            name: "FrameStreamingJPEG",
            dependencies: ["FrameStreamingCore", "FrameStreamingSystem", "CTurboJPEG"], swiftSettings: settings),
        .target(
            name: "FrameStreamingTCP",
            dependencies: ["FrameStreamingCore", "FrameStreamingSystem", "CLinux"], swiftSettings: settings),
        .target(
            name: "FrameStreamingTesting",
            dependencies: ["FrameStreamingCore", "FrameStreamingSystem"], swiftSettings: settings),
        .target(
            name: "FrameStreamingPreview",
            dependencies: [
                "FrameStreamingCore", "FrameStreamingSystem",
            ],
            resources: pageFiles.map { .embedInCode("Page/\($0)") },
            swiftSettings: settings),
        .target(
            name: "FrameStreamingTLS",
            dependencies: ["FrameStreamingCore", "FrameStreamingTCP", "FrameStreamingSystem", "COpenSSL"],
            swiftSettings: settings),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CV4L2", pkgConfig: "libv4l2", providers: [.apt(["libv4l-dev"])]),
        .systemLibrary(
            name: "CTurboJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),

        .target(
            name: "ExampleSupport",
            dependencies: [
                "FrameStreaming",
                .target(name: "FrameStreamingTLS", condition: .when(traits: ["TLS"])),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Examples/Support", swiftSettings: settings),
        .target(
            name: "PreviewSupport",
            dependencies: [
                "FrameStreaming", "FrameStreamingPreview", "ExampleSupport",
                .target(name: "FrameStreamingTLS", condition: .when(traits: ["TLS"])),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Examples/PreviewSupport", swiftSettings: settings),
        example("frame-cameras"),
        example("frame-key"),
        example("frame-demo", preview: true),
        example("frame-send"),
        example("frame-receive", preview: true),

        .testTarget(
            name: "FrameStreamingTests", dependencies: ["FrameStreaming", "FrameStreamingTesting", "TestThreads"],
            swiftSettings: settings),
        .testTarget(
            name: "FrameStreamingSystemTests", dependencies: ["FrameStreamingSystem", "TestThreads"],
            swiftSettings: settings),
        .testTarget(
            name: "FrameStreamingCoreTests",
            dependencies: ["FrameStreamingCore", "FrameStreamingTesting", "FrameStreamingSystem", "TestThreads"],
            swiftSettings: settings),
        .testTarget(
            name: "FrameStreamingCameraTests",
            dependencies: [
                "FrameStreamingCamera", "FrameStreamingCore", "FrameStreamingTesting", "FrameStreamingSystem",
                "TestThreads", "CV4L2", "CLinux",
            ],
            swiftSettings: settings),
        // The tools for tests, as a user has them: one import.
        .testTarget(
            name: "FrameStreamingTestingTests", dependencies: ["FrameStreamingTesting"], swiftSettings: settings),
        .testTarget(
            name: "FrameStreamingFilesTests",
            dependencies: [
                "FrameStreamingFiles", "FrameStreamingCore", "FrameStreamingTesting", "FrameStreamingSystem",
                "TestThreads",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "FrameStreamingJPEGTests",
            dependencies: ["FrameStreamingJPEG", "FrameStreamingCore", "FrameStreamingTesting", "CTurboJPEG"],
            swiftSettings: settings),
        .testTarget(
            name: "FrameStreamingTCPTests",
            dependencies: [
                "FrameStreamingTCP", "FrameStreamingCore", "FrameStreamingTesting", "FrameStreamingSystem",
                "RawSockets", "TestThreads",
            ],
            exclude: ["Golden", "Malformed"],
            swiftSettings: settings),
        .testTarget(
            name: "FrameStreamingPreviewTests",
            dependencies: [
                "FrameStreamingPreview", "FrameStreamingCore", "FrameStreamingFiles", "FrameStreamingJPEG",
                "FrameStreamingSystem", "FrameStreamingTLS", "FrameStreamingTCP", "RawSockets", "TestThreads",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "FrameStreamingTLSTests",
            dependencies: [
                "FrameStreamingTLS", "FrameStreamingTCP", "FrameStreamingCore", "FrameStreamingTesting",
                "FrameStreamingSystem", "COpenSSL", "RawSockets", "TestThreads",
            ],
            exclude: ["Certificates"],
            swiftSettings: settings),
        // The other end of a connection, for tests of the library and of the programs.
        .target(name: "RawSockets", path: "Tests/RawSockets", swiftSettings: settings),
        // Threads for tests that block: Swift's cooperative ones are as few as cores.
        .target(
            name: "TestThreads", dependencies: ["FrameStreamingSystem"], path: "Tests/TestThreads",
            swiftSettings: settings),
        // What the virtual machine of Tests/CameraVM runs beside the examples.
        .executableTarget(
            name: "camera-checks",
            dependencies: ["FrameStreamingCamera", "FrameStreamingCore", "FrameStreamingSystem"],
            path: "Tests/CameraVM/Checks", swiftSettings: settings),
        // The executables are not imported: naming them has them built.
        .testTarget(
            name: "ExampleTests",
            dependencies: [
                "frame-demo", "frame-send", "frame-receive", "frame-key", "ExampleSupport", "FrameStreamingFiles",
                "FrameStreamingJPEG", "FrameStreamingTCP", "FrameStreamingCamera",
                "FrameStreamingCore", "FrameStreamingSystem", "RawSockets", "TestThreads",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)

if hasMedia {
    package.products.append(.library(name: "FrameStreamingMedia", targets: ["FrameStreamingMedia"]))
    package.traits.insert(
        .trait(
            name: "Media",
            description: "The product FrameStreamingMedia, which needs FFmpeg 5.1 (GPL as Debian builds it)."))
    package.targets += [
        .target(
            name: "FrameStreamingMedia",
            dependencies: ["FrameStreamingCore", "FrameStreamingFiles", "FrameStreamingSystem", "CFFmpeg"],
            swiftSettings: settings),
        .systemLibrary(
            name: "CFFmpeg", pkgConfig: "libavformat",
            providers: [.apt(["libavformat-dev", "libavcodec-dev", "libavutil-dev", "libswscale-dev"])]),
        .testTarget(
            name: "FrameStreamingMediaTests",
            dependencies: [
                "FrameStreamingMedia", "FrameStreamingFiles", "FrameStreamingCore", "FrameStreamingJPEG",
                "FrameStreamingTesting", "FrameStreamingSystem", "RawSockets", "TestThreads", "CFFmpeg",
            ],
            swiftSettings: settings),
    ]
    for target in package.targets where target.name == "ExampleSupport" {
        target.dependencies.append(.target(name: "FrameStreamingMedia", condition: .when(traits: ["Media"])))
    }
}
