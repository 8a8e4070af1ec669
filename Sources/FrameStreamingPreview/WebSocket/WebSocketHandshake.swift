internal import FoundationEssentials

/// The opening handshake of a WebSocket (RFC 6455, 4.2).
enum WebSocketHandshake {
    /// Returns the response to a WebSocket request: 101, or why it is refused.
    static func answer(_ request: RequestHead) -> HTTPResponse {
        guard request.method == .get, request.isVersion11, request.tokens("upgrade").contains("websocket"),
            request.tokens("connection").contains("upgrade")
        else {
            return .sentence(
                .upgradeRequired, "This is a WebSocket, for the page at /.",
                [("Upgrade", "websocket"), ("Connection", "Upgrade")])
        }
        guard request.values("sec-websocket-version") == ["13"] else {
            return .sentence(
                .upgradeRequired, "This is a WebSocket of version 13.",
                [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13")])
        }
        let keys = request.values("sec-websocket-key")
        guard keys.count == 1, keys[0].utf8.count == 24, Data(base64Encoded: keys[0])?.count == 16 else {
            return .sentence(.badRequest, "A WebSocket has one key, of 16 bytes in Base64.")
        }
        var response = HTTPResponse(.switchingProtocols, .open)
        response.set("Upgrade", "websocket")
        response.set("Connection", "Upgrade")
        response.set("Sec-WebSocket-Accept", accept(keys[0]))
        return response
    }

    /// Returns the proof that the server understood the key.
    static func accept(_ key: String) -> String {
        Data(SHA1.digest(Array("\(key)258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8))).base64EncodedString()
    }
}
