import FrameStreamingCore
import FrameStreamingFiles
import FrameStreamingSystem
import Glibc
import TestThreads
import Testing

/// Recordings to a FIFO, with and without a reader.
@Suite(.ownThread(atOnce: 4)) struct RecordingFileTests {
    private let directory: TemporaryDirectory
    private let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.path("a.mjpg")
        try #require(unsafe mkfifo(path, 0o600) == 0)
    }

    /// A frame larger than a FIFO's buffer.
    private func picture(_ tag: UInt8) throws -> (frame: Frame, bytes: [UInt8]) {
        let bytes = fakeJPEG(tag: tag) + [UInt8](repeating: tag, count: 200_000)
        return (try makeFrame(bytes, FrameFormat(width: 17, height: 13, pixelFormat: .jpeg)), bytes)
    }

    /// Records a frame on a thread of its own.
    private func record(_ cancellation: RecordingCancellation?) throws -> Background<Void> {
        let (path, frame) = (path, try picture(1).frame)
        return try Background("the recorder") {
            try MJPEGRecorder(path: path, cancellation: cancellation).write(frame)
        }
    }

    @Test func `the reader gets every byte`() throws {
        let recording = try record(nil)
        // The FIFO may be open by now or not: the recorder waits for a reader.
        let reader = try Descriptor.open(path)
        #expect(try reader.readAll(limit: 1 << 20) == picture(1).bytes)
        try recording.value()
    }

    @Test func `a reader that leaves is an error, and not the end of the process`() throws {
        var reader: Descriptor? = try Descriptor.openNonBlocking(path)
        let recorder = try MJPEGRecorder(path: path)
        try #require(reader != nil)
        reader = nil
        let frame = try picture(1).frame
        let error = try failure { try recorder.write(frame) }
        #expect(error.code == .system && error.errno == EPIPE && error.subject == path)
        #expect(error.message.hasPrefix("its reader has gone (Broken pipe): start the reader again"))
        #expect(try failure { try recorder.write(frame) }.code == .closed)
        // The next recorder waits for the next reader.
        let recording = try record(nil)
        #expect(try Descriptor.open(path).readAll(limit: 1 << 20) == picture(1).bytes)
        try recording.value()
    }

    @Test func `a FIFO, a device and standard output are streams, and files are not`() throws {
        #expect(RecordingPath.isStream(path) && RecordingPath.isStream("-") && RecordingPath.isStream("/dev/null"))
        let file = try directory.file("b.mjpg", [1])
        for path in [file, directory.path("none.mjpg"), directory.path, ""] { #expect(!RecordingPath.isStream(path)) }
        #expect(RecordingPath.numbered("-", 2) == "-")
    }

    @Test func `a cancel ends the wait for a reader`() throws {
        let cancellation = try RecordingCancellation()
        let recording = try record(cancellation)
        cancellation.cancel()
        let failure = recording.error(as: FrameStreamingError.self)
        #expect(failure?.code == .cancelled && failure?.subject == path)
    }

    @Test func `a cancel ends the wait for a slow reader, and no frame follows half a frame`() throws {
        let reader = try Descriptor.openNonBlocking(path)
        let cancellation = try RecordingCancellation()
        let recorder = try MJPEGRecorder(path: path, cancellation: cancellation)
        cancellation.cancel()
        let large = try picture(1).frame
        #expect(try failure { try recorder.write(large) }.code == .cancelled)
        #expect(try failure { try recorder.write(large) }.code == .closed)
        #expect(recorder.frameCount == 0)
        _ = reader
    }
}
