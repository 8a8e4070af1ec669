public import FrameStreamingCore
internal import FrameStreamingSystem

/// Sends the frames of `source` through a sender, a connection in memory and a receiver, and
/// returns the received frames in order.
///
/// Blocks until the source has ended and every frame was consumed. The receiving half runs on its
/// own thread.
///
/// ```swift
/// var source = Ramp()
/// let received = try stream(&source)
/// #expect(received.map(\.frame.sequence) == Array(0..<10))
/// ```
///
/// - Parameters:
///   - source: The source. All received frames are kept until the end, and their buffers with them:
///     a source with a fixed number of buffers needs a smaller `limit`.
///   - codec: Encodes and decodes; ``IdentityCodec`` sends the frames as they are.
///   - options: The sender's options. By default every frame arrives; with `latest` some may be
///     dropped.
///   - decode: The wanted pixel format and scale; nil leaves the frames as they come.
///   - creditAhead: Frames that the receiver accepts beyond the last one it consumed.
///   - limit: Stops with a goodbye after this many frames: for a source that never ends.
/// - Throws: What the decoder threw first. Otherwise what the source threw, or the encoder for a
///   frame that it does not support. A frame that fails to encode for another reason is dropped.
public func stream(
    _ source: inout some FrameSource, codec: any FrameCodec,
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
                        // Frames in flight when the limit was reached are consumed and not kept.
                        if limit.map({ arrivals.frames.count < $0 }) ?? true { arrivals.frames.append(received) }
                        return arrivals.frames.count == limit
                    }
                    if isEnough { sender.stop() }
                }
            } catch {
                arrivals.update { $0.broken = error }
                // This thread takes no more frames.
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
    // The cause comes before its consequences: each half sees the other's failure as a broken
    // connection.
    if let error = outcome.undecodable ?? failure ?? outcome.broken { throw error }
    return outcome.frames
}

/// Sends raw frames without a codec.
///
/// - Throws: What the source threw.
public func stream(
    _ source: inout some FrameSource, options: SenderOptions = SenderOptions(policy: .reliable), limit: Int? = nil
) throws(FrameStreamingError) -> [ReceivedFrame] {
    try stream(&source, codec: IdentityCodec(), options: options, decode: nil, limit: limit)
}

/// The received frames, and the first errors.
private struct Arrivals {
    var frames: [ReceivedFrame] = []
    /// The error of the first frame that did not decode.
    var undecodable: FrameStreamingError?
    /// The error that ended the receiving half.
    var broken: FrameStreamingError?
}
