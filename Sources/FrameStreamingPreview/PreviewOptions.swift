/// What a preview server is told beside its address.
public struct PreviewOptions: Sendable {
    /// Programs and pages that look at once, each WebSocket and each `.mjpg` one; more are turned away with 503.
    public var maximumViewers = 32
    /// The quality of pictures that come uncompressed, and of those that are made smaller: 1 (smallest) to 100 (best).
    public var quality = 80
    /// Listens on an address that others on the network can reach. Anybody there sees the pictures: nothing is encrypted, and nobody is
    /// asked who they are.
    public var insecure = false
    /// How long a stream that has ended, or whose connection broke, stays listed.
    public var remembersEnded = Duration.seconds(60)

    /// Streams that are listed at once, live and ended. A new one takes the place of the one that ended first; where all are live it
    /// is refused a place, which `PreviewStream.isListed`, `/api/streams` and `/metrics` say.
    public var maximumStreams = 256
    /// The bytes of the newest pictures that all streams keep together. Those of ended streams go first; a picture that there is no
    /// room for all the same is not shown, and counted as dropped (`no_memory`). As many are kept at most for viewers that read
    /// slowly: beyond, the one with the most is cut off.
    public var maximumPictureBytes = 256 << 20

    /// 32 viewers, 256 streams, 256 MiB, quality 80, loopback only, unless changed.
    public init() {}
}
