import FrameStreamingCore
import FrameStreamingFiles
import FrameStreamingSystem
import Glibc
import Testing

/// Recordings to a FIFO, with and without a reader.
@Suite struct RecordingFileTests {
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

    /// Records a frame on a thread of its own, and returns its error, nil = none.
    private func record(_ cancellation: RecordingCancellation?) throws -> (
        thread: SystemThread, end: Monitor<[FrameStreamingError?]>
    ) {
        let end = Monitor<[FrameStreamingError?]>([])
        let (path, frame) = (path, try picture(1).frame)
        let thread = try SystemThread(name: "record") {
            var failure: FrameStreamingError?
            do throws(FrameStreamingError) {
                try MJPEGRecorder(path: path, cancellation: cancellation).write(frame)
            } catch {
                failure = error
            }
            end.update { $0.append(failure) }
        }
        return (thread, end)
    }

    @Test func `the reader gets every byte`() throws {
        let (thread, end) = try record(nil)
        // The FIFO may be open by now or not: the recorder waits for a reader.
        let reader = try Descriptor.open(path)
        #expect(try reader.readAll(limit: 1 << 20) == picture(1).bytes)
        thread.join()
        #expect(end.withLock { $0 } == [nil])
    }

    @Test func `a cancel ends the wait for a reader`() throws {
        let cancellation = try RecordingCancellation()
        let (thread, end) = try record(cancellation)
        cancellation.cancel()
        thread.join()
        let failure = try #require(end.withLock { $0 }.first ?? nil)
        #expect(failure.code == .cancelled && failure.subject == path)
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
