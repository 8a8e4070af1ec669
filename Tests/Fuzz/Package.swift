// swift-tools-version: 6.3
import PackageDescription

// The library's own sources, by links: libFuzzer's instrumentation and the modules' internals are
// needed, and no product of the package has either. `run` builds it with the address sanitizer.
let languageSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"), .enableExperimentalFeature("Lifetimes"),
]
// The code that is tested reports its edges and comparisons. The checks themselves report functions
// only: they compare every byte, which takes a third of the time, and tells libFuzzer nothing.
let settings =
    languageSettings + [.unsafeFlags(["-sanitize-coverage=edge,trace-cmp,inline-8bit-counters,pc-table"])]

let pageFiles = [
    "index.html", "page.css", "elements.js", "figures.js", "plot.js", "tile.js", "places.js", "grid.js", "actions.js",
    "pictures.js", "connection.js",
]

let package = Package(
    name: "Fuzz",
    dependencies: [.package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0")],
    targets: [
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CV4L2", pkgConfig: "libv4l2"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl"),
        .target(name: "FrameStreamingSystem", dependencies: ["CLinux"], swiftSettings: settings),
        .target(
            name: "FrameStreamingCore",
            dependencies: ["FrameStreamingSystem", .product(name: "Histogram", package: "hdrhistogram-swift")],
            // With its bodies in other modules, and internals visible, the optimizer crashes there
            // (Swift 6.3.1, "Found ownership error" of a borrowed BufferLease).
            swiftSettings: settings + [.unsafeFlags(["-disable-cmo"])]),
        .target(
            name: "FrameStreamingTCP", dependencies: ["FrameStreamingCore", "FrameStreamingSystem", "CLinux"],
            swiftSettings: settings),
        .target(
            name: "FrameStreamingTLS",
            dependencies: ["FrameStreamingCore", "FrameStreamingTCP", "FrameStreamingSystem", "COpenSSL"],
            swiftSettings: settings + [.define("TLS")]),
        .target(
            name: "FrameStreamingFiles", dependencies: ["FrameStreamingCore", "FrameStreamingSystem"],
            swiftSettings: settings),
        .target(
            name: "FrameStreamingCamera",
            dependencies: ["FrameStreamingCore", "FrameStreamingSystem", "CLinux", "CV4L2"], swiftSettings: settings),
        .target(
            name: "FrameStreamingPreview", dependencies: ["FrameStreamingCore", "FrameStreamingSystem"],
            resources: pageFiles.map { .embedInCode("Page/\($0)") },
            swiftSettings: settings + [.define("Preview")]),
        .executableTarget(
            name: "Fuzz",
            dependencies: [
                "FrameStreamingSystem", "FrameStreamingCore", "FrameStreamingTCP", "FrameStreamingFiles",
                "FrameStreamingCamera", "FrameStreamingPreview", "FrameStreamingTLS", "CLinux",
            ],
            // libFuzzer has the program's main.
            swiftSettings: languageSettings + [
                .unsafeFlags(["-parse-as-library", "-sanitize-coverage=func,inline-8bit-counters,pc-table"])
            ]),
    ],
    swiftLanguageModes: [.v6]
)
