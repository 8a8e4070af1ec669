import ArgumentParser
import Dispatch
import Foundation
import FrameStreaming
import FrameStreamingTesting
import Glibc
import Synchronization

/// Measures how long a cancel takes while the peer is stopped by SIGSTOP: its kernel still takes
/// what fits into its buffers, and the program neither reads nor answers.
struct CancelTimes: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Time from a cancel to the end of each call, beside a stopped peer.")

    @Option(help: "Trials of each call.") var trials = 20
    @Option(help: "Milliseconds between the stop of the peer and the cancel.") var frozen = 300
    @Option(help: "The largest time that is allowed, in milliseconds.") var limit = 100.0

    private var program: String { CommandLine.arguments[0] }
    private static let local = "127.0.0.1:0"

    /// Waits on the main thread. As an asynchronous command it would make the whole program one,
    /// and the commands that send and receive would be measured on a thread of the tasks' pool.
    func run() throws {
        let ended = DispatchSemaphore(value: 0)
        let outcome = Mutex(Result<Void, any Error>.success(()))
        let command = self
        Task {
            do { try await command.measure() } catch { outcome.withLock { $0 = .failure(error) } }
            ended.signal()
        }
        ended.wait()
        try outcome.withLock { $0 }.get()
    }

    private func measure() async throws {
        print("| call | median, ms | worst, ms |\n| --- | --- | --- |")
        var missed: [String] = []
        let calls: [(String, () async throws -> Double)] = [
            ("FrameReceiver.next(), FrameReceiver.cancel()", next),
            ("for try await in FrameReceiver.frames, task cancelled", frames),
            ("await FrameSender.run, task cancelled", runSender),
            ("await FrameSender.finish, task cancelled", finish),
            ("await TCPTransport.connect, task cancelled", connect),
            ("for try await in TCPListener.connections, task cancelled", connections),
        ]
        for (name, call) in calls {
            var times: [Double] = []
            for _ in 0..<trials { times.append(try await call()) }
            let worst = times.max() ?? .nan
            print("| \(name) | \(places(median(times))) | \(places(worst)) |")
            if !(worst <= limit) { missed.append(name) }
        }
        guard missed.isEmpty else { throw Failure("above \(places(limit)) ms: \(missed.joined(separator: "; "))") }
    }

    /// Stops the peer, lets the call meet that, cancels, and waits for the end of the call.
    private func time(_ peer: Child?, cancel: () -> Void, end: () async throws -> Void) async throws -> Double {
        peer?.send(signal: SIGSTOP)
        try await Task.sleep(for: .milliseconds(frozen))
        let start = MonotonicTime.now
        cancel()
        try await end()
        return seconds(start.duration(to: .now)) * 1000
    }

    /// A receiver and the program that sends to it, which says nothing more after its first frames.
    private func receiving() async throws -> (FrameReceiver, Child) {
        let listener = try TCPListener(on: Self.local, role: .receiver)
        let peer = try Child([
            program, "transport-send", "--to", listener.address, "--frames", "100000000", "--bytes", "100000",
            "--window", "4", "--level", "pipeline",
        ])
        for try await transport in listener.connections {
            return (try FrameReceiver(codec: IdentityCodec(), transport: transport, decode: nil), peer)
        }
        throw Failure("no sender came")
    }

    /// The blocking call, on a thread of its own.
    private func next() async throws -> Double {
        let (receiver, peer) = try await receiving()
        let ended = DispatchSemaphore(value: 0)
        Thread {
            while (try? receiver.next()) != nil {}
            ended.signal()
        }.start()
        return try await time(peer, cancel: { receiver.cancel() }, end: { await wait(for: ended) })
    }

    private func frames() async throws -> Double {
        let (receiver, peer) = try await receiving()
        let task = Task { for try await _ in receiver.frames {} }
        let result = try await time(peer, cancel: { task.cancel() }, end: { _ = await task.result })
        receiver.cancel()
        return result
    }

    /// A sender, and the program that receives from it.
    private func sending() async throws -> (FrameSender, Child) {
        let peer = try Child([program, "transport-receive", "--level", "pipeline"])
        guard let port = try peer.line().flatMap({ numbers(in: $0)["port"] }) else {
            throw Failure("the receiving program did not say its port")
        }
        let transport = try await TCPTransport.connect(to: "127.0.0.1:\(Int(port))", role: .sender)
        let options = SenderOptions(policy: .reliable)
        return (try FrameSender(codec: IdentityCodec(), transport: transport, options: options), peer)
    }

    private func runSender() async throws -> Double {
        let (sender, peer) = try await sending()
        let task = Task {
            var source = try RepeatingSource(bytes: 100_000, count: 100_000_000)
            try await sender.run(&source)
        }
        try await Task.sleep(for: .milliseconds(frozen))
        return try await time(peer, cancel: { task.cancel() }, end: { _ = await task.result })
    }

    private func finish() async throws -> Double {
        let (sender, peer) = try await sending()
        peer.send(signal: SIGSTOP)
        try sender.trySend(RepeatingSource(bytes: 100_000, count: 1).frame)
        let task = Task { try await sender.finish() }
        return try await time(peer, cancel: { task.cancel() }, end: { _ = await task.result })
    }

    private func connect() async throws -> Double {
        let peer = try Child([program, "transport-receive", "--level", "pipeline"])
        guard let port = try peer.line().flatMap({ numbers(in: $0)["port"] }) else {
            throw Failure("the receiving program did not say its port")
        }
        peer.send(signal: SIGSTOP)
        let task = Task { try await TCPTransport.connect(to: "127.0.0.1:\(Int(port))", role: .sender) }
        return try await time(peer, cancel: { task.cancel() }, end: { _ = await task.result })
    }

    /// Beside a peer that connected and is stopped: its program is started, and stopped at once.
    private func connections() async throws -> Double {
        let listener = try TCPListener(on: Self.local, role: .receiver)
        let peer = try Child([
            program, "transport-send", "--to", listener.address, "--frames", "1", "--bytes", "1", "--window", "1",
            "--level", "transport",
        ])
        peer.send(signal: SIGSTOP)
        let task = Task { for try await transport in listener.connections { transport.close() } }
        return try await time(peer, cancel: { task.cancel() }, end: { _ = await task.result })
    }
}

/// Waits on a queue's thread, so that the tasks' threads stay free.
private func wait(for semaphore: DispatchSemaphore) async {
    await withCheckedContinuation { continuation in
        DispatchQueue.global().async {
            semaphore.wait()
            continuation.resume()
        }
    }
}
