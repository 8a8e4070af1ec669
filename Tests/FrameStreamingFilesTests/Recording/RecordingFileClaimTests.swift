import Foundation
import FrameStreamingCore
import FrameStreamingFiles
import FrameStreamingSystem
import Glibc
import TestThreads
import Testing

/// Which name a recording takes when others exist or are created at the same moment, and what
/// happens when another program changes its file.
@Suite(.ownThread(atOnce: 4)) struct RecordingFileClaimTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private func jpeg(_ tag: UInt8) throws -> Frame {
        try makeFrame(fakeJPEG(tag: tag), FrameFormat(width: 17, height: 13, pixelFormat: .jpeg))
    }

    private var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted() }
    }

    @Test func `an existing recording stays, and the next free name is taken`() throws {
        let old = try directory.file("a.mjpg", [7])
        let other = try directory.file("a-3.mjpg", [8])
        let path = directory.path("a.mjpg")
        for expected in ["a-2.mjpg", "a-4.mjpg", "a-5.mjpg"] {
            let recorder = try MJPEGRecorder(path: path)
            try recorder.write(jpeg(1))
            recorder.close()
            #expect(recorder.path == directory.path(expected))
        }
        #expect(try MJPEGRecorder(path: path, options: RecordingOptions(firstNumber: 5)).number == 6)
        #expect(try contents(old) == [7] && contents(other) == [8])
    }

    @Test func `an empty file and a dangling link are taken`() throws {
        let empty = try directory.file("a.mjpg")
        let link = directory.path("b.mjpg")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: directory.path("c.mjpg"))
        for path in [empty, link] {
            let recorder = try MJPEGRecorder(path: path)
            try recorder.write(jpeg(1))
            #expect(recorder.path == path && recorder.number == 1)
        }
        #expect(try names == ["a.mjpg", "b.mjpg", "c.mjpg"])
        #expect(try contents(directory.path("c.mjpg")) == fakeJPEG(tag: 1))
        // A directory in the place of a later name is skipped.
        try FileManager.default.createDirectory(
            atPath: directory.path("a-2.mjpg"), withIntermediateDirectories: false)
        #expect(try MJPEGRecorder(path: empty).number == 3)
    }

    @Test func `with refuse, an existing recording is an error, and so is one in progress`() throws {
        let refuse = RecordingOptions(existing: .refuse)
        let old = try directory.file("a.mjpg", [7])
        #expect(try failure { _ = try MJPEGRecorder(path: old, options: refuse) }.code == .alreadyExists)
        #expect(try failure { try RecordingPath.checkFile(old, options: refuse) }.code == .alreadyExists)
        #expect(try contents(old) == [7])
        let open = try MJPEGRecorder(path: directory.path("b.mjpg"), options: refuse)
        #expect(try failure { _ = try MJPEGRecorder(path: open.path, options: refuse) }.code == .busy)
    }

    @Test(arguments: [RecordingOptions.Existing.nextName, .replace])
    func `no two recorders write the same file`(existing: RecordingOptions.Existing) throws {
        let options = RecordingOptions(existing: existing)
        let path = directory.path("a.mjpg")
        let first = try MJPEGRecorder(path: path, options: options)
        let second = try MJPEGRecorder(path: path, options: options)
        for tag in 1...3 as ClosedRange<UInt8> {
            try first.write(jpeg(tag))
            try second.write(jpeg(tag + 10))
        }
        #expect([first.path, second.path] == [path, directory.path("a-2.mjpg")])
        #expect(try contents(first.path) == (1...3).flatMap { fakeJPEG(tag: $0) })
        #expect(try contents(second.path) == (11...13).flatMap { fakeJPEG(tag: $0) })
    }

    @Test func `recorders that begin at the same moment get a file each`() throws {
        let path = directory.path("a.mjpg")
        let ends = Monitor<[String]>([])
        let (count, rounds) = (8, 25)
        let threads = try (0..<count).map { thread in
            try Background("recorder \(thread)") {
                for round in 0..<rounds {
                    // Half of them begin without a frame, and remove their file at the end.
                    guard let recorder = try? MJPEGRecorder(path: path) else { continue }
                    if (thread + round).isMultiple(of: 2) {
                        if let frame = try? jpeg(UInt8(thread)), (try? recorder.write(frame)) != nil {
                            ends.withLock { $0.append(recorder.path) }
                        }
                    }
                    recorder.close()
                }
            }
        }
        for thread in threads { try thread.value() }
        let paths = ends.withLock { $0 }
        #expect(paths.count == count * rounds / 2 && Set(paths).count == paths.count)
        #expect(try names.count == paths.count)
        for path in paths { #expect(try contents(path).count == fakeJPEG(tag: 0).count, "\(path)") }
    }

    @Test func `a recorder removes its own file if it has no frame`() throws {
        try MJPEGRecorder(path: directory.path("a.mjpg")).close()
        let old = try directory.file("b.mjpg")
        try MJPEGRecorder(path: old).close()
        #expect(try names == ["b.mjpg"])
        // Another program has put a file there.
        let recorder = try MJPEGRecorder(path: directory.path("c.mjpg"))
        try FileManager.default.removeItem(atPath: recorder.path)
        _ = try directory.file("c.mjpg")
        recorder.close()
        #expect(try names == ["b.mjpg", "c.mjpg"])
    }

    @Test func `a file removed during the recording is detected`() throws {
        let recorder = try MJPEGRecorder(path: directory.path("a.mjpg"))
        try recorder.write(jpeg(1))
        try FileManager.default.removeItem(atPath: recorder.path)
        let error = try failure { try recorder.write(jpeg(2)) }
        #expect(error.code == .recordingLost && error.subject == recorder.path && error.message.contains("removed"))
        #expect(try failure { try recorder.write(jpeg(2)) }.code == .closed)
        #expect(recorder.frameCount == 1)
        // A removed file is not held open.
        #expect(try openFiles(below: directory.path).isEmpty)
    }

    @Test(arguments: [0, 1, 60]) func `a file cut during the recording is detected, and gets no hole`(length: Int)
        throws
    {
        let recorder = try MJPEGRecorder(path: directory.path("a.mjpg"))
        for tag in 1...3 as ClosedRange<UInt8> { try recorder.write(jpeg(tag)) }
        let before = try contents(recorder.path)
        try #require(unsafe truncate(recorder.path, length) == 0)
        let error = try failure { try recorder.write(jpeg(4)) }
        #expect(error.code == .recordingLost && error.message.contains("\(length) bytes"), "\(error)")
        #expect(try contents(recorder.path) == Array(before[..<length]))
    }

    @Test func `bytes that another program appends are detected, and stay`() throws {
        let recorder = try MJPEGRecorder(path: directory.path("a.mjpg"))
        try recorder.write(jpeg(1))
        let foreign: [UInt8] = [1, 2, 3]
        try Descriptor.openForAppending(recorder.path, create: false).writeAll(unsafe foreign.span.bytes)
        #expect(try failure { try recorder.write(jpeg(2)) }.code == .recordingLost)
        #expect(try contents(recorder.path).starts(with: fakeJPEG(tag: 1) + foreign))
    }

    @Test func `a suspended recording holds no descriptor, and continues where it was`() throws {
        let recorder = try MJPEGRecorder(path: directory.path("a.mjpg"))
        for tag in 1...3 as ClosedRange<UInt8> {
            try recorder.write(jpeg(tag))
            recorder.suspend()
            #expect(try openFiles(below: directory.path).isEmpty)
        }
        try recorder.write(jpeg(4))
        #expect(try contents(recorder.path) == (1...4).flatMap { fakeJPEG(tag: $0) })
        #expect(recorder.frameCount == 4)
        recorder.suspend()
        recorder.close()
        #expect(try failure { try recorder.write(jpeg(5)) }.code == .closed)
    }

    @Test(arguments: ["removed", "replaced", "cut", "longer", "taken"])
    func `a recording that changed while suspended is left alone`(how: String) throws {
        let recorder = try MJPEGRecorder(path: directory.path("a.mjpg"))
        try recorder.write(jpeg(1))
        recorder.suspend()
        let whole = try contents(recorder.path)
        var other: MJPEGRecorder?
        switch how {
        case "removed": try FileManager.default.removeItem(atPath: recorder.path)
        case "replaced":
            // The size is right, but it is another file.
            let new = try directory.file("new", whole)
            try #require(unsafe rename(new, recorder.path) == 0)
        case "cut": try #require(unsafe truncate(recorder.path, 5) == 0)
        case "longer":
            try Descriptor.openForAppending(recorder.path, create: false).writeAll(unsafe [1].span.bytes)
        default:
            other = try MJPEGRecorder(path: recorder.path, options: RecordingOptions(existing: .replace))
        }
        let left = try? contents(recorder.path)
        let error = try failure { try recorder.write(jpeg(2)) }
        #expect(error.code == .recordingLost && error.subject == recorder.path, "\(error)")
        #expect((try? contents(recorder.path)) == left)
        #expect(try failure { try recorder.write(jpeg(2)) }.code == .closed)
        _ = other
    }

    @Test func `a check leaves no file, and returns the name`() throws {
        let old = try directory.file("a.mjpg", [7])
        #expect(try RecordingPath.checkFile(old) == directory.path("a-2.mjpg"))
        #expect(try RecordingPath.checkFile(old, options: RecordingOptions(existing: .replace)) == old)
        #expect(try RecordingPath.checkFile(directory.path("b.mjpg")) == directory.path("b.mjpg"))
        #expect(try names == ["a.mjpg"] && contents(old) == [7])
        let pictures = directory.path("pictures")
        #expect(try RecordingPath.checkDirectory(pictures) == pictures)
        let kept = try directory.file("pictures/frame-000001.jpg", [1])
        #expect(try RecordingPath.checkDirectory(pictures) == pictures + "-2")
        #expect(try RecordingPath.checkDirectory(pictures, options: RecordingOptions(existing: .replace)) == pictures)
        #expect(try contents(kept) == [1])
    }

    @Test func `synced to the disk`() throws {
        let options = RecordingOptions(syncsFrames: true)
        let recorder = try MJPEGRecorder(path: directory.path("a.mjpg"), options: options)
        for tag in 1...2 as ClosedRange<UInt8> { try recorder.write(jpeg(tag)) }
        #expect(try contents(recorder.path) == (1...2).flatMap { fakeJPEG(tag: $0) })
        // A device, a FIFO and a pipe have no disk.
        let error = try failure { _ = try MJPEGRecorder(path: "/dev/null", options: options) }
        #expect(error.code == .invalidArgument && error.message.hasSuffix("record to a file"))
        #expect(try failure { _ = try RecordingPath.checkFile("/dev/null", options: options) }.code == .invalidArgument)
    }
}
