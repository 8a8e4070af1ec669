/// What a client may cost before its request is known. Docs/Preview.md has every figure.
enum RequestLimits {
    /// The longest request line, in bytes. A stream's name of 80 characters, percent-encoded, fits.
    static let requestLine = 8 << 10
    /// The longest field, its name included, in bytes.
    static let field = 8 << 10
    /// All fields together, in bytes.
    static let fieldBytes = 16 << 10
    /// The number of fields.
    static let fieldCount = 100
    /// The number of empty lines accepted before a request line. RFC 9112, 2.2 demands at least
    /// one.
    static let emptyLines = 8
    /// The time from a connection's start, or from its first byte, to the end of the request's
    /// fields, however slowly they arrive.
    static let head = Duration.seconds(10)
    /// The time that a connection may wait between two requests.
    static let idle = Duration.seconds(30)
    /// The time that a client may take to read a response, plus a second for each
    /// ``slowestReading`` bytes.
    static let answer = Duration.seconds(30)
    /// Bytes per second.
    static let slowestReading = 100_000
    /// Connections without a stream: those that wait for a request, and those that read a response.
    /// One more replaces the oldest one of the address that has the most.
    static let connections = 128
    /// The bytes of all frames in flight to slow clients, beside those that streams keep.
    static let answerBytes = 128 << 20
}
