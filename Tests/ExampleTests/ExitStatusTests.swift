import FrameStreamingJPEG
import Glibc
import RawSockets
import Testing

extension ExampleTests {
    /// Docs/ExitStatus.md, as the programs do it.
    @Suite struct ExitStatus {
        /// A JPEG's first bytes and rubbish.
        private func rubbish(_ workspace: Workspace, _ pictures: Int) throws -> String {
            var picture = try Clip(frames: 1).jpeg(0, JPEGCodec())
            // Huffman tables that no decoder takes: the segments are whole, and the pictures are not.
            for index in picture.indices.dropLast(4) where picture[index] == 0xFF && picture[index + 1] == 0xC4 {
                picture[index + 4] = 0x77
            }
            return try workspace.write((0..<pictures).flatMap { _ in picture }, to: "rubbish.mjpg")
        }

        @Test func picturesThatNobodyCanDecodeFailBothEnds() throws {
            let workspace = try Workspace()
            let ended = try stream(["--input", try rubbish(workspace, 3), "--pace", "max"])
            #expect(ended.receiverEnd == .exit(1) && ended.senderEnd == .exit(1))
            #expect(ended.receiver.complaints.contains("none of the 3 pictures that arrived could be decoded"))
            #expect(ended.sender.complaints.contains("none of 3 pictures could be shown"))
            #expect(try ended.receiver.total().int("decode_failures") == 3)
        }

        @Test func ctrlCDoesNotHideThat() throws {
            let workspace = try Workspace()
            let (receiver, port) = try receiver()
            let sender = try sender(
                to: port, ["--input", try rubbish(workspace, 3), "--loop", "--policy", "latest"])
            try receiver.line("a second with undecodable pictures") {
                try $0.event == "progress" && $0.int("decode_failures") > 0
            }
            sender.signal(SIGINT)
            #expect(try sender.finish() == .exit(1))
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(1))
        }

        @Test func oneStreamThatFailedOfSeveralIsAFailure() throws {
            let (receiver, port) = try receiver(["--frames", "4"])
            let killed = try RawPeer(port: port)
            let picture = try Clip(frames: 1).jpeg(0, JPEGCodec())
            killed.send("\(picture.count), ")
            #expect(killed.receiveText(2) == "ok")
            killed.send(picture)
            #expect(killed.receiveText(2) == "ok")
            killed.kill()
            try receiver.line("the end of the broken stream") { $0.scope == "connection" }
            let sender = try sender(to: port, ["--pattern", "--size", "64x48", "--no-reconnect"])
            #expect(try receiver.finish() == .exit(1), "\(receiver.output)")
            #expect(try receiver.total().int("frames") == 4)
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
        }

        @Test func picturesThatNobodyTookFailTheSender() throws {
            // A receiver whose recording waits for a reader, and so never has the first picture.
            let workspace = try Workspace()
            let fifo = workspace.file("out.mjpg")
            try #require(unsafe mkfifo(fifo, 0o600) == 0)
            let (receiver, port) = try receiver(["--record", fifo])
            let sender = try sender(to: port, ["--pattern", "--size", "64x48", "--no-reconnect"])
            try receiver.streams("bytes")
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(0))
            #expect(try sender.finish() == .exit(1))
            #expect(sender.complaints.contains("pictures was delivered"), "\(sender.complaints)")
        }

        @Test func failOnDropAllowsNone() throws {
            let slow = ["--consume-ms", "100", "--fail-on-drop", "--frames", "3"]
            let (receiver, port) = try receiver(slow)
            let sender = try sender(
                to: port, ["--pattern", "--size", "64x48", "--rate", "200", "--no-reconnect", "--fail-on-drop"])
            #expect(try receiver.finish() == .exit(1))
            #expect(receiver.complaints.contains("--fail-on-drop allows none"), "\(receiver.complaints)")
            #expect(try sender.finish() == .exit(1))
            #expect(sender.complaints.contains("--fail-on-drop allows none"), "\(sender.complaints)")
            // The same stream without a drop.
            let whole = try stream(pattern(6) + ["--policy", "reliable", "--fail-on-drop"], ["--fail-on-drop"])
            try whole.expectAllArrived(6)
        }

        @Test func failOnDropCountsTheDamagedPicturesOfTheSource() throws {
            let workspace = try Workspace()
            let clip = Clip(frames: 3)
            var pictures = try (0..<3).map { try clip.jpeg($0, JPEGCodec()) }
            pictures[1].removeLast(pictures[1].count / 2)
            let input = try workspace.write(pictures.flatMap(\.self), to: "in.mjpg")
            let ended = try stream(["--input", input, "--pace", "max", "--fail-on-drop"])
            #expect(ended.senderEnd == .exit(1) && ended.receiverEnd == .exit(0))
            #expect(ended.sender.complaints.contains("1 picture was dropped"), "\(ended.sender.complaints)")
        }
    }
}
