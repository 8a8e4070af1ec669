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

    /// The error for the side that receives it. Only `busy` is worth another attempt.
    var error: FrameStreamingError {
        code == Code.busy.rawValue
            ? FrameStreamingError(.busy, "the peer has no room: ", peer: text)
            : FrameStreamingError(.rejected, "the peer refused the connection: ", peer: text, behind: " (code \(code))")
    }

    func marshal() -> [UInt8] {
        ByteWriter.message(.reject, payload: WireText.marshal(text)) { writer in
            writer.put(code)
            writer.putZeros(2)
        }
    }
}
