import Foundation
import FrameStreamingSystem
import Glibc
import Testing

/// One of the executables, running: as a user starts it, with pipes for its input and outputs.
///
/// Nothing here waits for a length of time: every wait is for a line or the end, and one that takes
/// longer than `patience` throws with everything that the program has said.
final class Program: Sendable {
    /// How it ended.
    enum End: Equatable, Sendable { case exit(Int32), signal(Int32) }

    private struct State {
        var output: [UInt8] = []
        var complaints: [UInt8] = []
        var openStreams = 2
        var end: End?
    }

    /// Far more than anything here takes on a machine that does nothing else.
    static let patience: TimeInterval = 90

    let name: String
    let arguments: [String]
    private let process: Process
    private let input: Pipe
    private let outputPipe: Pipe
    private let state = Monitor(State())

    /// Starts it. Without `input` its standard input is empty.
    ///
    /// - Parameter script: What a shell does first; it ends with `exec "$0" "$@"`.
    init(_ name: String, _ arguments: [String], input: Input = .empty, script: String? = nil) throws {
        self.name = name
        self.arguments = arguments
        let process = Process()
        let executable = Self.products.appendingPathComponent(name)
        process.executableURL = script == nil ? executable : URL(fileURLWithPath: "/bin/sh")
        process.arguments = script.map { ["-c", $0, executable.path] + arguments } ?? arguments
        let (output, complaints) = (Pipe(), Pipe())
        self.input = Pipe()
        process.standardInput = input == .open ? self.input : FileHandle.nullDevice
        if case .file(let path) = input { process.standardInput = FileHandle(forReadingAtPath: path) }
        process.standardOutput = output
        process.standardError = complaints
        self.process = process
        outputPipe = output
        let state = state
        process.terminationHandler = { process in
            let status = process.terminationStatus
            state.update { $0.end = process.terminationReason == .exit ? .exit(status) : .signal(status) }
        }
        try process.run()
        try Self.collect(output) { bytes in
            state.update { $0.output += bytes }
        } atEnd: {
            state.update { $0.openStreams -= 1 }
        }
        try Self.collect(complaints) { bytes in
            state.update { $0.complaints += bytes }
        } atEnd: {
            state.update { $0.openStreams -= 1 }
        }
    }

    deinit { if process.isRunning { Glibc.kill(process.processIdentifier, SIGKILL) } }

    enum Input: Equatable { case empty, open, file(String) }

    /// The executables are built beside the test bundle.
    static let products = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent()

    private static func collect(
        _ pipe: Pipe, _ body: @escaping @Sendable ([UInt8]) -> Void, atEnd: @escaping @Sendable () -> Void
    ) throws {
        _ = try SystemThread(name: "collect") {
            var bytes = [UInt8](repeating: 0, count: 65_536)
            while true {
                // The descriptor stays open as long as the pipe that this closure holds.
                let count = unsafe bytes.withUnsafeMutableBytes {
                    unsafe Glibc.read(pipe.fileHandleForReading.fileDescriptor, $0.baseAddress, $0.count)
                }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                body(Array(bytes.prefix(count)))
            }
            atEnd()
        }
    }

    var id: Int32 { process.processIdentifier }

    /// What it has said on standard output so far.
    var output: String { state.withLock { String(decoding: $0.output, as: UTF8.self) } }
    /// The same as bytes.
    var outputBytes: [UInt8] { state.withLock { $0.output } }
    /// What it has said on standard error so far.
    var complaints: String { state.withLock { String(decoding: $0.complaints, as: UTF8.self) } }

    func signal(_ number: Int32) { Glibc.kill(id, number) }

    /// Writes to its standard input, which was opened.
    func write(_ bytes: [UInt8]) throws { try input.fileHandleForWriting.write(contentsOf: Data(bytes)) }

    /// Reads no more of its standard output.
    func closeOutput() {
        // The thread that reads has the descriptor: with a dead end in its
        // place its next read is the last.
        let end = unsafe open("/dev/null", O_RDONLY)
        dup2(end, outputPipe.fileHandleForReading.fileDescriptor)
        close(end)
    }

    func closeInput() throws { try input.fileHandleForWriting.close() }

    /// Waits until `look` finds what it looks for in standard output.
    func find<Found>(_ what: String, _ look: (String) throws -> Found?) throws -> Found {
        try wait(for: what) { state in try look(String(decoding: state.output, as: UTF8.self)) }
    }

    /// Waits until `look` finds what it looks for on standard error.
    func findComplaint<Found>(_ what: String, _ look: (String) throws -> Found?) throws -> Found {
        try wait(for: what) { state in try look(String(decoding: state.complaints, as: UTF8.self)) }
    }

    /// Waits until `text` is on standard error.
    func findComplaint(_ text: String) throws {
        try wait(for: "\"\(text)\" on standard error") { state in
            String(decoding: state.complaints, as: UTF8.self).contains(text) ? () : nil
        }
    }

    private func wait<Found>(for what: String, _ look: (State) throws -> Found?) throws -> Found {
        let limit = monotonicNow() + Int64(Self.patience * 1e9)
        let outcome: Result<Found, any Error>? = state.wait(until: limit) { state in
            do {
                if let found = try look(state) { return .success(found) }
            } catch {
                return .failure(error)
            }
            guard state.end != nil, state.openStreams == 0 else { return nil }
            return .failure(Surprise("\(self.name) ended before \(what)\n\(self.describe(state))"))
        }
        guard let outcome else {
            throw Surprise("\(what) did not come\n\(state.withLock { describe($0) })")
        }
        return try outcome.get()
    }

    /// Waits for its end, and for everything that it said before.
    @discardableResult
    func finish() throws -> End {
        let limit = monotonicNow() + Int64(Self.patience * 1e9)
        let end: End? = state.wait(until: limit) { $0.openStreams == 0 ? $0.end : nil }
        guard let end else { throw Surprise("it did not end\n\(state.withLock { describe($0) })") }
        return end
    }

    private func describe(_ state: State) -> String {
        """
        \(name) \(arguments.joined(separator: " ")): \(state.end.map { "\($0)" } ?? "running")
        \(String(decoding: state.output, as: UTF8.self))
        \(String(decoding: state.complaints, as: UTF8.self))
        """
    }
}

/// A failure of the test, with the reason.
struct Surprise: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Runs a program to its end.
func run(_ name: String, _ arguments: [String], input: Program.Input = .empty) throws -> (
    end: Program.End, output: String, complaints: String
) {
    let program = try Program(name, arguments, input: input)
    let end = try program.finish()
    return (end, program.output, program.complaints)
}
