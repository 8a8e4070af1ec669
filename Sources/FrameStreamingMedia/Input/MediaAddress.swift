internal import FrameStreamingCore
internal import FrameStreamingFiles
internal import FrameStreamingSystem

/// What a path or a URL names, and what FFmpeg may open for it.
///
/// A playlist or a description of a session names further files and addresses, and may come from
/// somebody else. So a file leads to files only, and the network to the network only.
struct MediaAddress: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// A regular file.
        case file
        /// Numbered pictures: `frame-%04d.png`.
        case sequence
        /// A session's description (RFC 8866) in a file, which names addresses to receive from.
        case description
        /// A URL.
        case network
    }

    let kind: Kind
    /// What FFmpeg opens.
    let url: String
    /// The name in messages, without a user's name and password.
    let name: String

    /// The schemes of URLs that are opened.
    static let schemes = ["http", "https", "rtmp", "rtmps", "rtp", "rtsp", "rtsps", "srt", "tcp", "udp"]
    /// What a path may lead to.
    private static let filesOnly = "file,crypto,data"
    private static let networkOnly =
        "crypto,data,http,httpproxy,https,rtmp,rtmps,rtmpt,rtmpts,rtp,rtsp,rtsps,srt,srtp,tcp,tls,udp"

    /// FFmpeg's protocols that this address may lead to.
    var protocols: String {
        switch kind {
        case .file, .sequence: Self.filesOnly
        case .description: "file,rtp,srtp,udp"
        case .network: Self.networkOnly
        }
    }

    /// Whether frames come at the pace of a camera, whatever FFmpeg says: a session states no end.
    var isLiveByScheme: Bool {
        guard kind == .network else { return kind == .description }
        return !(url.lowercased().hasPrefix("http://") || url.lowercased().hasPrefix("https://"))
    }

    /// Tells a URL from a path.
    ///
    /// - Throws: `unsupported` for a URL that is not opened; `notFound`, `notPermitted`,
    ///   `invalidArgument` for a directory; `unsupported` for a pipe or a device.
    init(_ text: String) throws(FrameStreamingError) {
        if let scheme = Self.scheme(of: text), scheme != "file" {
            guard Self.schemes.contains(scheme) else {
                throw FrameStreamingError(
                    .unsupported,
                    "is a URL of a kind that is not opened; these are: \(Self.schemes.joined(separator: ", "))",
                    subject: Self.withoutUser(text))
            }
            (kind, url, name) = (.network, text, Self.withoutUser(text))
            return
        }
        let path = Self.scheme(of: text) == nil ? text : String(text.dropFirst("file://".count))
        let details: FileDetails?
        do throws(SystemError) {
            details = try fileDetails(path)
        } catch {
            throw FrameStreamingError(error, subject: path, remedy: "name a file that exists and is readable")
        }
        // Without the prefix FFmpeg takes what precedes a colon for a protocol.
        url = "file:" + path
        name = path
        switch details?.kind {
        case .regular?:
            kind = path.lowercased().hasSuffix(".sdp") ? .description : .file
        case nil where InputKind.isPattern(path):
            kind = .sequence
        case nil:
            throw FrameStreamingError(
                .notFound, "does not exist: name a file that exists and is readable", subject: path,
                errno: Errno.noEntry)
        case .directory?:
            throw FrameStreamingError(
                .invalidArgument, "is a directory: name a file in it", subject: path, errno: Errno.isDirectory)
        default:
            throw FrameStreamingError(
                .unsupported,
                "is a pipe or a device, and FFmpeg reads files and URLs only: ffmpeg -i - -pix_fmt yuv420p -f yuv4mpegpipe - makes Y4M of a pipe",
                subject: path)
        }
    }

    /// The scheme of a URL in small letters (RFC 3986, 3.1); nil = it is none.
    static func scheme(of text: String) -> String? {
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else { return nil }
        let scheme = text[..<colon].lowercased()
        guard let first = scheme.utf8.first, (0x61...0x7A).contains(first),
            scheme.utf8.allSatisfy({
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || [0x2B, 0x2D, 0x2E].contains($0)
            })
        else { return nil }
        return scheme
    }

    /// The URL without what precedes the host's name, which may be a password.
    static func withoutUser(_ url: String) -> String {
        guard let colon = url.firstIndex(of: ":"), url[colon...].hasPrefix("://") else { return url }
        let start = url.index(colon, offsetBy: 3)
        let end = url[start...].firstIndex { "/?#".contains($0) } ?? url.endIndex
        guard let at = url[start..<end].lastIndex(of: "@") else { return url }
        return String(url[..<start] + url[url.index(after: at)...])
    }
}
