/// Who may ask: a page of some other site, open in the same browser, may not.
struct Guard: Sendable {
    /// Whether only this machine can connect.
    let isLoopback: Bool

    /// Why the request is refused; nil = it is not.
    func refusal(of request: RequestHead) -> Response? {
        // HTTP/1.0 has no Host, and no browser speaks it.
        guard let host = request.host else { return nil }
        // DNS rebinding: a name that its owner points at this machine, so that the browser takes our pictures for that site's own.
        guard !isLoopback || Self.isLoopback(host) else {
            return .sentence(
                .misdirectedRequest,
                "This server is for this machine only, as localhost or 127.0.0.1, and not as \(host).")
        }
        guard Self.name(of: host) != nil else {
            return .sentence(.badRequest, "A Host is a name or an address, and a port.")
        }
        // A WebSocket may be opened by a page of any site: only the header says which.
        let origins = request.values("origin")
        if !origins.isEmpty, origins.count > 1 || !Self.isSame(origins[0], host) {
            return .sentence(.forbidden, "The page \(origins.joined(separator: ", ")) is not one of this server.")
        }
        return nil
    }

    /// Whether a Host header, with or without a port, can only mean this machine.
    static func isLoopback(_ header: String) -> Bool {
        guard let host = name(of: header)?.lowercased() else { return false }
        if host == "localhost" || host == "[::1]" { return true }
        if host.hasSuffix(".localhost") { return host.first != "." }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { isOctet($0) }
    }

    /// A number from 0 to 255 as it is written in an address: no sign, no zeros in front.
    private static func isOctet(_ text: Substring) -> Bool { UInt8(text).map { "\($0)" == text } ?? false }

    /// The name or the address of a Host header (RFC 9110, 7.2): behind it there is nothing, or a colon and a port's digits. Nil where
    /// it is neither.
    static func name(of header: String) -> Substring? {
        var name = header[...]
        if header.first == "[" {
            guard let end = header.firstIndex(of: "]") else {
                // Without its end it can mean nothing else than with it.
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

    /// Whether an Origin is of this server: it names the host that was asked. `null`, a file's or a frame's, is not.
    private static func isSame(_ origin: String, _ host: String) -> Bool {
        for scheme in ["http://", "https://"] where origin.lowercased().hasPrefix(scheme) {
            return origin.dropFirst(scheme.count).lowercased() == host.lowercased()
        }
        return false
    }
}
