internal import ArgumentParser
internal import FrameStreaming

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
