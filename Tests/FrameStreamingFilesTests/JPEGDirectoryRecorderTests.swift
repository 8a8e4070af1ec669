import Foundation
import FrameStreamingCore
import FrameStreamingFiles
import Testing

@Suite struct JPEGDirectoryRecorderTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private func jpeg(_ tag: UInt8, width: Int = 17) throws -> Frame {
        try makeFrame(
            fakeJPEG(width: width, tag: tag), FrameFormat(width: width, height: 13, pixelFormat: .jpeg))
    }

    @Test func `writes numbered files of any size and nothing else`() throws {
        let path = directory.path("out")
        let recorder = try JPEGDirectoryRecorder(path: path)
        #expect(recorder.lastPath == nil)
        for tag in 1...3 as ClosedRange<UInt8> {
            let frame = try jpeg(tag, width: Int(tag))
            #expect(recorder.accepts(frame))
            try recorder.write(frame)
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        #expect(names == ["frame-000001.jpg", "frame-000002.jpg", "frame-000003.jpg"])
        #expect(recorder.lastPath == path + "/frame-000003.jpg")
        #expect(try contents(path + "/frame-000002.jpg") == fakeJPEG(width: 2, tag: 2))
        recorder.close()
        recorder.close()
        #expect(try failure { try recorder.write(jpeg(1)) }.code == .closed)
    }

    @Test func `replaces files of the same names in a directory that is there`() throws {
        let old = try directory.file("frame-000001.jpg", noise(10_000))
        let other = try directory.file("frame-000009.jpg", [1])
        try JPEGDirectoryRecorder(path: directory.path).write(jpeg(7))
        #expect(try contents(old) == fakeJPEG(tag: 7))
        #expect(try contents(other) == [1])
    }

    @Test func `a directory that went away is an error, and the number is used again`() throws {
        let path = directory.path("out")
        let recorder = try JPEGDirectoryRecorder(path: path)
        try FileManager.default.removeItem(atPath: path)
        #expect(try failure { try recorder.write(jpeg(1)) }.code == .notFound)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        // What cannot be renamed leaves nothing behind.
        let blocked = path + "/frame-000001.jpg"
        try FileManager.default.createDirectory(atPath: blocked, withIntermediateDirectories: false)
        #expect(try failure { try recorder.write(jpeg(1)) }.code == .system)
        #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["frame-000001.jpg"])
        try FileManager.default.removeItem(atPath: blocked)
        try recorder.write(jpeg(1))
        #expect(recorder.frameCount == 1)
    }

    @Test func `refuses a file for a directory, and raw pictures`() throws {
        let file = try directory.file("file", [1])
        #expect(try failure { _ = try JPEGDirectoryRecorder(path: file) }.code == .invalidArgument)
        #expect(try failure { _ = try JPEGDirectoryRecorder(path: file + "/below") }.code == .notFound)
        let gray = try makeFrame([1], FrameFormat(width: 1, height: 1, pixelFormat: .gray8))
        let recorder = try JPEGDirectoryRecorder(path: directory.path("out"))
        #expect(!recorder.accepts(gray))
        #expect(try failure { try recorder.write(gray) }.code == .unsupported)
    }
}
