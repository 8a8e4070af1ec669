internal import FrameStreamingCore

/// ACK on the wire.
extension Acknowledgement {
    static let headerLength = 56
    /// The length with the receiver's stages, which divide the time from arrival to consumption.
    static let headerLengthWithStages = 72

    init(header: ArraySlice<UInt8>) throws(FrameStreamingError) {
        var reader = ByteReader(header)
        let sequence: UInt64 = try reader.take()
        let received: UInt64 = try reader.take()
        let credit: UInt64 = try reader.take()
        let arrival = try reader.takeTime()
        let consumed = try reader.takeTime()
        let unconsumed: UInt64 = try reader.take()
        let depth: UInt32 = try reader.take()
        let outcome: UInt8 = try reader.take()
        self.init(sequence: sequence, creditThrough: credit, outcome: Outcome(code: outcome))
        receivedThrough = received
        arrivalTime = arrival
        consumedTime = consumed
        queueDepth = depth
        self.unconsumed = unconsumed
        guard header.count >= Self.headerLengthWithStages else { return }
        try reader.skip(3)
        queueNanoseconds = try reader.takeNanoseconds()
        decodeNanoseconds = try reader.takeNanoseconds()
    }

    func marshal() -> [UInt8] {
        let hasStages = queueNanoseconds != nil || decodeNanoseconds != nil
        let length = hasStages ? Self.headerLengthWithStages : Self.headerLength
        return ByteWriter.message(.acknowledgement, headerLength: length) { writer in
            writer.put(sequence)
            writer.put(receivedThrough)
            writer.put(creditThrough)
            writer.put(arrivalTime)
            writer.put(consumedTime)
            writer.put(unconsumed)
            writer.put(queueDepth)
            writer.put(outcome.code)
            writer.putZeros(3)
            guard hasStages else { return }
            writer.put(queueNanoseconds)
            writer.put(decodeNanoseconds)
        }
    }
}

extension Acknowledgement.Outcome {
    fileprivate var code: UInt8 {
        switch self {
        case .consumed: 1
        case .skipped: 2
        case .undecodable: 3
        default: 4
        }
    }

    /// A later version's outcome counts as refused, because it is not known to mean consumed.
    fileprivate init(code: UInt8) {
        switch code {
        case 1: self = .consumed
        case 2: self = .skipped
        case 3: self = .undecodable
        default: self = .refused
        }
    }
}
