public import FrameStreamingCore

/// The limits and the security of a preview server.
public struct PreviewOptions: Sendable {
    /// The largest number of viewers at once, each WebSocket and each `.mjpg` stream; more get
    /// status 503.
    public var maximumViewers = 32
    /// The JPEG quality of frames that arrive uncompressed, and of frames that are scaled: 1
    /// (smallest) to 100 (best).
    public var quality = 80
    /// What viewers need to see the frames; nil = nothing.
    ///
    /// A request has it as a bearer token or as the password of Basic authentication, whoever the
    /// user, or the cookie that a browser got by ``PreviewServer/signInLink(validFor:)``. Anything
    /// else is answered with 401. Who tries too many wrong ones is answered with 429 for a while.
    public var token: PreviewToken?
    /// How connections are encrypted: `TLSSecurity.webSecurity` of the product `FrameStreamingTLS`;
    /// nil = not at all. Then the server speaks HTTPS only, and answers plain HTTP with 400.
    public var security: WebSecurity?
    /// Allows an address that other machines can reach without both a ``token`` and ``security``.
    /// Without a token anybody there can see the frames; without encryption anybody on the way can
    /// read them, and the token.
    public var insecure = false
    /// How long a stream stays listed after it has ended or its connection broke.
    public var remembersEnded = Duration.seconds(60)

    /// The largest number of listed streams, live and ended. A new stream replaces the one that
    /// ended first. If all are live it is refused, which `PreviewStream.isListed`, `/api/streams`
    /// and `/metrics` report.
    public var maximumStreams = 256
    /// The largest number of bytes that the newest frames of all streams may take together.
    ///
    /// Frames of ended streams are removed first. A frame that still does not fit is not shown, and
    /// counts as dropped (`no_memory`). Slow viewers may hold as many bytes again; beyond that the
    /// viewer with the most is disconnected.
    public var maximumPictureByteCount = 256 << 20

    /// Whether other machines may connect.
    var isForOthers: Bool { insecure || (token != nil && security != nil) }

    /// Creates options: 32 viewers, 256 streams, 256 MiB, quality 80, loopback only.
    public init() {}
}
