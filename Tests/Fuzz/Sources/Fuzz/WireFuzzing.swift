internal import FrameStreamingCore
@testable internal import FrameStreamingTCP

private let frameLimit = 1 << 20

/// What a parser makes of a stream of messages: the events, and the error that ended it.
private struct Parsed: Equatable {
    var events: [MessageParser.Event] = []
    var images: [Int] = []
    var error: FrameStreamingError.Code?
}

private func parse(_ pieces: some Sequence<[UInt8]>, _ allowed: WireTypeSet) -> Parsed {
    var parser = MessageParser(allowed: allowed, maximumFrameByteCount: frameLimit)
    var parsed = Parsed()
    var left = 0
    for piece in pieces {
        var input = InputBuffer(piece)
        do throws(FrameStreamingError) {
            while true {
                if left > 0 {
                    left -= input.drop(upTo: left)
                    if left > 0 { break }
                }
                guard let event = try parser.take(from: &input) else {
                    invariant(input.isEmpty, "a parser that wants more has taken all")
                    break
                }
                parsed.events.append(event)
                if case .frame(_, let metadata, let imageBytes) = event {
                    invariant(imageBytes > 0 && imageBytes <= frameLimit && metadata.count <= 65_536, "\(event)")
                    parsed.images.append(imageBytes)
                    left = imageBytes
                }
            }
        } catch {
            parsed.error = error.code
            return parsed
        }
    }
    return parsed
}

func fuzzMessages(_ bytes: [UInt8]) {
    let whole = parse([bytes], .afterHandshake)
    invariant(whole == parse(Pieces(bytes), .afterHandshake), "the pieces matter")
}

private func hello(_ role: UInt8) -> Hello {
    var hello = Hello(
        role: role, maximumFrameByteCount: UInt32(frameLimit), bootID: [UInt8](repeating: 7, count: 16), stream: "s")
    hello.creditThrough = role == TCPRole.sender.wireCode ? 0 : 1
    return hello
}

private enum Shaken: Equatable {
    case established(BinaryHandshake.Agreement, reply: [UInt8])
    case failed(FrameStreamingError.Code, reply: [UInt8])
    case unfinished
}

private func shake(_ handshake: BinaryHandshake, _ pieces: some Sequence<[UInt8]>) -> Shaken {
    var handshake = handshake
    for piece in pieces {
        var input = InputBuffer(piece)
        switch handshake.take(from: &input) {
        case nil: continue
        case .established(let agreement, let reply): return .established(agreement, reply: reply)
        case .failed(let error, let reply): return .failed(error.code, reply: reply)
        }
    }
    return .unfinished
}

func fuzzHandshake(_ bytes: [UInt8]) {
    for role in [TCPRole.sender.wireCode, TCPRole.receiver.wireCode] {
        for make in [
            { BinaryHandshake.connecting(hello(role)) },
            { BinaryHandshake.accepting(hello(role)) { session throws(FrameStreamingError) in session &+ 1 } },
        ] {
            let whole = shake(make(), [bytes])
            invariant(whole == shake(make(), Pieces(bytes)), "the pieces matter")
        }
    }
}

private func headers(_ pieces: some Sequence<[UInt8]>) -> [String] {
    var parser = TextHeaderParser(maximumFrameByteCount: frameLimit, listens: true)
    var found: [String] = []
    var left = 0
    for piece in pieces {
        var input = InputBuffer(piece)
        do throws(FrameStreamingError) {
            while true {
                if left > 0 {
                    left -= input.drop(upTo: left)
                    if left > 0 { break }
                }
                guard let event = try parser.take(from: &input) else { break }
                found.append("\(event)")
                if case .header(let imageBytes) = event {
                    invariant(imageBytes > 0 && imageBytes <= frameLimit, "\(imageBytes)")
                    left = imageBytes
                }
            }
        } catch {
            found.append(error.code.description)
            return found
        }
    }
    return found
}

func fuzzText(_ bytes: [UInt8]) {
    // The first bytes alone may be too few to name a foreign protocol, so an error's words differ.
    let (whole, pieces) = (headers([bytes]), headers(Pieces(bytes)))
    invariant(whole.count == pieces.count && whole.dropLast() == pieces.dropLast(), "the pieces matter")
    var sender = TextSenderMachine(listens: true)
    if bytes.count & 1 == 1 { _ = sender.announce(imageBytes: bytes.count) }
    var input = InputBuffer(bytes)
    while let event = try? sender.take(from: &input) {
        if event == .consumed, bytes.count & 2 == 2 { _ = sender.announce(imageBytes: 1) }
    }
    _ = ForeignProtocol.find(in: bytes)
    bytes.withUnsafeBytes { _ = unsafe jpegSize(RawSpan(_unsafeBytes: $0)) }
}
