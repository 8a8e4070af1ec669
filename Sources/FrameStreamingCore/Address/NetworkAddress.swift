/// The address of a program on a network, as a host and a port.
///
/// Written as `HOST:PORT`, `[IPv6]:PORT`, and where a host is implied as `:PORT` or `PORT`. The
/// host is a name or a numeric address, and is not looked up. Each form may begin with `tcp://`, and
/// `*` listens on all interfaces, as programs with ZeroMQ write it.
public struct NetworkAddress: Hashable, Sendable, CustomStringConvertible {
    /// A name or a numeric address, without brackets.
    public let host: String
    /// 0 to 65535; 0 = any free port, for listening.
    public let port: Int

    /// Reads an address.
    ///
    /// - Parameters:
    ///   - text: Such as `camera.local:5600`, `[fe80::1]:5600` or `:5600`.
    ///   - defaultHost: The host if the text has none; nil = a host
    ///     is required, and a port above 0.
    /// - Throws: `invalidArgument` with the form that is expected, also for another scheme than
    ///   `tcp`, and for a link-local IPv6 address without its interface.
    public init(_ text: String, defaultHost: String? = nil) throws(FrameStreamingError) {
        func refuse(_ why: String) -> FrameStreamingError {
            FrameStreamingError(
                .invalidArgument,
                "\(why): write \(defaultHost == nil ? "HOST:PORT" : "[HOST:]PORT"), with an IPv6 address in brackets, such as [::1]:5600",
                subject: text)
        }
        if text.isEmpty { throw refuse("the address is empty") }
        func isNumber(_ text: Substring) -> Bool { text.allSatisfy { $0.isASCII && $0.isNumber } }
        let written = try Self.withoutScheme(text, refuse)
        var host = ""
        var port = written
        if written.first == "[" {
            guard let end = written.firstIndex(of: "]") else { throw refuse("the bracket is not closed") }
            host = String(written[written.index(after: written.startIndex)..<end])
            port = written[written.index(after: end)...]
            guard port.first == ":" else { throw refuse("no port is named") }
            port = port.dropFirst()
        } else if let colon = written.lastIndex(of: ":") {
            host = String(written[..<colon])
            port = written[written.index(after: colon)...]
            guard !host.contains(":") else { throw refuse("an IPv6 address needs brackets") }
        } else if defaultHost == nil {
            // A number alone is a port.
            throw refuse(isNumber(port) ? "no host is named" : "no port is named")
        }
        if host.isEmpty {
            guard let defaultHost else { throw refuse("no host is named") }
            host = defaultHost
        }
        if host == "*" {
            guard defaultHost != nil else { throw refuse("* is only for listening, on all interfaces") }
            host = "0.0.0.0"
        }
        guard !port.isEmpty else { throw refuse("no port is named") }
        guard isNumber(port), let number = UInt16(port) else {
            throw refuse("the port must be a number from 0 to 65535, not \(port)")
        }
        guard number > 0 || defaultHost != nil else { throw refuse("port 0 is only for listening, as any free port") }
        if Self.lacksInterface(host) {
            throw FrameStreamingError(
                .invalidArgument,
                "a link-local address needs its interface: write [\(host)%eth0]:\(number), with the interface's own name (ip -6 address lists them)",
                subject: text)
        }
        self.host = host
        self.port = Int(number)
    }

    /// The address without `tcp://`, and without the slash that ends a URL.
    private static func withoutScheme(
        _ text: String, _ refuse: (String) -> FrameStreamingError
    ) throws(FrameStreamingError) -> Substring {
        guard let end = text.firstRange(of: "://") else { return text[...] }
        let scheme = text[..<end.lowerBound]
        guard scheme.lowercased() == "tcp" else {
            throw refuse("\(scheme.isEmpty ? "a URL without a scheme" : scheme) is not understood here, only tcp")
        }
        let rest = text[end.upperBound...]
        guard !rest.isEmpty else { throw refuse("the address is empty") }
        return rest.last == "/" ? rest.dropLast() : rest
    }

    /// Whether the host is in fe80::/10, of which each interface has its own, and names none. The
    /// kernel refuses such an address as invalid.
    private static func lacksInterface(_ host: String) -> Bool {
        guard let colon = host.firstIndex(of: ":"), !host.contains("%"), let first = UInt16(host[..<colon], radix: 16)
        else { return false }
        return first & 0xFFC0 == 0xFE80
    }

    /// The form that ``init(_:defaultHost:)`` reads, with brackets around an IPv6 address.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
