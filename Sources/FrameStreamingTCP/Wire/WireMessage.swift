internal import FrameStreamingCore

/// A whole message of any type but FRAME.
enum WireMessage: Hashable {
    // Indirect, so that an acknowledgement does not take as much memory as these.
    indirect case hello(Hello)
    indirect case welcome(Hello)
    case reject(Reject)
    case acknowledgement(Acknowledgement)
    case ping(Ping)
    case pong(Pong)
    case bye(Bye)
    case byeAcknowledgement(ByeAcknowledgement)
    case sourceLost(String)
    case sourceRestored
    case request(WireRequest)
    indirect case requestAnswer(WireRequestAnswer)

    /// Parses a message from its header, which is at least as long as protocol 1's, and its
    /// payload. Nil for FRAME, which has an image.
    init?(_ type: WireType, header: ArraySlice<UInt8>, payload: ArraySlice<UInt8>) throws(FrameStreamingError) {
        switch type {
        case .hello: self = .hello(try Hello(header: header, payload: payload))
        case .welcome: self = .welcome(try Hello(header: header, payload: payload))
        case .reject: self = .reject(try Reject(header: header, payload: payload))
        case .frame: return nil
        case .acknowledgement: self = .acknowledgement(try Acknowledgement(header: header))
        case .ping: self = .ping(try Ping(header: header))
        case .pong: self = .pong(try Pong(header: header))
        case .bye: self = .bye(try Bye(header: header, payload: payload))
        case .byeAcknowledgement: self = .byeAcknowledgement(try ByeAcknowledgement(header: header))
        case .sourceLost: self = .sourceLost(WireText.unmarshal(payload))
        case .sourceRestored: self = .sourceRestored
        case .request: self = .request(try WireRequest(header: header))
        case .requestAnswer: self = .requestAnswer(try WireRequestAnswer(header: header, payload: payload))
        }
    }

    func marshal() -> [UInt8] {
        switch self {
        case .hello(let hello): hello.marshal(.hello)
        case .welcome(let hello): hello.marshal(.welcome)
        case .reject(let reject): reject.marshal()
        case .acknowledgement(let acknowledgement): acknowledgement.marshal()
        case .ping(let ping): ping.marshal()
        case .pong(let pong): pong.marshal()
        case .bye(let bye): bye.marshal()
        case .byeAcknowledgement(let acknowledgement): acknowledgement.marshal()
        case .sourceLost(let text): ByteWriter.message(.sourceLost, payload: WireText.marshal(text))
        case .sourceRestored: ByteWriter.message(.sourceRestored)
        case .request(let request): request.marshal()
        case .requestAnswer(let answer): answer.marshal()
        }
    }
}
