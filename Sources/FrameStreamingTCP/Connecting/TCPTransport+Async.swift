public import FrameStreamingCore

extension TCPTransport {
    /// As the blocking `connect`, for a task: `try await TCPTransport.connect(to: "camera:5600",
    /// role: .receiver)`.
    ///
    /// It waits on a thread of the library, fs-connect.
    ///
    /// - Throws: As the blocking `connect`. `cancelled` within 100 ms after the task was cancelled.
    public static func connect(
        to address: String, role: TCPRole, handshake: Handshake = .binary, options: TCPOptions = TCPOptions(),
        until deadline: Deadline = .after(.seconds(10))
    ) async throws(FrameStreamingError) -> TCPTransport {
        let cancellation = TCPCancellation()
        return try await callOnThread("fs-connect", cancel: cancellation.cancel) { () throws(FrameStreamingError) in
            try connect(
                to: address, role: role, handshake: handshake, options: options, until: deadline,
                cancellation: cancellation)
        }
    }
}
