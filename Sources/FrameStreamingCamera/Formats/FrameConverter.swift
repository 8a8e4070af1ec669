package import FrameStreamingSystem

/// A conversion by libv4lconvert for one camera. One thread at a time uses it.
package protocol FrameConverter: Sendable {
    /// Returns the camera's format and size from which the library would make `fourcc` of `width` x
    /// `height`.
    func source(for fourcc: UInt32, width: Int, height: Int) -> (source: UInt32, width: Int, height: Int)?
    /// Prepares a conversion. Returns how many bytes to allocate for a
    /// result, which may be more than it uses.
    func prepare(from source: NodeFormat, to fourcc: UInt32) throws(SystemError) -> Int
    /// Converts an image. Returns the number of bytes written. Throws the library's errno.
    @unsafe func convert(
        _ source: UnsafeMutableRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) throws(SystemError) -> Int
}
