public import FrameStreamingCore
internal import FrameStreamingSystem

/// A camera of this machine, with its formats and controls.
///
/// The device chose ``card``, ``driver``, ``busInfo`` and the names of formats and controls: print
/// them through `String(printable:)`.
public struct CameraDevice: Hashable, Sendable {
    /// A frame size, with the frame rates at that size.
    public struct Mode: Hashable, Sendable {
        /// One size, or a range of sizes.
        public let size: CameraSize
        /// Frame rates, highest first; for a range of sizes, those at the largest size. Empty
        /// if the driver does not list them.
        public let rates: [FrameRate]
    }

    /// A pixel format, with its sizes.
    public struct Format: Hashable, Sendable {
        /// The camera's format, by its V4L2 fourcc.
        public let native: PixelFormat
        /// The format of its Frames; nil if this package does not read it. libv4lconvert may
        /// convert it.
        public let pixelFormat: PixelFormat?
        /// The driver's description of the format.
        public let driverDescription: String
        /// The sizes and frame rates.
        public let modes: [Mode]
    }

    /// The device's path: `/dev/videoN`.
    public let path: String
    /// Links to the device that stay the same when its number changes.
    public let stablePaths: [String]
    /// The camera's name.
    public let card: String
    /// The driver's name.
    public let driver: String
    /// The bus address, which tells where the camera is plugged in.
    public let busInfo: String
    /// The formats that the camera delivers.
    public let formats: [Format]
    /// The controls that the camera has.
    public let controls: [CameraControl]

    /// Lists the cameras of this machine. Nodes for metadata, output or conversion are left out,
    /// and so are nodes that cannot be opened.
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

    /// Looks at one camera by its path.
    ///
    /// - Throws: `notFound`, `notPermitted`; `unsupported` if the path is not a camera.
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
                driverDescription: format.driverDescription,
                modes: node.sizes(of: format.fourcc).map { size in
                    Mode(
                        size: size,
                        rates: node.rates(of: format.fourcc, width: size.maximumWidth, height: size.maximumHeight))
                })
        }
    }
}
