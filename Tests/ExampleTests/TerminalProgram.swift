import Foundation
import FrameStreamingSystem
import Glibc

/// One of the executables on a terminal. The test itself reads what it writes, so that between two
/// looks nothing changes.
///
/// Unsafe code: the calls get pointers to locals, and use them until they return.
final class TerminalProgram {
    private(set) var screen: TerminalScreen
    private let program: Process
    private let terminal: CInt
    private let name: String
    /// Nil until it has ended.
    private let status = Monitor<CInt?>(nil)

    /// TIOCSPTLCK and TIOCGPTN of ioctl_tty(2), which Swift does not see.
    private static let (unlock, number): (UInt, UInt) = (0x4004_5431, 0x8004_5430)

    /// - Parameters:
    ///   - columns: The terminal's width.
    ///   - type: The variable `TERM`; nil = not set.
    init(_ name: String, _ arguments: [String], columns: Int, type: String? = "xterm") throws {
        self.name = name
        screen = TerminalScreen(columns: columns)
        terminal = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var (number, isLocked): (CUnsignedInt, CInt) = (0, 0)
        guard terminal >= 0, unsafe ioctl(terminal, Self.unlock, &isLocked) == 0,
            unsafe ioctl(terminal, Self.number, &number) == 0
        else { throw Surprise("no terminal: \(errno)") }
        let path = "/dev/pts/\(number)"
        program = Process()
        program.executableURL = Program.products.appendingPathComponent(name)
        program.arguments = arguments
        var environment = ProcessInfo.processInfo.environment
        environment["TERM"] = type
        program.environment = environment
        guard let end = FileHandle(forUpdatingAtPath: path) else { throw Surprise("no end of the terminal") }
        program.standardInput = FileHandle.nullDevice
        program.standardOutput = end
        program.standardError = end
        try setSize(columns)
        let status = status
        program.terminationHandler = { ended in status.update { $0 = ended.terminationStatus } }
        try program.run()
        try end.close()
    }

    deinit {
        if program.isRunning { kill(program.processIdentifier, SIGKILL) }
        close(terminal)
    }

    private func setSize(_ columns: Int) throws {
        var size = winsize(ws_row: 40, ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
        guard unsafe ioctl(terminal, UInt(TIOCSWINSZ), &size) == 0 else { throw Surprise("no size: \(errno)") }
    }

    /// Reads until the screen is as it should be.
    func look(for what: String, _ isThere: (TerminalScreen) -> Bool) throws {
        let limit = monotonicNow() + Int64(Program.patience * 1e9)
        while !isThere(screen) {
            guard monotonicNow() < limit else { throw Surprise("\(what) did not come: \(screen.lines)") }
            guard try read(waiting: true) else { throw Surprise("\(name) ended before \(what): \(screen.lines)") }
        }
    }

    /// Reads what has arrived. Returns false at the end.
    private func read(waiting: Bool) throws -> Bool {
        var wait = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&wait, 1, waiting ? 1_000 : 0) > 0 else { return waiting }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe Glibc.read(terminal, $0.baseAddress, $0.count) }
        // The end of a terminal that no program has open any more is EIO.
        guard count > 0 else { return false }
        try screen.write(Array(bytes.prefix(count)))
        return true
    }

    /// Makes the terminal narrower, as a window manager does it. The program stands still meanwhile,
    /// so that each of its lines is drawn either for the old width or for the new one.
    func shrink(to columns: Int) throws {
        kill(program.processIdentifier, SIGSTOP)
        let limit = monotonicNow() + Int64(Program.patience * 1e9)
        while try !isStopped() {
            guard monotonicNow() < limit else { throw Surprise("\(name) does not stand still") }
            sched_yield()
        }
        while try read(waiting: false) {}
        screen.shrink(to: columns)
        try setSize(columns)
        kill(program.processIdentifier, SIGWINCH)
        kill(program.processIdentifier, SIGCONT)
    }

    private func isStopped() throws -> Bool {
        let text = try String(contentsOfFile: "/proc/\(program.processIdentifier)/stat", encoding: .utf8)
        // The state follows the name, which is in parentheses.
        return text.split(separator: ")").last?.hasPrefix(" T") == true
    }

    func signal(_ number: CInt) { kill(program.processIdentifier, number) }

    /// Reads to the end. Returns the program's status.
    func finish() throws -> CInt {
        let limit = monotonicNow() + Int64(Program.patience * 1e9)
        while try read(waiting: true) {
            guard monotonicNow() < limit else { throw Surprise("\(name) does not end: \(screen.lines)") }
        }
        guard let status: CInt = status.wait(until: limit, { $0 }) else {
            throw Surprise("\(name) does not end: \(screen.lines)")
        }
        return status
    }
}
