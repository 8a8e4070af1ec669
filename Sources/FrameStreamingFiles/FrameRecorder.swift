public import FrameStreamingCore

/// What keeps pictures: a file or a directory. One thread at a time.
///
/// After a kill at any moment every picture whose `write` had returned can be read.
public protocol FrameRecorder: AnyObject {
    /// The file or directory that it writes.
    var path: String { get }
    /// Pictures written so far.
    var frameCount: Int { get }

    /// Whether `frame` can go behind those before it: same format as the first. Where not, start another recording
    /// (``RecordingPath/numbered(_:_:)``).
    func accepts(_ frame: Frame) -> Bool

    /// Writes one picture whole.
    ///
    /// - Throws: `unsupported` for one that it does not ``accepts(_:)``, and `system` where the disk is full or fails: the recording
    ///   then holds the pictures before it and may go on. `closed` after ``close()``.
    func write(_ frame: Frame) throws(FrameStreamingError)

    /// Ends the recording. Again and again.
    func close() throws(FrameStreamingError)
}

/// Names of recordings that belong together.
public enum RecordingPath {
    /// The path of the `number`th recording: `out.y4m` itself, then `out-2.y4m`, `out-3.y4m`; of a directory `DIR`, `DIR-2`.
    public static func numbered(_ path: String, _ number: Int) -> String {
        guard number > 1 else { return path }
        var bytes = Array(path.utf8)
        while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        let name = (bytes.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1
        // The dot of a hidden file's name does not begin an ending.
        let dot = bytes[name...].lastIndex(of: UInt8(ascii: "."))
        let end = dot.map { $0 > name ? $0 : bytes.count } ?? bytes.count
        bytes.insert(contentsOf: Array("-\(number)".utf8), at: end)
        return String(decoding: bytes, as: UTF8.self)
    }
}
