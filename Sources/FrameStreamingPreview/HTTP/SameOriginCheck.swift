/// Refuses requests from pages of other sites that are open in the same browser.
struct SameOriginCheck: Sendable {
    /// Whether only this machine can connect.
    let isLoopback: Bool
    /// Whether the server encrypts. A plain one may be behind a proxy that does.
    var isSecure = false
    /// Whether a token is needed. Then pages of other sites may not show a stream either.
    var isClosed = false

    /// Returns why the request is refused; nil = it is allowed.
    func refusal(of request: RequestHead) -> HTTPResponse? {
        // Only browsers say this, and a page cannot change it. A link to the preview is followed.
        guard
            !isClosed || !request.values("sec-fetch-site").contains("cross-site")
                || request.values("sec-fetch-mode") == ["navigate"]
        else {
            return .sentence(.forbidden, "This preview is for its own page: open it in a tab of its own.")
        }
        // HTTP/1.0 has no Host, and browsers do not use it.
        guard let host = request.host else { return nil }
        // DNS rebinding: the owner of a name points it at this machine, so that the browser takes
        // this server's frames for that site's own.
        guard !isLoopback || Self.isLoopback(host) else {
            return .sentence(
                .misdirectedRequest,
                "This server is for this machine only, as localhost or 127.0.0.1, and not as \(host).")
        }
        guard Self.name(of: host) != nil else {
            return .sentence(.badRequest, "A Host is a name or an address, and a port.")
        }
        // A page of any site may open a WebSocket, and only this header tells which.
        let origins = request.values("origin")
        if !origins.isEmpty, origins.count > 1 || !isSame(origins[0], host) {
            return .sentence(.forbidden, "The page \(origins.joined(separator: ", ")) is not this server's.")
        }
        return nil
    }

    /// Whether a Host header, with or without a port, can only mean this machine.
    static func isLoopback(_ header: String) -> Bool {
        guard var host = name(of: header)?.lowercased() else { return false }
        // With its final dot a name is the same one, and complete.
        if host.hasSuffix("localhost.") { host.removeLast() }
        if host == "localhost" || host == "[::1]" { return true }
        if host.hasSuffix(".localhost") { return host.first != "." }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { isOctet($0) }
    }

    /// Whether the text is a number from 0 to 255 as addresses have it: without sign and leading
    /// zeros.
    private static func isOctet(_ text: Substring) -> Bool { UInt8(text).map { "\($0)" == text } ?? false }

    /// Returns the name or the address in a Host header (RFC 9110, 7.2), which ends there or
    /// continues with a colon and a port. Nil where it is neither.
    static func name(of header: String) -> Substring? {
        var name = header[...]
        if header.first == "[" {
            guard let end = header.firstIndex(of: "]") else {
                // Even without its closing bracket it can only mean this address.
                return header == "[::1" ? "[::1]" : nil
            }
            name = header[...end]
            guard name.dropFirst().dropLast().utf8.allSatisfy({ isHexadecimal($0) || ":.".utf8.contains($0) }) else {
                return nil
            }
        } else {
            name = header.prefix { $0 != ":" }
            guard !name.isEmpty, name.utf8.allSatisfy({ isLetterOrDigit($0) || "-._~".utf8.contains($0) }) else {
                return nil
            }
        }
        let rest = header[name.endIndex...]
        guard rest.isEmpty || (rest.first == ":" && rest.dropFirst().utf8.allSatisfy { isDigit($0) }) else {
            return nil
        }
        return name
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
    }

    /// Whether an Origin is this server's: it names the requested host. `null`, the origin of a
    /// file or a sandboxed frame, is not.
    private func isSame(_ origin: String, _ host: String) -> Bool {
        let schemes = isSecure ? ["https://"] : ["http://", "https://"]
        for scheme in schemes where origin.lowercased().hasPrefix(scheme) {
            return origin.dropFirst(scheme.count).lowercased() == host.lowercased()
        }
        return false
    }
}
