internal import ArgumentParser
internal import FrameStreaming

/// How slow a link may be: what the programs that send and receive over TCP have in common.
package struct MinimumRate: ParsableArguments {
    @Option(
        name: .customLong("minimum-rate"),
        help: ArgumentHelp(
            "The lowest rate of a picture in transfer, in bytes a second averaged over a minute: a slower peer is disconnected, and may connect again; 0: no limit.",
            valueName: "bytes/s"))
    package var bytesPerSecond = TCPOptions().minimumRate

    package init() {}

    package func validate() throws {
        guard (0...1_000_000_000).contains(bytesPerSecond) else {
            throw ValidationError("--minimum-rate is 0 to 1000000000 bytes a second, not \(bytesPerSecond)")
        }
    }
}
