import FrameStreamingCore
import FrameStreamingSystem
import Glibc
import TestThreads
import Testing

extension ExampleTests {
    @Suite struct Signals {
        @Test(arguments: [SIGINT, SIGTERM]) func theSenderEndsCleanly(signal: Int32) throws {
            let (receiver, port) = try receiver(["--once"])
            let sender = try sender(to: port, ["--pattern", "--size", "64x48"])
            try sender.streams("acknowledged")
            sender.signal(signal)
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            let total = try sender.total()
            #expect(total.string("end") == "cancelled")
            #expect(try total.int("produced") == total.accounted())
            #expect(try total.int("acknowledged") == receiver.total().int("frames"))
            #expect(try receiver.total().string("end") == "bye")
        }

        @Test(arguments: [SIGINT, SIGTERM]) func theReceiverEndsCleanly(signal: Int32) throws {
            let (receiver, port) = try receiver()
            let sender = try sender(to: port, ["--pattern", "--size", "64x48", "--no-reconnect"])
            try receiver.streams("frames")
            receiver.signal(signal)
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            #expect(try receiver.connections().map { $0.string("end") } == ["cancelled"])
            #expect(try receiver.total().string("end") == "cancelled")
            let total = try sender.total()
            #expect(total.string("end") == "bye")
            #expect(try total.int("produced") == total.accounted())
        }

        @Test func aConsumerThatTakesItsTimeIsInterrupted() throws {
            let (receiver, port) = try receiver(["--consume-ms", "600000"])
            let sender = try sender(to: port, ["--pattern", "--size", "64x48", "--no-reconnect"])
            try receiver.streams("bytes")
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            #expect(try receiver.total().string("end") == "cancelled")
        }

        @Test(arguments: [false, true]) func aFIFOWithoutAReaderIsInterrupted(hasReader: Bool) throws {
            let workspace = try Workspace()
            let fifo = workspace.file("p.y4m")
            try #require(unsafe mkfifo(fifo, 0o600) == 0)
            let reader = hasReader ? unsafe open(fifo, O_RDONLY | O_NONBLOCK) : -1
            defer { if hasReader { close(reader) } }
            let (receiver, port) = try receiver(["--record", fifo])
            // One picture is larger than the FIFO's buffer.
            let sender = try sender(to: port, ["--pattern", "--size", "640x480", "--no-reconnect"])
            try receiver.streams("bytes")
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            #expect(receiver.complaints == "stopping; once more to quit now\n")
            #expect(try sender.finish() == .exit(1), "\(sender.complaints)")
            #expect(try receiver.total().string("end") == "cancelled" && receiver.total().int("frames") == 0)
        }

        @Test func aSecondSignalAtOnceIsIgnored() throws {
            // The consumer is busy when the signals arrive: the first ends its work and the stream.
            let (receiver, port) = try receiver(["--consume-ms", "700"])
            let sender = try sender(to: port, ["--pattern", "--size", "64x48"])
            try receiver.line("a connection's second") { $0.event == "progress" }
            for _ in 0..<5 { receiver.signal(SIGINT) }
            sender.signal(SIGTERM)
            sender.signal(SIGINT)
            #expect(try receiver.finish() == .exit(0))
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            #expect(try receiver.total().string("end") == "cancelled")
            #expect(try sender.total().event == "summary")
        }

        /// A frozen peer neither reads a goodbye nor answers one.
        @Test func aSilentPeerIsNotWaitedFor() throws {
            let (receiver, port) = try receiver()
            let sender = try sender(to: port, ["--pattern", "--size", "640x480", "--quality", "100"])
            try sender.streams("acknowledged")
            receiver.signal(SIGSTOP)
            defer { receiver.signal(SIGKILL) }
            sender.signal(SIGINT)
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            let total = try sender.total()
            #expect(total.string("end") == "cancelled")
            #expect(try total.int("produced") == total.accounted())
        }

        @Test func aSilentSenderIsNotWaitedFor() throws {
            let (receiver, port) = try receiver()
            let sender = try sender(to: port, ["--pattern", "--size", "64x48"])
            try receiver.streams("frames")
            sender.signal(SIGSTOP)
            defer { sender.signal(SIGKILL) }
            receiver.signal(SIGTERM)
            #expect(try receiver.finish() == .exit(0), "\(receiver.complaints)")
            #expect(try receiver.total().string("end") == "cancelled" && receiver.total().int("frames") > 0)
        }

        /// Whoever stops a program by hand hears that it ends, and how it ends at once.
        @Test(arguments: [SIGINT, SIGTERM]) func theFirstSignalIsAnnounced(signal: Int32) throws {
            let demo = try Program("frame-demo", ["--no-preview"])
            try demo.find("a second's line") { $0.contains(" fps") ? () : nil }
            let (receiver, _) = try receiver()
            for program in [demo, receiver] {
                program.signal(signal)
                #expect(try program.finish() == .exit(0))
                #expect(program.complaints == (signal == SIGINT ? "stopping; once more to quit now\n" : ""))
            }
            let event = try #require(try receiver.lines.first { $0.event == "stopping" })
            #expect(event.string("signal") == (signal == SIGINT ? "SIGINT" : "SIGTERM"))
        }

        @Test(arguments: [SIGINT, SIGTERM]) func aSecondSignalEndsAtOnce(signal: Int32) throws {
            let (receiver, port) = try receiver()
            let sender = try sender(to: port, ["--pattern", "--size", "640x480", "--quality", "100"])
            try sender.streams("acknowledged")
            receiver.signal(SIGSTOP)
            defer { receiver.signal(SIGKILL) }
            // After the first signal the program waits for the silent receiver. One of those that
            // follow arrives late enough to count as a second one.
            let isOver = Monitor(false)
            let signals = try Background("the thread that signals") {
                while isOver.wait(until: Deadline.after(.milliseconds(50)).nanoseconds, { $0 ? true : nil }) == nil {
                    sender.signal(signal)
                }
            }
            let end = try sender.finish()
            isOver.update { $0 = true }
            try signals.value()
            #expect(end == .exit(128 + signal))
        }

        @Test func aWaitingProgramEndsCleanlyToo() throws {
            let waiting = try [
                Program("frame-receive", ["--listen", "0", "--json"]),
                Program("frame-send", ["--listen", "0", "--pattern", "--json"]),
            ]
            for program in waiting {
                _ = try program.port()
                program.signal(SIGINT)
                #expect(try program.finish() == .exit(0))
                let total = try program.total()
                #expect(total.string("end") == "cancelled")
            }
        }

        @Test func aSenderWhoseReceiverIsNotThereEndsCleanlyToo() throws {
            let workspace = try Workspace()
            let clip = try workspace.write(Clip().y4m, to: "clip.y4m")
            for source in [["--input", clip], ["--pattern", "--policy", "reliable"]] {
                let sender = try Program("frame-send", source + ["--to", "127.0.0.1:1", "--json"])
                try sender.line("that it waits") { $0.event == "waiting" }
                sender.signal(SIGINT)
                #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
                #expect(try sender.total().string("end") == "cancelled")
            }
        }

        @Test func aProgramThatWaitsForStandardInputEndsCleanlyToo() throws {
            let (receiver, port) = try receiver(["--once"])
            let sender = try sender(to: port, ["--input", "-"], input: .open)
            try sender.line("a second") { $0.event == "progress" }
            sender.signal(SIGINT)
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            #expect(try receiver.finish() == .exit(0))
            #expect(try receiver.total().int("frames") == 0)
        }

        @Test func theDemoEndsCleanly() throws {
            let demo = try Program("frame-demo", [])
            try demo.find("a second's line") { $0.contains(" fps") ? () : nil }
            demo.signal(SIGINT)
            #expect(try demo.finish() == .exit(0), "\(demo.complaints)")
            #expect(demo.output.contains("delay from capture to consumed"))
        }

        @Test func aReaderThatGoesAwayDoesNotStopTheWork() throws {
            let workspace = try Workspace()
            let (receiver, port) = try receiver(["--once", "--record", workspace.file("out.y4m")])
            receiver.closeOutput()
            let sender = try sender(to: port, pattern(5))
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            #expect(try receiver.finish() == .exit(0))
            #expect(try Recording(workspace.file("out.y4m")).pictures.count == 5)
        }
    }
}
