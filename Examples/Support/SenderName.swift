internal import FrameStreaming

/// `127.0.0.1:4711 "front door"`: a sender by its address and the name of its stream, in printable
/// form.
package func senderName(_ address: String, _ stream: String?) -> String {
    stream.map { "\(address) \"\(String(printable: $0))\"" } ?? address
}

/// The same for programs, with the name as it came.
package func wholeSenderName(_ address: String, _ stream: String?) -> String {
    stream.map { "\(address) \"\($0)\"" } ?? address
}
