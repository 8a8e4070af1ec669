internal import FrameStreamingCore

/// REQUEST: a receiver's request. It is sent only to a sender that has announced that it takes
/// requests.
struct WireRequest: Hashable {
    static let headerLength = 8

    /// 1 = pause, 2 = resume, 3 = quality, 4 = key frame. Later versions may have others.
    var kind: UInt8
    /// The quality; 0 for other requests.
    var value: UInt32

    init(_ request: ReceiverRequest) {
        switch request {
        case .pause: (kind, value) = (1, 0)
        case .resume: (kind, value) = (2, 0)
        case .quality(let quality): (kind, value) = (3, UInt32(clamping: quality))
        case .keyFrame: (kind, value) = (4, 0)
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
        case 4: .keyFrame
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

/// REQUEST_ANSWER: the sender's word on a REQUEST, whose kind and value it repeats.
struct WireRequestAnswer: Hashable {
    static let headerLength = 8

    /// As in ``WireRequest``.
    var kind: UInt8
    /// 1 = the sender complies. 2 = it cannot; so are values of later versions.
    var verdict: UInt8
    /// As in ``WireRequest``.
    var value: UInt32
    /// Why the sender cannot comply.
    var reason: String

    init(_ answer: RequestAnswer) {
        let request = WireRequest(answer.request)
        (kind, value) = (request.kind, request.value)
        verdict = answer.refusal == nil ? 1 : 2
        reason = answer.refusal ?? ""
    }

    init(header: ArraySlice<UInt8>, payload: ArraySlice<UInt8>) throws(FrameStreamingError) {
        var reader = ByteReader(header)
        kind = try reader.take()
        verdict = try reader.take()
        try reader.skip(2)
        value = try reader.take()
        reason = WireText.unmarshal(payload)
    }

    /// The answer; nil if it answers a kind of request that this side never makes.
    var answer: RequestAnswer? {
        let request: ReceiverRequest? =
            switch kind {
            case 1: .pause
            case 2: .resume
            case 3 where (1...100).contains(value): .quality(Int(value))
            case 4: .keyFrame
            default: nil
            }
        return request.map { RequestAnswer($0, refusal: verdict == 1 ? nil : reason) }
    }

    func marshal() -> [UInt8] {
        ByteWriter.message(.requestAnswer, payload: WireText.marshal(reason)) { writer in
            writer.put(kind)
            writer.put(verdict)
            writer.putZeros(2)
            writer.put(value)
        }
    }
}
