public import FrameStreamingCore
internal import FrameStreamingSystem

/// Sends what `source` gives through a sender, a connection in memory and a receiver, and returns what arrived, in order.
///
/// Blocks until the source has ended and everything was consumed; the receiving half runs on a thread of its own.
///
/// ```swift
/// import FrameStreamingTesting
/// import Testing
///
/// @Test func everyPictureArrives() throws {
///     var source = Ramp(pictures: 10)
///     let received = try stream(&source)
///     #expect(received.map(\.frame.sequence) == Array(0..<10))
///     #expect(received.allSatisfy { $0.frame.format.pixelFormat == .gray8 })
/// }
/// ```
///
/// - Parameters:
///   - source: Where the pictures come from. All that arrived are kept until the end, and their buffers with them: a source with
///     a fixed number of buffers needs a `limit` below that.
///   - codec: Encodes and decodes: ``IdentityCodec`` sends the pictures as they are.
///   - options: As a sender has them; every picture arrives, unless given. With `latest` some may be left out.
///   - decode: The pixel format and scale wanted; nil leaves the frames as they come.
///   - creditAhead: Frames that the receiver takes beyond the last it consumed.
///   - limit: End in good order when so many have arrived: for a source that does not end by itself.
/// - Throws: What the decoder threw first, else what the source threw, or the encoder for a picture that it does not take. A
///   picture that fails to encode for another reason is left out.
public func stream<Codec: FrameCodec>(
    _ source: inout some FrameSource, codec: Codec,
    options: SenderOptions = SenderOptions(policy: .reliable), decode: DecodeSettings? = DecodeSettings(),
    creditAhead: UInt64 = 16, limit: Int? = nil
) throws(FrameStreamingError) -> [ReceivedFrame] {
    let link = MemoryTransport.pair(creditAhead: creditAhead)
    let arrivals = Monitor(Arrivals())
    let sender = try FrameSender(codec: codec, transport: link.sender, options: options)
    let receiver = try FrameReceiver(codec: codec, transport: link.receiver, decode: decode) { event in
        guard case .undecodable(_, let error) = event else { return }
        arrivals.update { $0.undecodable = $0.undecodable ?? error }
    }
    let receiving: SystemThread
    do throws(SystemError) {
        receiving = try SystemThread(name: "fs-test-receive") {
            do throws(FrameStreamingError) {
                while let received = try receiver.next() {
                    let isEnough = arrivals.update { arrivals in
                        // What was under way when there was enough is consumed and not kept.
                        if limit.map({ arrivals.frames.count < $0 }) ?? true { arrivals.frames.append(received) }
                        return arrivals.frames.count == limit
                    }
                    if isEnough { sender.stop() }
                }
            } catch {
                arrivals.update { $0.broken = error }
                // Nobody takes frames any more.
                receiver.cancel()
            }
        }
    } catch {
        throw FrameStreamingError(error, subject: "the receiving half")
    }
    var failure: FrameStreamingError?
    do throws(FrameStreamingError) { try sender.run(&source) } catch { failure = error }
    receiving.join()
    let outcome = arrivals.withLock { $0 }
    // The cause before its consequences: each half sees the other's failure as a broken connection.
    if let error = outcome.undecodable ?? failure ?? outcome.broken { throw error }
    return outcome.frames
}

/// The same without a codec: raw pictures arrive as they are.
///
/// - Throws: What the source threw.
public func stream(
    _ source: inout some FrameSource, options: SenderOptions = SenderOptions(policy: .reliable), limit: Int? = nil
) throws(FrameStreamingError) -> [ReceivedFrame] {
    try stream(&source, codec: IdentityCodec(), options: options, decode: nil, limit: limit)
}

/// What has arrived, and what went wrong first.
private struct Arrivals {
    var frames: [ReceivedFrame] = []
    /// The first picture's that did not decode.
    var undecodable: FrameStreamingError?
    /// What ended the receiving half.
    var broken: FrameStreamingError?
}
