import ExampleSupport
import FrameStreaming

/// Turns received pictures, as `--rotate` asks.
struct Rotation: Sendable {
    /// Nil leaves the pictures as they came.
    let turn: PictureTurn?
    private let codec = JPEGCodec()

    init(_ turn: PictureTurn?) { self.turn = turn }

    /// Returns the picture turned. One that is too damaged for that stays as it came, because a
    /// recording must not lose it.
    func turned(_ received: ReceivedFrame, from peer: Peer) -> ReceivedFrame {
        guard let turn else { return received }
        do throws(FrameStreamingError) {
            let format = received.encoded.format
            // Video is turned when it is decoded.
            let isVideo = format.planeCount == 0 && format.pixelFormat != .jpeg
            let encoded = isVideo ? received.encoded : try codec.turned(received.encoded, turn)
            let isDecoded = received.frame.format.pixelFormat != .jpeg
            return received.replacing(frame: isDecoded ? try received.frame.turned(turn) : encoded, encoded: encoded)
        } catch {
            if admitsLine(.undecodable, from: peer.address) {
                printError("\(peer.address): frame \(received.info.sequence) is not turned: \(error.message)")
            }
            return received
        }
    }
}
