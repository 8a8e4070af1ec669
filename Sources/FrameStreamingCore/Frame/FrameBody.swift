/// The object behind a Frame. Copies of a Frame share it, and a copy that is
/// changed makes its own body first.
///
/// Safe to share although it is not `Sendable` by the compiler's rules: `description` is written
/// only by a Frame that holds the only reference to it, so no other thread can read it then.
final class FrameBody: @unchecked Sendable {
    let lease: BufferLease
    let byteCount: Int
    let format: FrameFormat
    var description: FrameDescription

    init(_ lease: BufferLease, _ byteCount: Int, _ format: FrameFormat, _ description: FrameDescription) {
        self.lease = lease
        self.byteCount = byteCount
        self.format = format
        self.description = description
    }
}

/// The properties of a picture other than its bytes and their shape.
/// They are kept from codec to codec.
struct FrameDescription: Sendable {
    var captureTime: CaptureTime?
    var sequence: UInt64
    var sourceColorRange: ColorRange
    var quality: Int?
    var metadata: [UInt8] = []
    var dependsOnPrevious = false
    var hasDecodeWarnings = false
    var uprightTurn = PictureTurn.none
    var relays: [UInt64] = []
}
