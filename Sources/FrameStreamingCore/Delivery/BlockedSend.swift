/// A message that a connection did not take at once, and since when it has taken no byte.
struct BlockedSend: Sendable {
    let outgoing: Outgoing<SharedEncoding>
    let connection: LinkConnection
    /// Since when no byte has reached the receiver's machine, if that is known.
    private var since: MonotonicTime
    private var deliveredBytes: UInt64?

    init(_ outgoing: Outgoing<SharedEncoding>, _ connection: LinkConnection, since: MonotonicTime) {
        self.outgoing = outgoing
        self.connection = connection
        self.since = since
    }

    /// Until when the connection may make no progress; nil = that time is over.
    ///
    /// Any byte that moves is progress, however slow.
    mutating func limit(_ timeout: Duration, at now: MonotonicTime) -> MonotonicTime? {
        if since.advanced(by: timeout) <= now {
            let bytes = connection.deliveredBytes
            defer { deliveredBytes = bytes }
            guard let bytes, bytes != deliveredBytes else { return nil }
            since = now
        }
        return since.advanced(by: timeout)
    }
}
