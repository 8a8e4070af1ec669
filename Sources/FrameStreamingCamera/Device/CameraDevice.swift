public import FrameStreamingCore
internal import FrameStreamingSystem

/// A camera that is there, and what it can do.
public struct CameraDevice: Hashable, Sendable {
    /// A size with the rates at it.
    public struct Mode: Hashable, Sendable {
        /// The size, or a range of sizes.
        public let size: CameraSize
        /// Pictures per second, highest first; of a range of sizes at its largest; empty = the driver does not tell.
        public let rates: [FrameRate]
    }

    /// A format with its sizes.
    public struct Format: Hashable, Sendable {
        /// The camera's own.
        public let native: PixelFormat
        /// What its Frames are; nil = not ours, libv4lconvert may convert it.
        public let pixelFormat: PixelFormat?
        /// The driver's words for it.
        public let words: String
        /// Sizes and rates.
        public let modes: [Mode]
    }

    /// `/dev/videoN`.
    public let path: String
    /// Links that stay the same when the number changes.
    public let stablePaths: [String]
    /// Its name.
    public let card: String
    /// The driver's name.
    public let driver: String
    /// Where it is plugged in.
    public let busInfo: String
    /// What it can deliver.
    public let formats: [Format]
    /// What can be set.
    public let controls: [CameraControl]

    /// The cameras that there are. Metadata, output and converter nodes are left out, and those that cannot be opened.
    public static func all() -> [CameraDevice] { all(SystemVideoCalls()) }

    package static func all(_ calls: any VideoCalls) -> [CameraDevice] {
        let links = calls.stablePaths()
        return calls.nodePaths().compactMap { path in
            guard let node = try? VideoNode(path, calls) else { return nil }
            defer { node.close() }
            guard node.capability.isCamera else { return nil }
            return CameraDevice(node, links: links.filter { $0.node == path }.map(\.link))
        }
    }

    /// One camera by its path.
    ///
    /// - Throws: `notFound`, `notPermitted`; `unsupported` for what is no camera.
    public init(path: String) throws(FrameStreamingError) {
        try self.init(path: path, calls: SystemVideoCalls())
    }

    package init(path: String, calls: any VideoCalls) throws(FrameStreamingError) {
        let node: VideoNode
        do throws(SystemError) {
            node = try VideoNode(path, calls)
        } catch {
            throw CameraErrors.opening(error, path)
        }
        defer { node.close() }
        guard node.capability.isCamera else { throw CameraErrors.notACamera(path, node.capability) }
        let resolved = calls.resolve(path)
        self.init(node, links: calls.stablePaths().filter { $0.node == resolved }.map(\.link))
    }

    private init(_ node: VideoNode, links: [String]) {
        path = node.path
        stablePaths = links
        card = node.capability.card
        driver = node.capability.driver
        busInfo = node.capability.busInfo
        controls = node.controls()
        formats = node.formats().map { format in
            Format(
                native: PixelFormat(rawValue: format.fourcc), pixelFormat: NativeFormat.of(format.fourcc)?.pixelFormat,
                words: format.words,
                modes: node.sizes(of: format.fourcc).map { size in
                    Mode(
                        size: size,
                        rates: node.rates(of: format.fourcc, width: size.maximumWidth, height: size.maximumHeight))
                })
        }
    }
}
