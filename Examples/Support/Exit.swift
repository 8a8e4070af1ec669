public import ArgumentParser
public import FrameStreaming

/// Says what went wrong on standard error, and gives what to throw so that the program's status is 1.
public func exit(after error: FrameStreamingError) -> ExitCode {
    printError(error.description)
    return .failure
}
