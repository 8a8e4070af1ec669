public import ArgumentParser
public import FrameStreaming

/// The version that `--version` prints: CHANGELOG.md says what is in it.
public let version = "0.1.0"

/// What is printed.
public struct OutputOptions: ParsableArguments, Sendable {
    @Flag(help: "One JSON object a line on standard output, for programs.")
    public var json = false

    @Flag(help: "The delay of each frame, in ms.")
    public var verbose = false

    public init() {}
}

/// Which protocol a command line asks for.
public enum HandshakeArgument: String, ExpressibleByArgument, CaseIterable, Sendable {
    case auto, binary, text

    public var tcp: TCPHandshake {
        switch self {
        case .auto: .automatic
        case .binary: .binary
        case .text: .text
        }
    }
}
