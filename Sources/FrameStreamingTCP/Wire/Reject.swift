internal import FrameStreamingCore

/// REJECT: the accepting side says no, and why.
struct Reject: Hashable {
    static let headerLength = 4

    /// Why, for programs. A number of a later version is as good as any: the text says it to people.
    enum Code: UInt16, CaseIterable {
        case unspecified = 0
        case busy = 1
        case version = 2
        case role = 3
        case capability = 4
        case malformed = 5
        /// No frame of the one side is one that the other takes.
        case frames = 6
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

    /// What it is to the side that hears it. A peer that is busy may not be so later; nothing else passes by itself.
    var error: FrameStreamingError {
        let text = String(printable: text)
        return code == Code.busy.rawValue
            ? FrameStreamingError(.busy, "the peer has no room: \(text)")
            : FrameStreamingError(.rejected, "the peer said no: \(text) (code \(code))")
    }

    func marshal() -> [UInt8] {
        ByteWriter.message(.reject, payload: WireText.marshal(text)) { writer in
            writer.put(code)
            writer.putZeros(2)
        }
    }
}
