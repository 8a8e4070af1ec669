/// A connection that bounds the bytes of frames that have come and are not consumed, and so how far ahead its sender may be.
package protocol MemoryLimited: Transport {
    /// Bytes that such frames may take now, at least one largest frame's; nil where there is no bound but the credit.
    var frameMemory: Int? { get }
}
