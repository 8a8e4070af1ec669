import Foundation
import FrameStreamingCore
import FrameStreamingJPEG
import FrameStreamingTCP
import Glibc
import Testing

extension ExampleTests {
    /// `--segment-seconds`, `--segment-bytes`, `--keep-bytes` and `--pre-roll`.
    @Suite struct Segments {
        let workspace: Workspace

        init() throws { workspace = try Workspace() }

        private func clusters(_ name: String) throws -> Int {
            let content = Data(try workspace.read(name))
            var (count, start) = (0, content.startIndex)
            while let found = content.range(of: Data([0x1F, 0x43, 0xB6, 0x75]), in: start..<content.endIndex) {
                count += 1
                start = found.upperBound
            }
            return count
        }

        private func input(_ count: Int) throws -> (path: String, byteCount: Int) {
            let clip = Clip(frames: count)
            let bytes = try (0..<count).flatMap { try clip.jpeg($0, JPEGCodec()) }
            return (try workspace.write(bytes, to: "in.mjpg"), bytes.count)
        }

        @Test(arguments: [".mkv", ".mp4", ".mjpg", ".y4m"]) func segmentsHaveEveryPicture(ending: String) throws {
            let (input, byteCount) = try input(24)
            let folder = workspace.file("out")
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
            let limit = ending == ".y4m" ? 64 * 48 * 9 : byteCount / 3
            let ended = try stream(
                ["--input", input, "--pace", "max", "--policy", "reliable"],
                ["--record", folder + "/a" + ending, "--segment-bytes", "\(limit)"])
            try ended.expectAllArrived(24)
            let events = try ended.receiver.lines(ended.receiver.output).filter { $0.event == "recording" }
            #expect(events.count >= 3 && events.count <= 6)
            #expect(try events.map { try $0.int("frames") }.reduce(0, +) == 24)
            let names = try workspace.names(in: "out").sorted()
            // The names have the order of their times.
            #expect(events.map { $0.string("path") ?? "" } == names.map { folder + "/" + $0 })
            #expect(names.allSatisfy { $0.hasPrefix("a-2") && $0.hasSuffix("Z" + ending) })
            if ending == ".mkv" { #expect(try names.map { try clusters("out/" + $0) }.reduce(0, +) == 24) }
        }

        @Test func theOldestSegmentsOfTheRunAreRemoved() throws {
            let (input, byteCount) = try input(60)
            let other = try workspace.write([1, 2, 3], to: "a-20200101T000000.000Z.mkv")
            let ended = try stream(
                ["--input", input, "--pace", "max", "--policy", "reliable"],
                ["--record", workspace.file("a.mkv"), "--keep-bytes", "\(byteCount / 2)"])
            try ended.expectAllArrived(60)
            let events = try ended.receiver.lines(ended.receiver.output).filter { $0.event == "recording" }
            #expect(try events.map { try $0.int("frames") }.reduce(0, +) == 60)
            let names = try workspace.names(in: "").filter { $0.hasSuffix(".mkv") }.sorted()
            #expect(names.first.map { workspace.file($0) } == other)
            let own = names.dropFirst()
            #expect(own.count >= 2 && own.count < events.count)
            #expect(
                Array(own)
                    == events.suffix(own.count).compactMap { $0.string("path") }.map {
                        String($0.split(separator: "/").last ?? "")
                    })
            #expect(try own.map { try workspace.read($0).count }.reduce(0, +) <= byteCount / 2)
        }

        @Test func aSignalRecordsWhatPrecededItAndWhatFollows() throws {
            let receiver = try Program(
                "frame-receive",
                ["--listen", "0", "--once", "--json", "--record", workspace.file("a.mkv"), "--pre-roll", "3600"])
            let address = "127.0.0.1:\(try receiver.port())"
            let sender = ReceiverReconnect.Breaking(try TCPConnector(to: address, role: .sender), Clip(frames: 4))
            #expect(try sender.connect() == 0)
            try sender.send(1...3)
            #expect(try workspace.names(in: "").isEmpty)
            receiver.signal(SIGUSR1)
            // The thread that takes the signal sets a mark, which the next picture finds.
            var number: UInt64 = 3
            while try workspace.names(in: "").isEmpty, number < 2_000 {
                number += 1
                try sender.send(number...number)
            }
            try sender.send(number + 1...number + 1)
            try sender.finish()
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            let names = try workspace.names(in: "")
            #expect(names.count == 1)
            #expect(try clusters(names[0]) == Int(number) + 1)
        }

        @Test(arguments: [
            (["--segment-seconds", "5"], "is for --record"), (["--record", "a/", "--segment-bytes", "9"], "files"),
            (["--record", "a.mkv", "--post-roll", "9"], "--pre-roll"),
            (["--record", "-", "--segment-seconds", "9"], "goes to a reader"),
            (["--record", "a.mkv", "--keep-bytes", "0"], "at least 1"),
        ]) func optionsThatDoNotFitAreRefused(options: [String], words: String) throws {
            let outcome = try run("frame-receive", ["--listen", "0"] + options)
            #expect(outcome.end == .exit(64) && outcome.complaints.contains(words), "\(outcome.complaints)")
        }
    }
}
