internal import FlyingFox

/// Who may ask: a page of some other site, open in the same browser, may not.
struct Guard: Sendable {
    /// Whether only this machine can connect.
    let isLoopback: Bool

    /// Why the request is refused; nil = it is not.
    func refusal(of request: HTTPRequest) -> HTTPResponse? {
        let hosts = request.headers.values(for: .host)
        guard let host = hosts.first, hosts.count == 1 else {
            // HTTP/1.0 has no Host, and no browser speaks it.
            if request.version != .http11, hosts.isEmpty { return nil }
            return .sentence(.badRequest, "A request names one Host.")
        }
        // DNS rebinding: a name that its owner points at this machine, so that the browser takes our pictures for that site's own.
        guard !isLoopback || Self.isLoopback(host) else {
            return .sentence(
                .misdirectedRequest,
                "This server is for this machine only, as localhost or 127.0.0.1, and not as \(host).")
        }
        // A WebSocket may be opened by a page of any site: only the header says which.
        if let origin = request.headers[HTTPHeader("Origin")], !Self.isSame(origin, host) {
            return .sentence(.forbidden, "The page \(origin) is not one of this server.")
        }
        return nil
    }

    /// Whether a Host header, with or without a port, can only mean this machine.
    static func isLoopback(_ header: String) -> Bool {
        let host = Self.name(of: header).lowercased()
        if host == "localhost" || host == "[::1]" || host.hasSuffix(".localhost") { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    private static func name(of header: String) -> Substring {
        if header.first == "[" { return header.prefix { $0 != "]" } + "]" }
        return header.prefix { $0 != ":" }
    }

    /// Whether an Origin is of this server: it names the host that was asked. `null`, a file's or a frame's, is not.
    private static func isSame(_ origin: String, _ host: String) -> Bool {
        for scheme in ["http://", "https://"] where origin.lowercased().hasPrefix(scheme) {
            return origin.dropFirst(scheme.count).lowercased() == host.lowercased()
        }
        return false
    }
}
