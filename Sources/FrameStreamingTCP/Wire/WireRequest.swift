internal import FrameStreamingCore

/// REQUEST: a receiver's request. It is sent only to a sender that has announced that it takes
/// requests.
struct WireRequest: Hashable {
    static let headerLength = 8

    /// 1 = pause, 2 = resume, 3 = quality. Later versions may have others.
    var kind: UInt8
    /// The quality; 0 for other requests.
    var value: UInt32

    init(_ request: ReceiverRequest) {
        switch request {
        case .pause: (kind, value) = (1, 0)
        case .resume: (kind, value) = (2, 0)
        case .quality(let quality): (kind, value) = (3, UInt32(clamping: quality))
        }
    }

    init(header: ArraySlice<UInt8>) throws(FrameStreamingError) {
        var reader = ByteReader(header)
        kind = try reader.take()
        try reader.skip(3)
        value = try reader.take()
        guard kind != 3 || (1...100).contains(value) else { throw .violation("a request for the quality \(value)") }
    }

    /// The request; nil for one of a later version, which is ignored.
    var request: ReceiverRequest? {
        switch kind {
        case 1: .pause
        case 2: .resume
        case 3: .quality(Int(value))
        default: nil
        }
    }

    func marshal() -> [UInt8] {
        ByteWriter.message(.request) { writer in
            writer.put(kind)
            writer.putZeros(3)
            writer.put(value)
        }
    }
}
