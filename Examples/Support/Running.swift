internal import ArgumentParser
internal import FrameStreaming
internal import Glibc

extension OutputOptions {
    /// Runs a program's work with its output as the user wants it. An error that ends the work is
    /// printed like every other, and the status is 1.
    package func run(_ body: () throws -> Void) throws {
        if json { beginJSON() }
        do {
            try body()
        } catch let error as FrameStreamingError {
            printError(error.description, error)
            throw ExitCode.failure
        }
    }
}

/// Says that the program ends, and how it ends at once.
///
/// - Parameter signal: SIGINT, which the user may repeat by hand, or SIGTERM.
package func announceStop(by signal: CInt) {
    if signal == SIGINT { printNote("stopping; once more to quit now") }
    printEvent(StoppingEvent(signal: signal == SIGINT ? "SIGINT" : "SIGTERM"))
}
