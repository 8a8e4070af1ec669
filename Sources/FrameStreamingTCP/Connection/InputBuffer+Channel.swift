internal import FrameStreamingCore

// Reads a message's bytes, whatever the handshake. The caller's deadline and the message's progress
// bound each read, and the thread that waits in it finishes what the writer has left.

extension InputBuffer {
    /// Waits for bytes and reads them.
    ///
    /// - Throws: As ``ReadStallMonitor/reading(from:until:driving:_:)``.
    mutating func fill(
        from channel: Channel, until limit: Deadline, watching watch: inout ReadStallMonitor,
        driving writer: MessageWriter
    ) throws(FrameStreamingError) {
        try watch.reading(from: channel, until: limit, driving: writer) { until throws(FrameStreamingError) in
            try fill { bytes throws(FrameStreamingError) in
                try channel.read(into: &bytes, until: until, driving: writer)
            }
        }
    }

    /// Reads bytes that have arrived, without waiting; false if there are none.
    ///
    /// - Throws: `endedWithoutGoodbye` at the end of the peer's bytes; `connectionLost` for a
    ///   message that makes no progress.
    mutating func fillArrived(
        from channel: Channel, watching watch: inout ReadStallMonitor
    ) throws(FrameStreamingError) -> Bool {
        let count = try fillIfAny { bytes throws(FrameStreamingError) in try channel.readArrived(into: &bytes) }
        guard let count else {
            try watch.look(address: channel.address)
            return false
        }
        guard count > 0 else { throw .ended(channel.address) }
        try watch.moved(count, address: channel.address)
        return true
    }
}
