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

    @Test func `the frames of two recorders never mix`() throws {
        let path = directory.path("out")
        let first = try JPEGDirectoryRecorder(path: path)
        // Locked already, though empty.
        let second = try JPEGDirectoryRecorder(path: path)
        try first.write(jpeg(1))
        try second.write(jpeg(2))
        first.close()
        second.close()
        let third = try JPEGDirectoryRecorder(path: path + "/")
        try third.write(jpeg(3))
        #expect([first, second, third].map(\.path) == [path, path + "-2", path + "-3"])
        #expect([first, second, third].map(\.number) == [1, 2, 3])
        for (tag, name) in [(1, path), (2, path + "-2"), (3, path + "-3")] as [(UInt8, String)] {
            #expect(try FileManager.default.contentsOfDirectory(atPath: name) == ["frame-000001.jpg"])
            #expect(try contents(name + "/frame-000001.jpg") == fakeJPEG(tag: tag))
        }
    }

    @Test(arguments: ["IMG_0001.JPG", "a.png", "frame-1.jpeg", "frame-000007.jpg"])
    func `pictures of any program keep a directory apart`(name: String) throws {
        let path = directory.path("out")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        _ = try directory.file("out/" + name, [1])
        #expect(try JPEGDirectoryRecorder(path: path).path == path + "-2")
        let refuse = RecordingOptions(existing: .refuse)
        #expect(try failure { _ = try JPEGDirectoryRecorder(path: path, options: refuse) }.code == .alreadyExists)
    }

    @Test(arguments: ["notes.txt", "jpg", ".hidden.jpg", "jpg.txt"])
    func `other files do not`(name: String) throws {
        let path = directory.path("out")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        _ = try directory.file("out/" + name, [1])
        #expect(try JPEGDirectoryRecorder(path: path).path == path)
    }

    @Test func `replace removes every frame of the recording before, and nothing else`() throws {
        let path = directory.path("out")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        for name in ["frame-000001.jpg", "frame-000002.jpg", "frame-1000000.jpg"] {
            _ = try directory.file("out/" + name, noise(10_000))
        }
        for name in ["frame-1.jpg", "frame-00000x.jpg", "notes.txt"] { _ = try directory.file("out/" + name, [1]) }
        let recorder = try JPEGDirectoryRecorder(path: path, options: RecordingOptions(existing: .replace))
        try recorder.write(jpeg(7))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: path).sorted()
                == ["frame-000001.jpg", "frame-00000x.jpg", "frame-1.jpg", "notes.txt"])
        #expect(try contents(path + "/frame-000001.jpg") == fakeJPEG(tag: 7))
    }

    @Test func `with refuse, an existing recording is an error`() throws {
        let path = directory.path("out")
        try JPEGDirectoryRecorder(path: path).write(jpeg(1))
        let refuse = RecordingOptions(existing: .refuse)
        #expect(try failure { _ = try JPEGDirectoryRecorder(path: path, options: refuse) }.code == .alreadyExists)
        let open = try JPEGDirectoryRecorder(path: directory.path("open"))
        #expect(
            try failure { _ = try JPEGDirectoryRecorder(path: open.path, options: refuse) }.code == .busy)
    }

    @Test func `a file that another program has put there stays`() throws {
        let recorder = try JPEGDirectoryRecorder(path: directory.path("out"))
        try recorder.write(jpeg(1))
        let other = try directory.file("out/frame-000002.jpg", [9])
        try recorder.write(jpeg(2))
        #expect(recorder.lastPath == recorder.path + "/frame-000003.jpg" && recorder.frameCount == 2)
        #expect(try contents(other) == [9])
        #expect(try contents(recorder.path + "/frame-000003.jpg") == fakeJPEG(tag: 2))
    }

    @Test func `a removed directory is an error of its own, and ends the recording`() throws {
        let path = directory.path("out")
        let recorder = try JPEGDirectoryRecorder(path: path)
        try recorder.write(jpeg(1))
        try FileManager.default.removeItem(atPath: path)
        // Another directory of that name is not the one of the recording.
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        let error = try failure { try recorder.write(jpeg(2)) }
        #expect(error.code == .recordingLost && error.subject == path && error.message.contains("removed"))
        #expect(try failure { try recorder.write(jpeg(2)) }.code == .closed)
        #expect(try FileManager.default.contentsOfDirectory(atPath: path).isEmpty)
        #expect(recorder.frameCount == 1)
    }

    @Test func `a suspended recording holds no descriptor, and continues where it was`() throws {
        let path = directory.path("out")
        let recorder = try JPEGDirectoryRecorder(path: path)
        try recorder.write(jpeg(1))
        recorder.suspend()
        #expect(try openFiles(below: directory.path).isEmpty)
        try recorder.write(jpeg(2))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: path).sorted()
                == ["frame-000001.jpg", "frame-000002.jpg"])
        recorder.suspend()
        try FileManager.default.removeItem(atPath: path)
        #expect(try failure { try recorder.write(jpeg(3)) }.code == .recordingLost)
    }

    @Test func `a recorder removes its own directory if it has no frame`() throws {
        try JPEGDirectoryRecorder(path: directory.path("new")).close()
        #expect(!FileManager.default.fileExists(atPath: directory.path("new")))
        let old = directory.path("old")
        try FileManager.default.createDirectory(atPath: old, withIntermediateDirectories: false)
        try JPEGDirectoryRecorder(path: old).close()
        #expect(FileManager.default.fileExists(atPath: old))
    }

    @Test func `synced to the disk`() throws {
        let recorder = try JPEGDirectoryRecorder(
            path: directory.path("out"), options: RecordingOptions(syncsFrames: true))
        try recorder.write(jpeg(1))
        #expect(try contents(recorder.path + "/frame-000001.jpg") == fakeJPEG(tag: 1))
    }

    @Test func `refuses a file for a directory, and raw frames`() throws {
        let file = try directory.file("file", [1])
        #expect(try failure { _ = try JPEGDirectoryRecorder(path: file) }.code == .invalidArgument)
        #expect(try failure { _ = try JPEGDirectoryRecorder(path: file + "/below") }.code == .notFound)
        let gray = try makeFrame([1], FrameFormat(width: 1, height: 1, pixelFormat: .gray8))
        let recorder = try JPEGDirectoryRecorder(path: directory.path("out"))
        #expect(!recorder.accepts(gray))
        #expect(try failure { try recorder.write(gray) }.code == .unsupported)
    }
}
