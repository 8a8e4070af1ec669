internal import FrameStreamingCore

/// FRAME's header: the description of a frame, without its bytes.
struct FrameHeader: Hashable {
    static let length = 76
    /// The length with the error of the capture time.
    static let lengthWithError = 84
    /// The length with the error and the count of relays, whose numbers follow.
    static let lengthWithRelays = 92
    /// The length with all that this version knows.
    static let longest = lengthWithRelays + 8 * Frame.maximumRelayCount

    /// The number, the drops and the times. The arrival time is not sent.
    var info: FrameInfo
    var sourceSequence: UInt64 = 0
    var captureTime: CaptureTime?
    var width: Int
    var height: Int
    var pixelFormat: PixelFormat
    /// 1...100; nil = not known.
    var quality: Int?
    /// Nil = a value that protocol 1 does not know. Then the format's default counts.
    var colorRange: ColorRange?
    var sourceColorRange: ColorRange?
    var colorMatrix: ColorMatrix = .unspecified
    var metadataLength: Int = 0
    /// Whether it can only be decoded after the frame before it.
    var dependsOnPrevious = false
    /// The relays that it has passed through.
    var relays: [UInt64] = []

    init(info: FrameInfo, width: Int, height: Int, pixelFormat: PixelFormat) {
        self.info = info
        self.width = width
        self.height = height
        self.pixelFormat = pixelFormat
    }

    init(_ frame: Frame, _ info: FrameInfo) {
        self.init(
            info: info, width: frame.format.width, height: frame.format.height, pixelFormat: frame.format.pixelFormat)
        sourceSequence = frame.sequence
        captureTime = frame.captureTime
        quality = frame.quality
        colorRange = frame.format.colorRange
        sourceColorRange = frame.sourceColorRange
        colorMatrix = frame.format.colorMatrix
        metadataLength = frame.metadata.count
        dependsOnPrevious = frame.dependsOnPrevious
        relays = frame.relays
    }

    init(header: ArraySlice<UInt8>) throws(FrameStreamingError) {
        var reader = ByteReader(header)
        info = FrameInfo(sequence: try reader.take())
        sourceSequence = try reader.take()
        let captured: Int64 = try reader.take()
        info.sendTime = try reader.takeTime()
        info.encodeNanoseconds = try reader.takeNanoseconds()
        info.creditWaitNanoseconds = try reader.takeNanoseconds()
        info.skipped = try reader.take()
        let width: UInt32 = try reader.take()
        let height: UInt32 = try reader.take()
        pixelFormat = try reader.takePixelFormat()
        let clock: UInt8 = try reader.take()
        let edge: UInt8 = try reader.take()
        let quality: UInt8 = try reader.take()
        colorRange = WireColour.range(try reader.take())
        sourceColorRange = WireColour.range(try reader.take())
        colorMatrix = WireColour.matrix(try reader.take())
        let dependence: UInt8 = try reader.take()
        dependsOnPrevious = dependence & 1 != 0
        try reader.skip(1)
        let metadata: UInt32 = try reader.take()
        var error: Int64?
        if header.count >= Self.lengthWithError { error = try reader.takeNanoseconds() }
        if header.count >= Self.lengthWithRelays { relays = try Self.relays(&reader) }
        captureTime = WireClock.clock(clock).map {
            CaptureTime(
                nanoseconds: captured, clock: $0, edge: WireClock.edge(edge), error: .nanoseconds(error ?? 0))
        }
        self.quality = (1...100).contains(quality) ? Int(quality) : nil
        self.width = Int(width)
        self.height = Int(height)
        metadataLength = Int(metadata)
        guard info.sequence > 0 else { throw .violation("a frame with the number 0") }
        guard metadataLength <= Frame.maximumMetadataByteCount else {
            throw FrameStreamingError(
                .limitExceeded,
                "the peer announced \(metadataLength) bytes of metadata: at most \(Frame.maximumMetadataByteCount) may be sent",
                limit: .lengths)
        }
    }

    private static func relays(_ reader: inout ByteReader) throws(FrameStreamingError) -> [UInt64] {
        let count: UInt8 = try reader.take()
        guard count <= Frame.maximumRelayCount else {
            throw .violation("a frame that passed through \(count) relays", limit: .lengths)
        }
        try reader.skip(7)
        var relays: [UInt64] = []
        for _ in 0..<count { relays.append(try reader.take()) }
        return relays
    }

    /// The bytes in front of the image: prefix, header and metadata.
    func marshal(metadata: [UInt8], imageBytes: Int) -> [UInt8] {
        let error = captureTime.flatMap { $0.error > .zero ? $0.error.wholeNanoseconds : nil }
        var prefix = WirePrefix(.frame, payloadLength: metadata.count + imageBytes)
        if !relays.isEmpty {
            prefix.headerLength = Self.lengthWithRelays + 8 * relays.count
        } else if error != nil {
            prefix.headerLength = Self.lengthWithError
        }
        var writer = ByteWriter(capacity: WirePrefix.length + prefix.headerLength + metadata.count)
        prefix.marshal(into: &writer)
        writer.put(info.sequence)
        writer.put(sourceSequence)
        writer.put(captureTime?.nanoseconds ?? 0)
        writer.put(info.sendTime)
        writer.put(info.encodeNanoseconds)
        writer.put(info.creditWaitNanoseconds)
        writer.put(info.skipped)
        writer.put(UInt32(width))
        writer.put(UInt32(height))
        writer.put(pixelFormat)
        writer.put(WireClock.code(captureTime?.clock))
        writer.put(WireClock.code(captureTime?.edge))
        writer.put(UInt8(clamping: quality ?? 0))
        writer.put(WireColour.code(colorRange))
        writer.put(WireColour.code(sourceColorRange))
        writer.put(WireColour.code(colorMatrix))
        writer.put(UInt8(dependsOnPrevious ? 1 : 0))
        writer.putZeros(1)
        writer.put(UInt32(metadata.count))
        if error != nil || !relays.isEmpty { writer.put(error) }
        if !relays.isEmpty {
            writer.put(UInt8(clamping: relays.count))
            writer.putZeros(7)
            for relay in relays { writer.put(relay) }
        }
        writer.put(metadata)
        return writer.bytes
    }

    /// The format that the header describes. `imageBytes` must be the size that it needs.
    ///
    /// - Parameter last: The format of the frame before, which is returned if it is the same.
    func format(imageBytes: Int, like last: FrameFormat? = nil) throws(FrameStreamingError) -> FrameFormat {
        let format: FrameFormat
        if let last, last.width == width, last.height == height, last.pixelFormat == pixelFormat,
            last.colorRange == colorRange, last.colorMatrix == colorMatrix
        {
            format = last
        } else {
            format = try newFormat()
        }
        guard imageBytes > 0, format.planeCount == 0 || imageBytes == format.byteCount else {
            throw .violation(
                "frame \(info.sequence), \(format), has \(imageBytes) bytes instead of \(max(1, format.byteCount))")
        }
        return format
    }

    private func newFormat() throws(FrameStreamingError) -> FrameFormat {
        do throws(FrameStreamingError) {
            return try FrameFormat(
                width: width, height: height, pixelFormat: pixelFormat, colorRange: colorRange, colorMatrix: colorMatrix
            )
        } catch {
            throw .violation("frame \(info.sequence) is \(width)x\(height)")
        }
    }
}

/// The codes of clocks and edges.
private enum WireClock {
    static func code(_ clock: CaptureTime.Clock?) -> UInt8 {
        switch clock {
        case nil: 0
        case .some(.monotonic): 1
        case .some(.realtime): 2
        default: 3
        }
    }

    static func clock(_ code: UInt8) -> CaptureTime.Clock? {
        switch code {
        case 0: nil
        case 1: .monotonic
        case 2: .realtime
        default: .unknown
        }
    }

    static func code(_ edge: CaptureTime.Edge?) -> UInt8 {
        switch edge {
        case .some(.startOfExposure): 1
        case .some(.endOfFrame): 2
        default: 0
        }
    }

    static func edge(_ code: UInt8) -> CaptureTime.Edge {
        switch code {
        case 1: .startOfExposure
        case 2: .endOfFrame
        default: .unspecified
        }
    }
}

/// The codes of colour ranges and matrices.
private enum WireColour {
    static func code(_ range: ColorRange?) -> UInt8 {
        switch range {
        case .some(.limited): 1
        case .some(.full): 2
        default: 0
        }
    }

    static func range(_ code: UInt8) -> ColorRange? {
        switch code {
        case 1: .limited
        case 2: .full
        default: nil
        }
    }

    static func code(_ matrix: ColorMatrix) -> UInt8 {
        switch matrix {
        case .bt601: 1
        case .bt709: 2
        case .bt2020: 3
        default: 0
        }
    }

    static func matrix(_ code: UInt8) -> ColorMatrix {
        switch code {
        case 1: .bt601
        case 2: .bt709
        case 3: .bt2020
        default: .unspecified
        }
    }
}
