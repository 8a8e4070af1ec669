/// A connection that bounds the bytes of unconsumed frames, and so how far ahead its sender may be.
package protocol MemoryLimited: Transport {
    /// The bytes that such frames may take now, at least one largest frame's;
    /// nil if only the credit bounds them.
    var frameMemory: Int? { get }
}
