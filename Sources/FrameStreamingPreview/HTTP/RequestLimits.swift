/// What a client may cost before it is known what it wants. Every figure is in Docs/Preview.md.
enum RequestLimits {
    /// The longest request line, in bytes. A stream's name of 80 characters, percent-encoded, fits.
    static let requestLine = 8 << 10
    /// The longest field, its name included, in bytes.
    static let field = 8 << 10
    /// All fields together, in bytes.
    static let fieldBytes = 16 << 10
    /// The number of fields.
    static let fieldCount = 100
    /// Empty lines in front of a request line, of which RFC 9112, 2.2 wants at least one to be ignored.
    static let emptyLines = 8
    /// The time from a connection's first byte, or from its begin, to the end of the request's fields: in all, however it trickles.
    static let head = Duration.seconds(10)
    /// The time that a connection may wait between two requests.
    static let idle = Duration.seconds(30)
    /// The time that a client may take to read an answer, beside a second for each ``slowestReading`` bytes.
    static let answer = Duration.seconds(30)
    /// Bytes a second.
    static let slowestReading = 100_000
    /// Connections that have no stream: those that wait for a request, and those that read an answer. One more takes the place of the one
    /// that has waited longest for its request.
    static let connections = 128
    /// The bytes of all pictures that are on their way to clients that read slowly, beside the streams'.
    static let answerBytes = 128 << 20
}
