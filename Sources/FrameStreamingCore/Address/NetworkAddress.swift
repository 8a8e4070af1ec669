/// The address of a program on a network, as a host and a port.
///
/// Written as `HOST:PORT`, `[IPv6]:PORT`, and where a host is implied as `:PORT` or `PORT`. The
/// host is a name or a numeric address, and is not looked up.
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
    /// - Throws: `invalidArgument` with the form that is expected.
    public init(_ text: String, defaultHost: String? = nil) throws(FrameStreamingError) {
        func refuse(_ why: String) -> FrameStreamingError {
            FrameStreamingError(
                .invalidArgument,
                "\(why): write \(defaultHost == nil ? "HOST:PORT" : "[HOST:]PORT"), with an IPv6 address in brackets, such as [::1]:5600",
                subject: text)
        }
        if text.isEmpty { throw refuse("the address is empty") }
        func isNumber(_ text: Substring) -> Bool { text.allSatisfy { $0.isASCII && $0.isNumber } }
        var host = ""
        var port = text[...]
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { throw refuse("the bracket is not closed") }
            host = String(text[text.index(after: text.startIndex)..<end])
            port = text[text.index(after: end)...]
            guard port.first == ":" else { throw refuse("no port is named") }
            port = port.dropFirst()
        } else if let colon = text.lastIndex(of: ":") {
            host = String(text[..<colon])
            port = text[text.index(after: colon)...]
            guard !host.contains(":") else { throw refuse("an IPv6 address needs brackets") }
        } else if defaultHost == nil {
            // A number alone is a port.
            throw refuse(isNumber(port) ? "no host is named" : "no port is named")
        }
        if host.isEmpty {
            guard let defaultHost else { throw refuse("no host is named") }
            host = defaultHost
        }
        guard !port.isEmpty else { throw refuse("no port is named") }
        guard isNumber(port), let number = UInt16(port) else {
            throw refuse("the port must be a number from 0 to 65535, not \(port)")
        }
        guard number > 0 || defaultHost != nil else { throw refuse("port 0 is only for listening, as any free port") }
        self.host = host
        self.port = Int(number)
    }

    /// The form that ``init(_:defaultHost:)`` reads, with brackets around an IPv6 address.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
