package import FrameStreamingSystem

/// The seam under the cameras: every call that reaches a driver or looks for one, and nothing else.
///
/// ``SystemVideoCalls`` is the real one; tests script another, which shows what no driver at hand can be made to show.
/// Any thread may call.
package protocol VideoCalls: Sendable {
    /// Opens a node for reading and writing, not blocking. Plainly, so that a file that is no camera is no complaint on
    /// standard error.
    func open(_ path: String) throws(SystemError) -> CInt
    /// Lets libv4l2 and its plugins know of a descriptor that turned out to be a camera. Its own conversion stays off.
    func adopt(_ descriptor: CInt)
    func close(_ descriptor: CInt)

    /// One ioctl: 0 or errno.
    @unsafe func ioctl(_ descriptor: CInt, _ request: UInt, _ argument: UnsafeMutableRawPointer) -> CInt
    /// Maps a driver's buffer, to be unmapped with ``BufferMapping``.
    @unsafe func map(_ descriptor: CInt, length: Int, offset: Int) throws(SystemError) -> UnsafeMutableRawPointer
    /// Waits for `events` until `deadline` (CLOCK_MONOTONIC nanoseconds) or a wake-up.
    func poll(
        _ descriptor: CInt, for events: Int16, until deadline: Int64?, wakeUp: WakeUp?
    ) throws(SystemError) -> Readiness
    /// What converts the formats of this camera that are not ours; nil where there is none.
    func makeConverter(_ descriptor: CInt) -> (any FrameConverter)?

    /// The video nodes that there are, by number.
    func nodePaths() -> [String]
    /// The number of a node among those of its device (sysfs `index`); nil = not known.
    func nodeIndex(_ path: String) -> Int?
    /// Links that keep their names when numbers change, each with the node that it leads to.
    func stablePaths() -> [(link: String, node: String)]
    /// The path without links; itself where it leads nowhere.
    func resolve(_ path: String) -> String
}

/// A conversion by libv4lconvert, bound to a camera: used by one thread at a time.
package protocol FrameConverter: Sendable {
    /// The camera's own format that the library would make `fourcc` of `width` x `height` from, and the size it would get.
    func source(for fourcc: UInt32, width: Int, height: Int) -> (source: UInt32, width: Int, height: Int)?
    /// Settles what is converted. Returns how many bytes of room a result needs, which may be more than it has.
    func prepare(from source: NodeFormat, to fourcc: UInt32) throws(SystemError) -> Int
    /// Converts a picture. Returns the bytes written; throws what the library's errno says.
    @unsafe func convert(
        _ source: UnsafeMutableRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) throws(SystemError) -> Int
}
