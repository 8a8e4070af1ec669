import Glibc

/// A process of a measurement: its standard output line by line, and what it used.
final class Child {
    /// What the kernel counted (wait4).
    struct Usage {
        /// User and system CPU time.
        var cpuSeconds: Double
        /// The most memory that it had, in MB of 10^6 bytes.
        var peakMegabytes: Double
    }

    private let pid: pid_t
    private let name: String
    private let output: CInt
    /// Its standard input; nil where it has none of its own.
    private var input: CInt?
    private var hasEnded = false
    private var buffered: [UInt8] = []
    /// A process that hangs must not hang the benchmark.
    private static let patience: CInt = 300_000

    /// - Parameter hasInput: Whether ``say(_:)`` can write to its input.
    init(_ arguments: [String], hasInput: Bool = false) throws {
        name = arguments.joined(separator: " ")
        var ends: [CInt] = [0, 0]
        var inputs: [CInt] = [0, 0]
        guard pipe(&ends) == 0, !hasInput || pipe(&inputs) == 0 else { throw Failure("no pipe: error \(errno)") }
        // Not for this child's own children, and not for the next one, which
        // would hold this one's output open.
        for end in ends + (hasInput ? inputs : []) { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        if hasInput { posix_spawn_file_actions_adddup2(&actions, inputs[0], 0) }
        var words = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var pid: pid_t = 0
        let code = posix_spawnp(&pid, arguments[0], &actions, nil, &words, environ)
        close(ends[1])
        if hasInput {
            close(inputs[0])
            input = inputs[1]
        }
        self.pid = pid
        output = ends[0]
        hasEnded = code != 0
        guard code == 0 else { throw Failure("\(arguments[0]) does not start: error \(code)") }
    }

    /// Ends a process that is not waited for any more.
    deinit {
        close(output)
        if let input { close(input) }
        guard !hasEnded else { return }
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
    }

    /// A line for its standard input.
    func say(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        if let input { _ = write(input, bytes, bytes.count) }
    }

    func send(signal: CInt) { kill(pid, signal) }

    /// The next line of its output; nil at the end.
    ///
    /// - Parameter milliseconds: How long to wait for it.
    func line(within milliseconds: CInt = patience) throws -> String? {
        while true {
            if let end = buffered.firstIndex(of: UInt8(ascii: "\n")) {
                defer { buffered.removeFirst(end + 1) }
                return String(decoding: buffered[..<end], as: UTF8.self)
            }
            var poll = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
            guard Glibc.poll(&poll, 1, milliseconds) == 1 else {
                kill(pid, SIGKILL)
                throw Failure("\(name) said nothing for \(milliseconds) ms")
            }
            var chunk = [UInt8](repeating: 0, count: 4096)
            let count = read(output, &chunk, chunk.count)
            if count <= 0 { return nil }
            buffered += chunk[..<count]
        }
    }

    /// The figures of its first line that has `key`.
    func figures(with key: String, within milliseconds: CInt = patience) throws -> [String: Double] {
        while let line = try line(within: milliseconds) {
            let figures = numbers(in: line)
            if figures[key] != nil { return figures }
        }
        throw Failure("\(name) ended before it said its \(key)")
    }

    /// Whether its output ended within the time; what it said meanwhile is kept.
    func ends(within duration: Duration) -> Bool {
        let limit = ContinuousClock.now + duration
        while true {
            let left = max(limit - .now, .zero)
            var poll = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
            guard Glibc.poll(&poll, 1, CInt(left / .milliseconds(1))) == 1 else { return false }
            var chunk = [UInt8](repeating: 0, count: 4096)
            let count = read(output, &chunk, chunk.count)
            if count <= 0 { return true }
            buffered += chunk[..<count]
        }
    }

    /// Lets it end by itself for `patience`, then tells it to
    /// (SIGTERM); the figures in its last line.
    func end(patience: Duration) throws -> [String: Double] {
        if !ends(within: patience) {
            kill(pid, SIGTERM)
            if !ends(within: .seconds(3)) { kill(pid, SIGKILL) }
        }
        var last = ""
        while let line = try line() { last = line }
        var status: CInt = 0
        waitpid(pid, &status, 0)
        hasEnded = true
        return numbers(in: last)
    }

    /// Waits for its end; the last line of its output, and what it used.
    func finish() throws -> (last: String, usage: Usage) {
        var last = ""
        while let line = try line() { last = line }
        var status: CInt = 0
        var usage = rusage()
        guard wait4(pid, &status, 0, &usage) == pid else { throw Failure("\(name) is lost: error \(errno)") }
        hasEnded = true
        guard status == 0 else { throw Failure("\(name) failed (wait status \(status)): \(last)") }
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return (
            last,
            Usage(
                cpuSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
                peakMegabytes: Double(usage.ru_maxrss) * 1024 / 1e6)
        )
    }

    /// Runs a program to its end; the figures in its last line.
    static func figures(_ arguments: [String]) throws -> [String: Double] {
        numbers(in: try Child(arguments).finish().last)
    }
}

struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
