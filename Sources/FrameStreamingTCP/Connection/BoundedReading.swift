internal import FrameStreamingCore

// One read of a message's bytes, whatever the handshake: bounded by the caller's deadline and the message's progress, and writing
// meanwhile what the outbox has left.

extension InputBuffer {
    /// Reads what there is, waiting for the first byte.
    ///
    /// - Throws: As ``MessageWatch/reading(from:until:_:)``.
    mutating func fill(
        from channel: Channel, until limit: Deadline, watching watch: inout MessageWatch, driving outbox: Outbox
    ) throws(FrameStreamingError) {
        try watch.reading(from: channel, until: limit) { until throws(FrameStreamingError) in
            try fill { bytes throws(FrameStreamingError) in
                try channel.read(into: &bytes, until: until, driving: outbox)
            }
        }
    }
}

extension InputBuffer {
    /// Reads what has come, without waiting; false = nothing has.
    ///
    /// - Throws: `endedWithoutGoodbye` at the end of the peer's bytes; `connectionLost` for a message that does not get on.
    mutating func fillArrived(
        from channel: Channel, watching watch: inout MessageWatch
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

extension IncomingImage {
    /// Takes what `input` has of the image, and reads the rest straight into its buffer; what came is kept where it throws.
    ///
    /// - Throws: As ``InputBuffer/fill(from:until:watching:driving:)``.
    mutating func complete(
        with input: inout InputBuffer, from channel: Channel, until limit: Deadline,
        watching watch: inout MessageWatch, driving outbox: Outbox
    ) throws(FrameStreamingError) {
        while !isComplete {
            if !input.isEmpty {
                take(from: &input)
                continue
            }
            try watch.reading(from: channel, until: limit) { until throws(FrameStreamingError) in
                try read(from: channel, until: until, driving: outbox)
            }
        }
    }
}
