import Foundation
import FrameStreamingCore
import FrameStreamingJPEG
import FrameStreamingSystem
import FrameStreamingTCP
import Glibc
import RawSockets
import TestThreads
import Testing

extension ExampleTests {
    /// Recordings that go to a reader: standard output, FIFOs and devices.
    @Suite struct RecordedStreams {
        let workspace: Workspace
        let clip = Clip(frames: 4)

        init() throws { workspace = try Workspace() }

        /// A receiver that records to standard output. Its lines are on standard error.
        private func toStandardOutput(
            _ arguments: [String] = [], as name: String = "-"
        ) throws -> (program: Program, port: Int) {
            let program = try Program("frame-receive", ["--listen", "0", "--json", "--record", name] + arguments)
            let port = try program.findComplaint("the listening line") { text in
                try program.lines(text).first { $0.event == "listening" }?.int("port")
            }
            return (program, port)
        }

        /// Sends the clip as JPEGs, and returns their bytes.
        private func send(to port: Int) throws -> [UInt8] {
            let bytes = try (0..<4).flatMap { try clip.jpeg($0, JPEGCodec()) }
            let input = try workspace.write(bytes, to: "in.mjpg")
            let sender = try sender(to: port, ["--input", input, "--pace", "max"])
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            return bytes
        }

        /// Opens a FIFO and reads to its end.
        private static func readAll(_ fifo: String) -> [UInt8] {
            Array((try? FileHandle(forReadingAtPath: fifo)?.readToEnd()) ?? Data())
        }

        @Test func standardOutputHasNothingButThePictures() throws {
            let (receiver, port) = try toStandardOutput(["--once"])
            let bytes = try send(to: port)
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            #expect(receiver.outputBytes == bytes)
            let lines = try receiver.lines(receiver.complaints)
            let recorded = try #require(lines.first { $0.event == "recording" })
            #expect(try recorded.string("path") == "-" && recorded.int("frames") == 4)
            #expect(lines.last?.scope == "total")
            // In words, too.
            let words = try Program("frame-receive", ["--listen", "127.0.0.1:0", "--record", "-", "--once"])
            let address = try words.findComplaint("the address") { text in
                text.firstMatch(of: /listening on 127\.0\.0\.1:(\d+)\n/).flatMap { Int($0.1) }
            }
            #expect(try words.outputBytes.isEmpty && send(to: address) == bytes)
            #expect(try words.finish() == .exit(0), "\(words.complaints)")
            #expect(words.outputBytes == bytes)
        }

        @Test(arguments: ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
        func theSystemsNamesForItHaveNothingButThePicturesEither(name: String) throws {
            let (receiver, port) = try toStandardOutput(["--once"], as: name)
            let bytes = try send(to: port)
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            #expect(receiver.outputBytes == bytes)
        }

        @Test func picturesForAReaderCannotBeSynced() throws {
            let receiver = try Program("frame-receive", ["--listen", "0", "--record", "-", "--sync"])
            #expect(try receiver.finish() == .exit(1))
            #expect(receiver.complaints.contains("cannot be synced to a disk: record to a file"))
        }

        /// A FIFO that is opened once more does not block; a socket cannot be opened once more.
        @Test(arguments: ["FIFO", "socket"]) func aReaderThatDoesNotReadCostsNoLastWord(kind: String) throws {
            let fifo = workspace.file("pictures")
            try #require(unsafe mkfifo(fifo, 0o600) == 0)
            let reader = try Descriptor.openNonBlocking(fifo)
            let listener = try RawListener()
            let output = kind == "FIFO" ? fifo : "/dev/tcp/127.0.0.1/\(listener.port)"
            let receiver = try Program(
                "frame-receive", ["--listen", "0", "--json", "--record", "-"],
                script: #"exec bash -c 'exec "$0" "$@" >\#(output)' "$0" "$@""#)
            let port = try receiver.findComplaint("the listening line") { text in
                try receiver.lines(text).first { $0.event == "listening" }?.int("port")
            }
            let sender = try sender(
                to: port,
                ["--pattern", "--size", "1280x720", "--rate", "120", "--quality", "100", "--no-reconnect"])
            // Nothing was sent for a second, so the output is full and no credit comes back.
            _ = try sender.find("a full output") { text in
                let seconds = try sender.lines(text).filter { $0.event == "progress" }
                return try seconds.contains { try $0.int("sent") > 0 } && seconds.last?.int("sent") == 0
                    ? true : nil
            }
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            #expect(receiver.complaints.contains("stopping; once more to quit now\n"))
            let objects = receiver.complaints.split(separator: "\n").filter { $0.hasPrefix("{") }
            let lines = try objects.map { try Line(String($0)) }
            #expect(lines.contains { $0.event == "stopping" })
            #expect(lines.last?.scope == "total")
            try sender.finish()
            _ = reader
        }

        @Test func oneStreamAfterAnotherGoesToStandardOutput() throws {
            let (receiver, port) = try toStandardOutput()
            let bytes = try send(to: port) + send(to: port)
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            #expect(receiver.outputBytes == bytes)
        }

        @Test func aReaderThatGoesAwayEndsTheProgramWithAReason() throws {
            let (receiver, port) = try toStandardOutput()
            receiver.closeOutput()
            let sender = try sender(to: port, ["--pattern", "--size", "64x48", "--no-reconnect"])
            #expect(try receiver.finish() == .exit(1))
            #expect(receiver.complaints.contains("-: its reader has gone (Broken pipe)"), "\(receiver.complaints)")
            #expect(try sender.finish() == .exit(1))
            #expect(sender.complaints.contains("its reader has gone"), "\(sender.complaints)")
        }

        @Test func twoStreamsAtOnceDoNotMix() throws {
            let (receiver, port) = try toStandardOutput()
            let first = try sender(to: port, ["--pattern", "--size", "64x48", "--stream", "first"])
            try first.streams("acknowledged")
            let second = try sender(to: port, pattern(3) + ["--no-reconnect"])
            #expect(try second.finish() == .exit(1))
            #expect(second.complaints.contains("another stream is recorded there"), "\(second.complaints)")
            first.signal(SIGINT)
            #expect(try first.finish() == .exit(0), "\(first.complaints)")
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(1))
        }

        @Test func aStreamThatBrokeGivesItsPlaceToTheNext() throws {
            let (receiver, port) = try toStandardOutput()
            let killed = try sender(to: port, ["--pattern", "--size", "64x48"])
            try killed.streams("acknowledged")
            killed.signal(SIGKILL)
            try killed.finish()
            try receiver.findComplaint("without a goodbye")
            let before = receiver.outputBytes.count
            let bytes = try send(to: port)
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            #expect(Array(receiver.outputBytes.suffix(bytes.count)) == bytes && before > 0)
        }

        @Test func aFIFOTakesOneStreamAfterAnother() throws {
            let fifo = workspace.file("pictures")
            try #require(unsafe mkfifo(fifo, 0o600) == 0)
            let (receiver, port) = try receiver(["--record", fifo])
            for _ in 0..<2 {
                let reader = try Background("the FIFO's reader") { Self.readAll(fifo) }
                let bytes = try send(to: port)
                #expect(try reader.value() == bytes)
            }
            // A reader that leaves in the middle fails its stream only.
            let descriptor = try Background("a reader that leaves") { unsafe open(fifo, O_RDONLY) }
            let failed = try sender(to: port, ["--pattern", "--size", "64x48", "--no-reconnect"])
            close(try descriptor.value())
            #expect(try failed.finish() == .exit(1))
            #expect(failed.complaints.contains("its reader has gone"), "\(failed.complaints)")
            let reader = try Background("the next reader") { Self.readAll(fifo) }
            let bytes = try send(to: port)
            #expect(try reader.value() == bytes)
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(1))
            #expect(try workspace.names(in: "") == ["in.mjpg", "pictures"])
        }

        @Test func aDeviceTakesOneStreamAfterAnother() throws {
            try FileManager.default.createSymbolicLink(
                atPath: workspace.file("null"), withDestinationPath: "/dev/null")
            let (receiver, port) = try receiver(["--record", workspace.file("null")])
            for _ in 0..<2 { _ = try send(to: port) }
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            #expect(try workspace.names(in: "") == ["in.mjpg", "null"])
            let recordings = try receiver.lines.filter { $0.event == "recording" }
            #expect(try recordings.map { try $0.int("frames") } == [4, 4])
        }

        @Test(arguments: ["IMG_0001.JPG", "frame-1.png", "frame-000007.jpg"])
        func aDirectoryWithPicturesOfAnyProgramIsKeptApart(name: String) throws {
            try FileManager.default.createDirectory(
                atPath: workspace.file("pictures"), withIntermediateDirectories: false)
            _ = try workspace.write([7], to: "pictures/" + name)
            let (receiver, port) = try receiver(["--once", "--record", workspace.file("pictures/")])
            _ = try send(to: port)
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            #expect(try workspace.names(in: "pictures") == [name])
            #expect(try workspace.names(in: "pictures-2").count == 4)
            let refused = try run(
                "frame-receive", ["--listen", "0", "--no-overwrite", "--record", workspace.file("pictures")])
            #expect(refused.end == .exit(1) && refused.complaints.contains("recording already"), "\(refused)")
        }
    }
}
