internal import FrameStreamingCore

/// REJECT: the accepting side turns the peer away, and says why.
struct Reject: Hashable {
    static let headerLength = 4

    /// The reason, for programs. The text has it for people, also if a later version has other
    /// codes.
    enum Code: UInt16, CaseIterable {
        case unspecified = 0
        case busy = 1
        case version = 2
        case role = 3
        case capability = 4
        case malformed = 5
        /// The sides have no pixel format in common, or the receiver takes no bytes.
        case frames = 6
        /// The peer's credential does not permit its role or its stream.
        case permission = 7
        /// There is no stream of the name that the receiver asks for, and it does not wait.
        case noStream = 8
        /// Another sender has the stream.
        case streamTaken = 9
    }

    var code: UInt16
    var text: String

    init(_ code: Code, _ text: String) {
        self.code = code.rawValue
        self.text = text
    }

    init(header: ArraySlice<UInt8>, payload: ArraySlice<UInt8>) throws(FrameStreamingError) {
        var reader = ByteReader(header)
        code = try reader.take()
        text = WireText.unmarshal(payload)
    }

    /// The error for the side that receives it. Another attempt may succeed if the peer is busy, or another
    /// sender has the stream, which it may leave.
    var error: FrameStreamingError {
        switch Code(rawValue: code) {
        case .busy: FrameStreamingError(.busy, "the peer has no room: ", peer: text)
        case .streamTaken: FrameStreamingError(.busy, "the peer takes the stream from another: ", peer: text)
        case .noStream: FrameStreamingError(.notFound, "the peer has no such stream: ", peer: text)
        default:
            FrameStreamingError(.rejected, "the peer refused the connection: ", peer: text, behind: " (code \(code))")
        }
    }

    /// The REJECT for an error of a side that accepts.
    init(_ error: FrameStreamingError) {
        let code: Code =
            switch error.code {
            case .notFound: .noStream
            case .alreadyExists: .streamTaken
            case .notPermitted: .permission
            case .invalidArgument: .unspecified
            default: .busy
            }
        self.init(code, error.message)
    }

    func marshal() -> [UInt8] {
        ByteWriter.message(.reject, payload: WireText.marshal(text)) { writer in
            writer.put(code)
            writer.putZeros(2)
        }
    }
}
