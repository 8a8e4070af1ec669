package import FrameStreamingSystem

/// The seam under the cameras: every call that reaches or finds a driver, and nothing else.
///
/// ``SystemVideoCalls`` is the real one. Tests use a scripted one, for cases that no available
/// driver shows. Any thread may call.
package protocol VideoCalls: Sendable {
    /// Opens a node for reading and writing, not blocking. It does not use libv4l2, which would
    /// print to standard error for a file that is not a camera.
    func open(_ path: String) throws(SystemError) -> CInt
    /// Registers a camera's descriptor with libv4l2 and its plugins, without its conversion.
    func adopt(_ descriptor: CInt)
    func close(_ descriptor: CInt)

    /// Makes one ioctl. Returns 0 or errno.
    @unsafe func ioctl(_ descriptor: CInt, _ request: UInt, _ argument: UnsafeMutableRawPointer) -> CInt
    /// Maps a driver's buffer. ``BufferMapping`` unmaps it.
    @unsafe func map(_ descriptor: CInt, length: Int, offset: Int) throws(SystemError) -> UnsafeMutableRawPointer
    /// Waits for `events` until `deadline` (CLOCK_MONOTONIC nanoseconds) or a wake-up.
    func poll(
        _ descriptor: CInt, for events: Int16, until deadline: Int64?, wakeUp: WakeUp?
    ) throws(SystemError) -> Readiness
    /// Makes a converter for this camera's formats; nil if there is none.
    func makeConverter(_ descriptor: CInt) -> (any FrameConverter)?

    /// Lists the video nodes of this machine, by number.
    func nodePaths() -> [String]
    /// Returns a node's index among those of its device, from sysfs; nil if not known.
    func nodeIndex(_ path: String) -> Int?
    /// Lists the links that stay the same when numbers change, each with its node.
    func stablePaths() -> [(link: String, node: String)]
    /// Resolves links in a path. Returns the path itself if it does not exist.
    func resolve(_ path: String) -> String
}
