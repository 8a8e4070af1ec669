/// A dequeued buffer that holds a complete image.
struct ValidBuffer {
    var buffer: FilledBuffer
    var number: UInt64
    /// The used bytes of the first memory plane.
    var range: Range<Int>
    var jpeg: MotionJPEG?
}
