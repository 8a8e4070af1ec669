/// What a Frame refers to. Copies of a Frame share it; who changes one makes it a body of its own first.
///
/// Safe to share although it is not `Sendable` by the compiler's rules: `description` is written only by a Frame that holds the one
/// reference to it, which nobody else can be reading then.
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

/// What is known of a picture beside its bytes and their shape, and travels with it from codec to codec.
struct FrameDescription: Sendable {
    var captureTime: CaptureTime?
    var sequence: UInt64
    var sourceColorRange: ColorRange
    var quality: Int?
    var metadata: [UInt8] = []
}
