/// A host and a port in text form: `HOST:PORT`, `[IPv6]:PORT`, and
/// without a host `:PORT` or `PORT`.
package struct TCPEndpoint: Hashable, CustomStringConvertible {
    package var host: String
    package var port: UInt16

    /// - Parameter defaultHost: The host if none is named; nil = a host is required.
    package init(_ text: String, defaultHost: String?) throws(FrameStreamingError) {
        func refuse(_ why: String) -> FrameStreamingError {
            FrameStreamingError(
                .invalidArgument,
                "\(why): write \(defaultHost == nil ? "HOST:PORT" : "[HOST:]PORT"), with an IPv6 address in brackets, such as [::1]:5600",
                subject: text)
        }
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
            throw refuse("no port is named")
        }
        if host.isEmpty {
            guard let defaultHost else { throw refuse("no host is named") }
            host = defaultHost
        }
        guard !port.isEmpty, port.allSatisfy({ $0.isASCII && $0.isNumber }), let number = UInt16(port) else {
            throw refuse("a port is a number from 0 to 65535")
        }
        guard number > 0 || defaultHost != nil else { throw refuse("nobody listens on port 0") }
        self.host = host
        self.port = number
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
