internal import FrameStreamingCore
internal import FrameStreamingSystem

extension CameraStream {
    /// Negotiates a format with a camera and starts streaming.
    ///
    /// The stream owns `node` from here on. If this throws, the node is closed.
    static func open(
        _ node: VideoNode, _ options: V4L2CameraOptions, pool: FramePool, isFirst: Bool,
        _ event: (CameraEvent) -> Void
    ) throws(FrameStreamingError) -> CameraStream {
        do throws(FrameStreamingError) {
            return try negotiate(node, options, pool: pool, isFirst: isFirst, event)
        } catch {
            node.close()
            throw error
        }
    }

    private static func negotiate(
        _ node: VideoNode, _ options: V4L2CameraOptions, pool: FramePool, isFirst: Bool,
        _ event: (CameraEvent) -> Void
    ) throws(FrameStreamingError) -> CameraStream {
        let path = node.path
        guard node.capability.isCamera else { throw CameraErrors.notACamera(path, node.capability) }
        guard node.capability.streams else {
            throw FrameStreamingError(
                .unsupported, "the driver \(node.capability.driver) cannot map buffers (V4L2_CAP_STREAMING)",
                subject: path)
        }
        let signal = try adoptSignal(node)
        node.watchSource()
        let converter = LazyConverter(node)
        let wanted = try choose(node, options, signal, converter)
        var format: NodeFormat
        do throws(SystemError) {
            format = try node.setFormat(
                NodeFormat(width: wanted.width, height: wanted.height, fourcc: wanted.fourcc))
        } catch {
            throw error.code == Errno.invalid
                ? refused(node, PixelFormat(rawValue: wanted.fourcc)) : CameraErrors.streaming(error, path)
        }
        if let signal { format.assumeColorspace(ofSignal: signal) }
        // A driver may answer with another format than it was asked for.
        guard format.fourcc == wanted.fourcc else { throw refused(node, PixelFormat(rawValue: wanted.fourcc)) }
        let shape = try FrameShape(
            format, colorRange: options.colorRange, isConverted: wanted.isConverted, path: path)
        var convertedBytes = 0
        if wanted.isConverted {
            do throws(SystemError) {
                guard let made = converter.get() else { throw SystemError("v4lconvert_create", code: Errno.invalid) }
                convertedBytes = try made.prepare(from: format, to: PixelFormat.i420.rawValue)
            } catch {
                throw FrameStreamingError(
                    .unsupported,
                    "\(format.name) cannot be read, and libv4lconvert does not convert it: use another of \(words(node.formats().map(\.fourcc)))",
                    subject: path, errno: error.code)
            }
        }
        let rate = node.setRate(options.rate ?? .thirty)
        try applyControls(node, options.controls, isFirst: isFirst, event)
        let ring: BufferRing
        do throws(SystemError) {
            ring = try BufferRing(node, asking: max(1, options.bufferCount))
        } catch {
            throw CameraErrors.streaming(error, path)
        }
        do throws(SystemError) {
            // The driver may accept later what it refuses now.
            do throws(SystemError) { try ring.queueAll() } catch { if ring.queued == 0 { throw error } }
            try ring.start()
        } catch {
            ring.abandon()
            throw CameraErrors.streaming(error, path)
        }
        let granted = CameraFormat(
            frame: shape.format, rate: rate, native: PixelFormat(rawValue: format.fourcc),
            isConverted: wanted.isConverted, bufferCount: ring.count)
        if wanted.isConverted {
            event(
                CameraEvent(
                    .converting,
                    "\(path): no format of the camera can be read directly: libv4lconvert converts \(format.name) to \(PixelFormat.i420)"
                ))
        }
        return CameraStream(
            node: node, ring: ring, granted: granted, format: format, shape: shape, converter: converter.made,
            convertedBytes: convertedBytes, signal: signal, truncated: options.truncatedFrames, pool: pool)
    }

    /// Sets an HDMI input to the timings of its signal. Returns nil for other inputs.
    private static func adoptSignal(_ node: VideoNode) throws(FrameStreamingError) -> SignalTimings? {
        guard node.hasSignalTimings() else { return nil }
        do throws(SystemError) {
            let signal = try node.signal()
            try node.setSignal(signal)
            return signal
        } catch {
            // An input that cannot report its signal keeps its timings.
            if [Errno.noTerminal, Errno.invalid, Errno.noData].contains(error.code) { return nil }
            throw CameraErrors.streaming(error, node.path)
        }
    }

    private struct Wanted {
        var fourcc: UInt32
        var width: Int
        var height: Int
        var isConverted = false
    }

    private static func choose(
        _ node: VideoNode, _ options: V4L2CameraOptions, _ signal: SignalTimings?, _ converter: LazyConverter
    ) throws(FrameStreamingError) -> Wanted {
        let width = options.width ?? signal?.width ?? 640
        let height = options.height ?? signal?.height ?? 480
        guard (1...FrameFormat.maximumSide).contains(width), (1...FrameFormat.maximumSide).contains(height) else {
            throw FrameStreamingError(
                .invalidArgument,
                "width and height must be 1 to \(FrameFormat.maximumSide) pixels, not \(width)x\(height)",
                subject: node.path)
        }
        let listed = node.formats().map(\.fourcc)
        let natives = listed.compactMap(NativeFormat.of)
        let fitting = natives.filter { native in
            guard let asked = options.pixelFormat else { return true }
            return native.pixelFormat == asked || native.fourcc == asked.rawValue
        }
        let candidates = fitting.map { native in
            let nearest = nearestSize(node, native.fourcc, width, height)
            return FormatChoice.Candidate(
                native: native, width: nearest.width, height: nearest.height,
                rates: node.rates(of: native.fourcc, width: nearest.width, height: nearest.height))
        }
        let choice = FormatChoice(width: width, height: height, rate: options.rate ?? .thirty)
        if let best = choice.best(of: candidates) {
            return Wanted(fourcc: best.native.fourcc, width: best.width, height: best.height)
        }
        if let asked = options.pixelFormat, asked != .i420 || !natives.isEmpty {
            // A format that was requested by its fourcc is converted, too.
            guard listed.contains(asked.rawValue) else { throw refused(node, asked) }
            let nearest = nearestSize(node, asked.rawValue, width, height)
            return Wanted(fourcc: asked.rawValue, width: nearest.width, height: nearest.height, isConverted: true)
        }
        guard let found = converter.get()?.source(for: PixelFormat.i420.rawValue, width: width, height: height) else {
            throw FrameStreamingError(
                .unsupported,
                "no format of the camera can be read or converted by libv4lconvert: \(words(listed))",
                subject: node.path)
        }
        return Wanted(fourcc: found.source, width: found.width, height: found.height, isConverted: true)
    }

    private static func nearestSize(
        _ node: VideoNode, _ fourcc: UInt32, _ width: Int, _ height: Int
    ) -> (width: Int, height: Int) {
        node.sizes(of: fourcc).map { $0.nearest(width, height) }
            .min { distance($0, width, height) < distance($1, width, height) } ?? (width, height)
    }

    private static func distance(_ size: (width: Int, height: Int), _ width: Int, _ height: Int) -> Int {
        abs(size.width - width) + abs(size.height - height)
    }

    private static func words(_ codes: [UInt32]) -> String {
        codes.isEmpty ? "none" : codes.map { PixelFormat(rawValue: $0).fourcc }.joined(separator: ", ")
    }

    private static func refused(_ node: VideoNode, _ asked: PixelFormat) -> FrameStreamingError {
        FrameStreamingError(
            .unsupported,
            "the camera does not deliver \(asked): its formats are \(words(node.formats().map(\.fourcc)))",
            subject: node.path)
    }

    private static func applyControls(
        _ node: VideoNode, _ settings: [CameraControlSetting], isFirst: Bool, _ event: (CameraEvent) -> Void
    ) throws(FrameStreamingError) {
        guard !settings.isEmpty else { return }
        do throws(FrameStreamingError) {
            let steps = try ControlPlan.steps(for: settings, among: node.controls())
            ControlPlan.apply(steps, to: node) { _, error in
                event(CameraEvent(.controlRefused, "\(error)", error: error))
            }
        } catch {
            // At the first opening a wrong name is the caller's mistake. Later the camera has
            // changed, and its frames matter more.
            if isFirst { throw FrameStreamingError(error.code, error.message, subject: node.path, errno: error.errno) }
            event(CameraEvent(.controlRefused, "\(error)", error: error))
        }
    }
}

/// Creates the libv4lconvert handle when it is first needed.
private final class LazyConverter {
    private let node: VideoNode
    private(set) var made: (any FrameConverter)?

    init(_ node: VideoNode) { self.node = node }

    func get() -> (any FrameConverter)? {
        if made == nil { made = node.calls.makeConverter(node.descriptor) }
        return made
    }
}
