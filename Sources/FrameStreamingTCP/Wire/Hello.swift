internal import FrameStreamingCore

/// HELLO and WELCOME: a side introduces itself. Both have the same fields.
struct Hello: Hashable {
    static let headerLength = 72
    static let magic: [UInt8] = Array("FSTR".utf8)
    /// The only version so far.
    static let version: UInt16 = 1
    /// The bit in `optionalCapabilities` of a sender that takes requests.
    static let requestsBit: UInt32 = 1
    /// The bit of a sender that also answers each request.
    static let answersBit: UInt32 = 2
    /// The bit of a receiver that wants no stream that does not exist yet.
    static let noWaitBit: UInt32 = 4
    static let longestName = 255
    static let mostFormats = 256

    /// In HELLO the highest version that the side speaks, in WELCOME the agreed one.
    var version = Self.version
    var minimumVersion = Self.version
    /// 1 = sends frames, 2 = receives frames. A number, so that REJECT can name an unknown one.
    var role: UInt8
    var optionalCapabilities: UInt32 = 0
    var criticalCapabilities: UInt32 = 0
    /// The largest image that the side takes, in bytes.
    var maximumFrameByteCount: UInt32
    var session: UInt64 = 0
    var lastConsumed: UInt64 = 0
    var creditThrough: UInt64 = 0
    /// CLOCK_REALTIME minus CLOCK_MONOTONIC, in nanoseconds.
    var realtimeOffset: Int64 = 0
    /// 16 bytes.
    var bootID: [UInt8]
    var stream: String
    /// Empty = any.
    var pixelFormats: [PixelFormat] = []

    /// Receiver: whether it waits where there is no stream of the name that it asks for.
    var waitsForStream: Bool {
        get { optionalCapabilities & Self.noWaitBit == 0 }
        set {
            if newValue { optionalCapabilities &= ~Self.noWaitBit } else { optionalCapabilities |= Self.noWaitBit }
        }
    }

    /// Sender: whether it answers each REQUEST with REQUEST_ANSWER.
    var answersRequests: Bool {
        get { optionalCapabilities & Self.answersBit != 0 }
        set {
            if newValue { optionalCapabilities |= Self.answersBit } else { optionalCapabilities &= ~Self.answersBit }
        }
    }

    /// Sender: whether it takes REQUEST.
    var takesRequests: Bool {
        get { optionalCapabilities & Self.requestsBit != 0 }
        set {
            if newValue { optionalCapabilities |= Self.requestsBit } else { optionalCapabilities &= ~Self.requestsBit }
        }
    }

    init(role: UInt8, maximumFrameByteCount: UInt32, bootID: [UInt8], stream: String) {
        self.role = role
        self.maximumFrameByteCount = maximumFrameByteCount
        self.bootID = bootID
        self.stream = stream
    }

    init(header: ArraySlice<UInt8>, payload: ArraySlice<UInt8>) throws(FrameStreamingError) {
        var reader = ByteReader(header)
        guard Array(try reader.take(4)) == Self.magic else { throw .violation("HELLO without its magic FSTR") }
        version = try reader.take()
        minimumVersion = try reader.take()
        role = try reader.take()
        try reader.skip(3)
        optionalCapabilities = try reader.take()
        criticalCapabilities = try reader.take()
        maximumFrameByteCount = try reader.take()
        session = try reader.take()
        lastConsumed = try reader.take()
        creditThrough = try reader.take()
        realtimeOffset = try reader.take()
        bootID = Array(try reader.take(16))
        guard minimumVersion <= version else {
            throw .violation("versions from \(minimumVersion) to \(version)")
        }
        var rest = ByteReader(payload)
        let nameLength = Int(try rest.take(UInt16.self))
        guard nameLength <= Self.longestName else {
            throw .violation("a stream name of \(nameLength) bytes", limit: .lengths)
        }
        stream = WireText.unmarshal(try rest.take(nameLength))
        let count = Int(try rest.take(UInt16.self))
        guard count <= Self.mostFormats else { throw .violation("\(count) pixel formats", limit: .lengths) }
        for _ in 0..<count { pixelFormats.append(try rest.takePixelFormat()) }
        // A later version may have more fields behind these, which are ignored.
    }

    func marshal(_ type: WireType) -> [UInt8] {
        let name = WireText.marshal(stream, limit: Self.longestName)
        var payload = ByteWriter(capacity: 4 + name.count + 4 * pixelFormats.count)
        payload.put(UInt16(name.count))
        payload.put(name)
        let formats = pixelFormats.prefix(Self.mostFormats)
        payload.put(UInt16(formats.count))
        for format in formats { payload.put(format) }
        return ByteWriter.message(type, payload: payload.bytes) { writer in
            writer.put(Self.magic)
            writer.put(version)
            writer.put(minimumVersion)
            writer.put(role)
            writer.putZeros(3)
            writer.put(optionalCapabilities)
            writer.put(criticalCapabilities)
            writer.put(maximumFrameByteCount)
            writer.put(session)
            writer.put(lastConsumed)
            writer.put(creditThrough)
            writer.put(realtimeOffset)
            writer.put((bootID + [UInt8](repeating: 0, count: 16)).prefix(16))
        }
    }
}
