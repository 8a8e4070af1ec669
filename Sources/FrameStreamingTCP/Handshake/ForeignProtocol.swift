internal import FrameStreamingCore

/// A protocol that is not this package's. A peer that speaks it took the port for another one, and
/// is recognised by its first bytes.
enum ForeignProtocol: Hashable, CaseIterable {
    case http, rtsp, rtmp, rdp, tls, zeroMQ, ssh

    /// What the first bytes tell.
    enum Finding: Hashable {
        case found(ForeignProtocol)
        case nothing
        /// The bytes are the beginning of something that is recognised with more of them.
        case undecided
    }

    /// The most bytes that are looked at: a request line with an address in it.
    static let longest = 256

    /// How requests and answers begin.
    private static let words: [(ForeignProtocol, [String])] = [
        (.http, ["GET ", "HEAD ", "POST ", "PUT ", "DELETE ", "PATCH ", "CONNECT ", "TRACE ", "PRI * HTTP", "HTTP/"]),
        (.rtsp, ["DESCRIBE ", "ANNOUNCE ", "SETUP ", "PLAY ", "RECORD ", "TEARDOWN ", "GET_PARAMETER ", "RTSP/"]),
        (.ssh, ["SSH-"]),
    ]

    /// Looks at the first bytes of a peer.
    ///
    /// - Parameter isAll: Whether no more bytes come.
    static func find(in bytes: [UInt8], isAll: Bool = false) -> Finding {
        guard let first = bytes.first else { return .nothing }
        let undecided: Finding = isAll ? .nothing : .undecided
        switch first {
        case 0x03: return bytes.count < 6 ? undecided : .found(isRDP(bytes) ? .rdp : .rtmp)
        // A handshake record (22) or an alert (21), and the major version 3 of TLS (RFC 8446, 5.1).
        case 0x15, 0x16: return bytes.count < 2 ? undecided : bytes[1] == 0x03 ? .found(.tls) : .nothing
        // The signature of ZMTP: 0xFF, eight bytes, 0x7F (rfc.zeromq.org/spec/23).
        case 0xFF: return bytes.count < 10 ? undecided : bytes[9] == 0x7F ? .found(.zeroMQ) : .nothing
        default: break
        }
        for (name, words) in words {
            for word in words {
                if bytes.starts(with: word.utf8) { return .found(name) }
                if !isAll, word.utf8.starts(with: bytes) { return .undecided }
            }
        }
        return findInOptions(bytes, isAll: isAll)
    }

    /// RTMP begins with its version and a time stamp of four bytes (Adobe's specification, 5.2.2 and
    /// 5.2.3). RDP begins with a TPKT header (RFC 1006): the version, a zero and the packet's
    /// length, in which an X.224 connection request follows (ITU-T X.224, 13.3): its own length and
    /// the code 0xE0.
    ///
    /// - Parameter bytes: At least six, the first of them 3.
    private static func isRDP(_ bytes: [UInt8]) -> Bool {
        let length = Int(bytes[2]) << 8 | Int(bytes[3])
        return bytes[1] == 0 && length >= 11 && bytes[4] >= 6 && Int(bytes[4]) <= length - 5 && bytes[5] & 0xF0 == 0xE0
    }

    /// HTTP and RTSP share one method: the version at the end of its line tells them apart.
    private static func findInOptions(_ bytes: [UInt8], isAll: Bool) -> Finding {
        let method = Array("OPTIONS ".utf8)
        guard bytes.starts(with: method) else { return !isAll && method.starts(with: bytes) ? .undecided : .nothing }
        let line = bytes.prefix { $0 != UInt8(ascii: "\n") }
        let text = String(decoding: line, as: UTF8.self).uppercased()
        if text.contains(" RTSP") { return .found(.rtsp) }
        return line.count == bytes.count && bytes.count < longest && !isAll ? .undecided : .found(.http)
    }

    /// The error for a peer that speaks this protocol.
    ///
    /// - Parameters:
    ///   - isSender: Whether this side sends frames.
    ///   - listens: Whether the peer came to this side's port; false = this side connected to it.
    func error(isSender: Bool, listens: Bool, at address: String?) -> FrameStreamingError {
        FrameStreamingError(
            .protocolViolation,
            listens
                ? "the peer speaks \(name): \(isSender ? remedyAtSender : remedyAtReceiver)"
                : self == .tls
                    ? "the program there asks for TLS: give this side the key of that program, or check the host and the port"
                    : "the program there speaks \(name), and not the protocol of this package: check the host and the port",
            subject: address)
    }

    private var name: String {
        switch self {
        case .http: "HTTP, as a browser does"
        case .rtsp: "RTSP, as IP cameras and players do"
        case .rtmp: "RTMP, as OBS does"
        case .rdp: "RDP, as Remote Desktop does"
        case .tls: "TLS, as for an https address"
        case .zeroMQ: "ZeroMQ, as imageZMQ and VidGear do"
        case .ssh: "SSH"
        }
    }

    private var remedyAtReceiver: String {
        switch self {
        case .http:
            "this port only takes frames of this package's senders. Open the address of the preview to see the streams; a camera with HTTP is read with curl, and its pictures are piped into a sender"
        case .rtsp: "read the camera with ffmpeg, and pipe its pictures into a sender"
        case .rtmp: "have ffmpeg listen for it (-listen 1), and pipe its pictures into a sender"
        case .rdp, .tls, .zeroMQ, .ssh: remedyAtSender
        }
    }

    private var remedyAtSender: String {
        switch self {
        case .http:
            "this port only gives frames to this package's receivers. Start a receiver with a preview, and open the preview's address"
        case .rtsp, .rtmp:
            "this port only gives frames to this package's receivers. Start one, and have the player read its preview over HTTP"
        case .tls: "this port is not encrypted. Give this side the peer's key, or connect without TLS"
        case .zeroMQ: "use this package's sender and receiver at both ends, in Swift or Python, or another port"
        case .rdp, .ssh: "check the host and the port of that program"
        }
    }
}
