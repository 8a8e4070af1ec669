public import FrameStreamingCore

/// Whether this side of a connection sends or receives frames, with the settings that only that
/// side has.
///
/// ```swift
/// var options = TCPReceiverOptions()
/// options.creditAhead = 4
/// let listener = try TCPListener(on: "0.0.0.0:5600", role: .receiver(for: codec, options))
/// ```
public struct TCPRole: Sendable, CustomStringConvertible {
    let isSender: Bool
    /// The settings of a sender; the defaults for a receiver.
    private(set) var sending = TCPSenderOptions()
    /// The settings of a receiver; the defaults for a sender.
    private(set) var receiving = TCPReceiverOptions()

    private init(isSender: Bool) { self.isSender = isSender }

    /// This side sends frames, with the default settings.
    public static let sender = TCPRole(isSender: true)
    /// This side receives frames in any format, with the default settings.
    public static let receiver = TCPRole(isSender: false)

    /// This side sends frames, with these settings.
    public static func sender(_ options: TCPSenderOptions) -> TCPRole {
        var role = TCPRole(isSender: true)
        role.sending = options
        return role
    }

    /// This side receives frames, with these settings.
    public static func receiver(_ options: TCPReceiverOptions) -> TCPRole {
        var role = TCPRole(isSender: false)
        role.receiving = options
        return role
    }

    /// This side receives frames and decodes them with `codec`.
    ///
    /// The handshake tells the sender which formats the codec decodes, so that one that has none of
    /// them learns it before the first frame. A receiver that takes frames as they come, to record
    /// or to relay them, is a plain ``receiver``.
    ///
    /// - Parameters:
    ///   - codec: Its `FrameCodec.decodableFormats` replace ``TCPReceiverOptions/pixelFormats``.
    ///   - options: All other settings.
    public static func receiver(
        for codec: any FrameCodec, _ options: TCPReceiverOptions = TCPReceiverOptions()
    ) -> TCPRole {
        var options = options
        options.pixelFormats = codec.decodableFormats
        return receiver(options)
    }

    /// The role's name: `sender` or `receiver`.
    public var description: String { isSender ? "sender" : "receiver" }

    var wireCode: UInt8 { isSender ? 1 : 2 }

    /// The session to begin with; 0 = none.
    var session: UInt64 { isSender ? sending.session : receiving.lastSession }

    /// The formats that this side sends, or takes.
    var pixelFormats: [PixelFormat] { isSender ? sending.pixelFormats : receiving.pixelFormats }

    /// The role with a random session for a sender that has none, and without one for a handshake
    /// that has no sessions.
    func withSession(_ handshake: Handshake) -> TCPRole {
        var role = self
        if !handshake.hasSessions {
            role.sending.session = 0
            role.receiving.lastSession = 0
        } else if isSender, sending.session == 0 {
            role.sending.session = .random(in: 1 ... .max)
        }
        return role
    }

    /// Returns the role if its settings are valid.
    ///
    /// - Throws: `invalidArgument`.
    func validated() throws(FrameStreamingError) -> TCPRole {
        guard pixelFormats.count <= Hello.mostFormats else {
            throw FrameStreamingError(
                .invalidArgument,
                "pixelFormats must have at most \(Hello.mostFormats) formats: leave it empty to \(isSender ? "name none" : "take any")"
            )
        }
        guard receiving.creditAhead >= 1 else {
            throw FrameStreamingError(
                .invalidArgument, "creditAhead must be at least 1: with a credit of 0 no frame is ever sent")
        }
        let bytes = TCPReceiverOptions.maximumFrameByteCountRange
        guard bytes.contains(receiving.maximumFrameByteCount) else {
            throw FrameStreamingError(
                .invalidArgument,
                "maximumFrameByteCount must be 1 to \(bytes.upperBound), not \(receiving.maximumFrameByteCount)")
        }
        guard receiving.maximumByteRate == 0 || receiving.maximumByteRate >= ByteRateLimit.lowest else {
            throw FrameStreamingError(
                .invalidArgument,
                "maximumByteRate must be at least \(ByteRateLimit.lowest) bytes a second, or 0 for any rate, not \(receiving.maximumByteRate): a slower receiver is taken for dead"
            )
        }
        return self
    }
}
