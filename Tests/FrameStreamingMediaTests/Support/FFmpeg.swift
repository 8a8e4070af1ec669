import Foundation
import FrameStreamingSystem
import Glibc
import TestThreads
import Testing

/// The program ffmpeg, which makes what the tests read.
final class FFmpeg: Sendable {
    private struct State {
        var end: Int32?
    }

    private let process: Process
    private let log: String
    private let state = Monitor(State())

    /// Starts it in a directory, where its words go to a file.
    init(_ arguments: [String], in directory: TemporaryDirectory) throws {
        process = Process()
        log = directory.path("ffmpeg-\(UUID().uuidString).log")
        try Data().write(to: URL(fileURLWithPath: log))
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["ffmpeg", "-hide_banner", "-nostdin", "-loglevel", "warning", "-y"] + arguments
        process.currentDirectoryURL = URL(fileURLWithPath: directory.path)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle(forWritingAtPath: log)
        let state = state
        process.terminationHandler = { process in
            let status = process.terminationStatus
            state.update { $0.end = status }
        }
        try process.run()
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    /// Ends it.
    func stop() throws {
        kill(process.processIdentifier, SIGKILL)
        _ = try finish()
    }

    /// Waits for its end, and returns its status.
    func finish() throws -> Int32 {
        try #require(state.wait(until: waitLimit()) { $0.end }, "ffmpeg has not ended: \(words)")
    }

    /// What it said.
    var words: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }

    /// Runs it to its end, which must be a good one.
    static func run(_ arguments: [String], in directory: TemporaryDirectory) throws {
        let program = try FFmpeg(arguments, in: directory)
        let status = try program.finish()
        try #require(status == 0, "ffmpeg \(arguments.joined(separator: " ")): \(program.words)")
    }
}
