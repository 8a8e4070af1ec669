internal import FrameStreamingCore
internal import FrameStreamingSystem

/// The bytes of a connection: what stands between its messages and its socket.
///
/// A plain stream calls the socket directly. A secured one passes every byte through a
/// ``SecuredStream``. A call never waits, except for a plain ``receive(into:at:wait:)`` with a
/// wait. Any thread may call.
final class ByteStream: Sendable {
    /// The socket, for waits and for the kernel's counts.
    let socket: Descriptor
    /// Nil for a plain stream.
    let secured: (any SecuredStream)?

    init(_ socket: Descriptor, secured: (any SecuredStream)? = nil) {
        self.socket = socket
        self.secured = secured
    }

    /// Stores bytes from `offset` of the room; nil = none have arrived, 0 = the peer's bytes have
    /// ended.
    ///
    /// - Parameter wait: What a plain stream waits for. A secured one returns nil instead.
    func receive(
        into bytes: inout MutableRawSpan, at offset: Int, wait: Descriptor.ReceiveWait
    ) throws(ByteStreamError) -> Int? {
        if let secured {
            do throws(FrameStreamingError) { return try secured.receive(into: &bytes, at: offset) } catch {
                throw .secured(error)
            }
        }
        do throws(SystemError) { return try socket.receive(into: &bytes, at: offset, wait: wait) } catch {
            if error.code == Errno.again { return nil }
            throw .socket(error)
        }
    }

    /// Whether bytes may have arrived that a poll of the socket does not show, because they were
    /// taken from it already.
    var mayHaveMore: Bool { secured?.mayHaveMore ?? false }

    /// Takes the rest of `head` and of the image behind it, from `offset` of both together.
    ///
    /// - Returns: How many bytes were taken; nil = there is no room.
    func send(
        _ head: [UInt8], image: Frame?, imageBytes: Int, from offset: Int
    ) throws(ByteStreamError) -> Int? {
        if let secured {
            do throws(FrameStreamingError) {
                // The bytes of UInt8 are initialised.
                let rest = unsafe head.span.bytes
                if offset < head.count { return try secured.send(rest.extracting(droppingFirst: offset)) }
                guard let image else { return 0 }
                let done = offset - head.count
                return try secured.send(image.bytes.extracting(done..<imageBytes))
            } catch {
                throw .secured(error)
            }
        }
        do throws(SystemError) {
            return try socket.send(head, image: image, imageBytes: imageBytes, from: offset)
        } catch {
            if error.code == Errno.again { return nil }
            throw .socket(error)
        }
    }

    /// Passes bytes that were taken on to the kernel; false = there is no room for all of them. A
    /// plain stream keeps none.
    func flush() throws(ByteStreamError) -> Bool {
        guard let secured else { return true }
        do throws(FrameStreamingError) { return try secured.flush() } catch { throw .secured(error) }
    }

    /// Tells the peer that this side writes no more.
    func endWriting() {
        secured?.endWriting()
        socket.shutdownWriting()
    }
}

/// Why a ``ByteStream`` ended.
enum ByteStreamError: Error {
    /// A call on the socket failed.
    case socket(SystemError)
    /// The peer broke the encryption's rules, or its bytes were changed on the way.
    case secured(FrameStreamingError)
}
