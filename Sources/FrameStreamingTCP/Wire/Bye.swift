internal import FrameStreamingCore

/// BYE: no frame, acknowledgement or source message comes after it from this side.
struct Bye: Hashable {
    static let headerLength = 4

    var goodbye: Goodbye

    init(_ goodbye: Goodbye) { self.goodbye = goodbye }

    init(header: ArraySlice<UInt8>, payload: ArraySlice<UInt8>) throws(FrameStreamingError) {
        var reader = ByteReader(header)
        let code: Goodbye.Code =
            switch try reader.take() as UInt16 {
            case 1: .stopped
            case 2: .failed
            // A later version's code counts as a clean end.
            default: .complete
            }
        goodbye = Goodbye(code, WireText.unmarshal(payload))
    }

    func marshal() -> [UInt8] {
        ByteWriter.message(.bye, payload: WireText.marshal(goodbye.text)) { writer in
            writer.put(wireCode)
            writer.putZeros(2)
        }
    }

    private var wireCode: UInt16 {
        switch goodbye.code {
        case .stopped: 1
        case .failed: 2
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
