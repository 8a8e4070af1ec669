internal import ArgumentParser
internal import FrameStreaming

/// How slow a link may be: what the programs that send and receive over TCP have in common.
package struct MinimumRate: ParsableArguments {
    @Option(
        name: .customLong("minimum-rate"),
        help: ArgumentHelp(
            "Bytes a second that a picture on its way must move at, on the average over a minute: a peer that is slower is cut off, and may come again; 0: however slow.",
            valueName: "bytes/s"))
    package var bytesPerSecond = TCPOptions().minimumRate

    package init() {}

    package func validate() throws {
        guard (0...1_000_000_000).contains(bytesPerSecond) else {
            throw ValidationError("--minimum-rate is 0 to 1000000000 bytes a second, not \(bytesPerSecond)")
        }
    }
}
