import Foundation
import Testing

extension ExampleTests {
    /// Receivers that stall without a goodbye. SIGSTOP has the effect of a pulled cable.
    @Suite struct Stalls {
        @Test func inMidStreamItIsGivenUpAndTheOtherGoesOn() throws {
            let (good, goodPort) = try receiver(["--once"])
            let (still, stillPort) = try receiver(["--once"])
            let sender = try sender(
                to: stillPort,
                [
                    "--to", "127.0.0.1:\(goodPort)", "--pattern", "--size", "160x120", "--rate", "50", "--frames",
                    "200",
                    "--policy", "reliable", "--give-up-after", "2",
                ])
            try still.streams("frames")
            still.signal(SIGSTOP)
            #expect(try sender.finish() == .exit(1))
            #expect(try good.finish() == .exit(0), "\(good.complaints)")
            #expect(try good.total().int("frames") == 200)
            let words = "127.0.0.1:\(stillPort): the receiver acknowledged nothing for 2 s and is given up"
            #expect(sender.complaints.contains(words), "\(sender.complaints)")
            let ends = try sender.connections().map { ($0.string("peer"), $0.string("end")) }
            #expect(ends.contains { $0 == "127.0.0.1:\(goodPort)" && $1 == "bye" })
            #expect(ends.contains { $0 == "127.0.0.1:\(stillPort)" && $1 == "error" })
            for connection in try sender.connections() {
                #expect(try connection.int("produced") == connection.accounted())
            }
        }

        @Test func aReceiverThatNeverConnectedIsGivenUpToo() throws {
            let (good, port) = try receiver(["--once"])
            let sender = try sender(
                to: port, ["--to", "127.0.0.1:1"] + pattern(20) + ["--policy", "reliable", "--give-up-after", "1"])
            #expect(try sender.finish() == .exit(1))
            #expect(try good.finish() == .exit(0), "\(good.complaints)")
            #expect(try good.total().int("frames") == 20)
            let words = "127.0.0.1:1: the receiver was away for 1 s and is given up (no program listens there"
            #expect(sender.complaints.contains(words), "\(sender.complaints)")
        }

        @Test func atTheEndTheAwaitedReceiverIsReported() throws {
            let (still, port) = try receiver(["--consume-ms", "1000"])
            let sender = try sender(to: port, pattern(4) + ["--policy", "reliable", "--give-up-after", "5"])
            try sender.line("the connection") { $0.event == "connected" }
            try still.streams("frames")
            still.signal(SIGSTOP)
            let stall = try sender.line("the wait") { $0.event == "stalled" }
            #expect(stall.string("address") == "127.0.0.1:\(port)")
            #expect(stall.string("reason") == "nothing acknowledged for 3 s; gives up in 2 s")
            try sender.findComplaint("waiting for 127.0.0.1:\(port): nothing acknowledged for 3 s; gives up in 2 s")
            // The receiver continues in time, so nothing is lost.
            still.signal(SIGCONT)
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            #expect(try sender.total().int("acknowledged") == 4)
            still.signal(SIGTERM)
            #expect(try still.finish() == .exit(0))
        }
    }
}
