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
    convenience init(_ arguments: [String], in directory: TemporaryDirectory) throws {
        try self.init("ffmpeg", ["-nostdin", "-y"] + arguments, in: directory)
    }

    private init(_ name: String, _ arguments: [String], in directory: TemporaryDirectory) throws {
        process = Process()
        log = directory.path("ffmpeg-\(UUID().uuidString).log")
        try Data().write(to: URL(fileURLWithPath: log))
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [name, "-hide_banner", "-loglevel", "warning"] + arguments
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

    /// What ffprobe says about a film: one line for each entry, without names.
    ///
    /// - Parameter second: Where it begins to read; nil = at the start.
    static func probe(
        _ film: String, _ entries: String, in directory: TemporaryDirectory, from second: Int? = nil
    ) throws -> [String] {
        let answer = directory.path("probe-\(UUID().uuidString)")
        let program = try FFmpeg(
            "ffprobe",
            ["-show_entries", entries, "-of", "csv=p=0", "-o", answer, film]
                + (second.map { ["-read_intervals", "\($0)"] } ?? []), in: directory)
        let status = try program.finish()
        try #require(status == 0, "ffprobe \(film): \(program.words)")
        return try String(contentsOfFile: answer, encoding: .utf8).split(whereSeparator: \.isNewline).map(String.init)
    }
}
