internal import ArgumentParser
package import FrameStreaming

/// The version that `--version` prints: CHANGELOG.md says what is in it.
package let version = "0.1.0"

/// What is printed.
package struct OutputOptions: ParsableArguments, Sendable {
    @Flag(help: "One JSON object a line on standard output, for programs.")
    package var json = false

    @Flag(help: "The delay of each frame, in ms.")
    package var verbose = false

    package init() {}
}

/// Which protocol a command line asks for.
package enum HandshakeArgument: String, ExpressibleByArgument, CaseIterable, Sendable {
    case auto, binary, text

    package var tcp: TCPHandshake {
        switch self {
        case .auto: .automatic
        case .binary: .binary
        case .text: .text
        }
    }
}
