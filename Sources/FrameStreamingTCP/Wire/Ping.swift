internal import FrameStreamingCore

/// PING: asks for the peer's clock. Times are nanoseconds of CLOCK_MONOTONIC, each of the side that
/// read it.
struct Ping: Hashable {
    static let headerLength = 16

    var id: UInt64
    var sendTime: Int64

    init(id: UInt64, sendTime: Int64) {
        self.id = id
        self.sendTime = sendTime
    }

    init(header: ArraySlice<UInt8>) throws(FrameStreamingError) {
        var reader = ByteReader(header)
        id = try reader.take()
        sendTime = try reader.take()
    }

    func marshal() -> [UInt8] {
        ByteWriter.message(.ping) { writer in
            writer.put(id)
            writer.put(sendTime)
        }
    }
}

/// PONG: the answer to PING, with PING's time and two of the side that answers.
struct Pong: Hashable {
    static let headerLength = 32

    var id: UInt64
    var echoedTime: Int64
    var receiveTime: Int64
    var sendTime: Int64

    init(answering ping: Ping, receiveTime: Int64, sendTime: Int64) {
        id = ping.id
        echoedTime = ping.sendTime
        self.receiveTime = receiveTime
        self.sendTime = sendTime
    }

    init(header: ArraySlice<UInt8>) throws(FrameStreamingError) {
        var reader = ByteReader(header)
        id = try reader.take()
        echoedTime = try reader.take()
        receiveTime = try reader.take()
        sendTime = try reader.take()
    }

    func marshal() -> [UInt8] {
        ByteWriter.message(.pong) { writer in
            writer.put(id)
            writer.put(echoedTime)
            writer.put(receiveTime)
            writer.put(sendTime)
        }
    }
}
