internal import FrameStreamingCore

/// BYE: no frame, acknowledgement or source message comes after it from this side.
struct Bye: Hashable {
    static let headerLength = 4

    /// 0 = in good order. Others are for later versions.
    var code: UInt16 = 0
    var text: String

    init(_ text: String) { self.text = text }

    init(header: ArraySlice<UInt8>, payload: ArraySlice<UInt8>) throws(FrameStreamingError) {
        var reader = ByteReader(header)
        code = try reader.take()
        text = WireText.unmarshal(payload)
    }

    func marshal() -> [UInt8] {
        ByteWriter.message(.bye, payload: WireText.marshal(text)) { writer in
            writer.put(code)
            writer.putZeros(2)
        }
    }
}

/// BYE_ACK: everything before the BYE was dealt with, and the connection may end.
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
