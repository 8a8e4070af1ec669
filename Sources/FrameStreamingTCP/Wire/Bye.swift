internal import FrameStreamingCore

/// BYE: no frame, acknowledgement or source message comes after it from this side.
struct Bye: Hashable {
    static let headerLength = 4
    /// The reason behind the code of a failure, in what were reserved bytes: no format suits both.
    private static let unsupported: UInt16 = 1

    var goodbye: Goodbye

    init(_ goodbye: Goodbye) { self.goodbye = goodbye }

    init(header: ArraySlice<UInt8>, payload: ArraySlice<UInt8>) throws(FrameStreamingError) {
        var reader = ByteReader(header)
        let number: UInt16 = try reader.take()
        let reason: UInt16 = try reader.take()
        let code: Goodbye.Code =
            switch number {
            case 1: .stopped
            case 2: reason == Self.unsupported ? .unsupported : .failed
            // A later version's code counts as a clean end.
            default: .complete
            }
        goodbye = Goodbye(code, WireText.unmarshal(payload))
    }

    func marshal() -> [UInt8] {
        ByteWriter.message(.bye, payload: WireText.marshal(goodbye.text)) { writer in
            writer.put(wireCode)
            writer.put(goodbye.code == .unsupported ? Self.unsupported : 0)
        }
    }

    private var wireCode: UInt16 {
        switch goodbye.code {
        case .stopped: 1
        case .failed, .unsupported: 2
        default: 0
        }
    }
}

/// BYE_ACK: everything before the BYE was handled, and the connection may end.
struct ByeAcknowledgement: Hashable {
    static let headerLength = 8

    /// The highest frame number that was acknowledged; 0 from a side that sends frames.
    var consumedThrough: UInt64

    init(consumedThrough: UInt64) { self.consumedThrough = consumedThrough }

    init(header: ArraySlice<UInt8>) throws(FrameStreamingError) {
        var reader = ByteReader(header)
        consumedThrough = try reader.take()
    }

    func marshal() -> [UInt8] { ByteWriter.message(.byeAcknowledgement) { $0.put(consumedThrough) } }
}
