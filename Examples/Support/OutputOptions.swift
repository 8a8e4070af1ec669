internal import ArgumentParser
package import FrameStreaming

/// The version that `--version` prints: CHANGELOG.md says what is in it.
package let version = "0.1.0"

/// What is printed.
package struct OutputOptions: ParsableArguments, Sendable {
    @Flag(help: "Print one JSON object a line on standard output, for programs.")
    package var json = false

    @Flag(help: "Print the delay of each frame in ms, for up to 500 frames a second.")
    package var verbose = false

    @Flag(
        help:
            "For scripts: end with status 1 if one picture was dropped, lost, damaged or undecodable. (default: status 1 if none arrived)"
    )
    package var failOnDrop = false

    package init() {}
}

/// The protocol that a receiver speaks, as the user chooses it.
package enum ReceivingHandshake: String, ExpressibleByArgument, CaseIterable, Sendable {
    case auto, binary, text

    package var tcp: Handshake {
        switch self {
        case .auto: .automatic
        case .binary: .binary
        case .text: .text
        }
    }
}

/// The protocol that a sender speaks. The user chooses it, because a
/// sender cannot detect the receiver's.
package enum SendingHandshake: String, ExpressibleByArgument, CaseIterable, Sendable {
    case binary, text

    package var tcp: Handshake { self == .text ? .text : .binary }
}
