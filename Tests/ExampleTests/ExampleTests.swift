import FrameStreamingCore
import TestThreads
import Testing

/// The executables as a user has them. Most of a test's time is waiting for programs that wait for
/// each other, so several tests run at once, each on a thread of its own.
@Suite(.ownThread(atOnce: 8)) struct ExampleTests {}

/// A sender and a receiver that have ended.
struct Ended {
    let sender: Program
    let receiver: Program
    let senderEnd: Program.End
    let receiverEnd: Program.End

    /// Both with status 0, and every frame that was taken arrived.
    func expectAllArrived(_ frames: Int, sourceLocation: SourceLocation = #_sourceLocation) throws {
        #expect(senderEnd == .exit(0), "\(sender.complaints)", sourceLocation: sourceLocation)
        #expect(receiverEnd == .exit(0), "\(receiver.complaints)", sourceLocation: sourceLocation)
        #expect(try sender.total().int("produced") == frames, sourceLocation: sourceLocation)
        #expect(try sender.total().int("acknowledged") == frames, sourceLocation: sourceLocation)
        #expect(try receiver.total().int("frames") == frames, sourceLocation: sourceLocation)
        #expect(
            try receiver.total().int("bytes") == sender.total().int("bytes"), sourceLocation: sourceLocation)
    }
}

/// A receiver that listens on a port that the system chose.
func receiver(_ arguments: [String] = []) throws -> (program: Program, port: Int) {
    let program = try Program("frame-receive", ["--listen", "0", "--json"] + arguments)
    return (program, try program.port())
}

/// A sender to a port of this machine.
func sender(to port: Int, _ arguments: [String], input: Program.Input = .empty) throws -> Program {
    try Program("frame-send", ["--to", "127.0.0.1:\(port)", "--json"] + arguments, input: input)
}

/// One sender to one receiver, to the end of both.
func stream(_ send: [String], _ receive: [String] = [], input: Program.Input = .empty) throws -> Ended {
    let (receiver, port) = try receiver(["--once"] + receive)
    let sender = try sender(to: port, send, input: input)
    return Ended(
        sender: sender, receiver: receiver, senderEnd: try sender.finish(), receiverEnd: try receiver.finish())
}

/// The pattern without waiting for its rate: every picture is drawn and arrives.
func pattern(_ frames: Int, size: String = "160x120") -> [String] {
    ["--pattern", "--size", size, "--frames", "\(frames)", "--pace", "max"]
}
