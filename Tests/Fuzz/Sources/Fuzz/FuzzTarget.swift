/// What untrusted bytes reach: each parser of bytes from a wire, a file or a camera.
enum FuzzTarget: String, CaseIterable {
    /// Messages behind the handshake, for a receiver and for a sender.
    case messages
    /// The binary handshake, of both sides and both roles.
    case handshake
    /// The text handshake, of both roles.
    case text
    /// The walk over a JPEG's segments, the check for missing data, and EXIF.
    case jpeg
    /// A camera's buffer.
    case camera
    /// A stream of JPEGs, with its resynchronisation.
    case mjpeg
    /// A Y4M header.
    case y4m
    /// A whole file as a source: Y4M, MJPEG, multipart, and everything else.
    case file
    /// Requests to the preview.
    case http
    /// The preview's WebSocket.
    case websocket
    /// A stranger's bytes where TLS begins, at each side, with a key and with certificates.
    case tls
    /// A TLS connection whose bytes somebody changes on the way, from the first one on.
    case records

    func run(_ bytes: [UInt8]) {
        switch self {
        case .messages: fuzzMessages(bytes)
        case .handshake: fuzzHandshake(bytes)
        case .text: fuzzText(bytes)
        case .jpeg: fuzzJPEG(bytes)
        case .camera: fuzzCamera(bytes)
        case .mjpeg: fuzzMJPEG(bytes)
        case .y4m: fuzzY4M(bytes)
        case .file: fuzzFile(bytes)
        case .http: fuzzHTTP(bytes)
        case .websocket: fuzzWebSocket(bytes)
        case .tls: fuzzTLS(bytes)
        case .records: fuzzRecords(bytes)
        }
    }
}
