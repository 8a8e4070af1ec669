internal import FrameStreamingCore

/// The codes of links that let a browser in once.
struct OneTimeCodes {
    private var codes: [(digest: [UInt8], until: MonotonicTime)] = []

    /// One more makes the oldest worthless.
    private static let most = 16

    /// Makes a code that is valid once, until a time.
    mutating func make(until limit: MonotonicTime) -> String {
        let code = PreviewToken.random()
        if codes.count == Self.most { codes.removeFirst() }
        codes.append((SHA256.digest(code), limit))
        return String(decoding: code, as: UTF8.self)
    }

    /// Whether the text is a valid code, which it then is no longer.
    mutating func redeem(_ text: String, at now: MonotonicTime) -> Bool {
        codes.removeAll { $0.until <= now }
        let digest = SHA256.digest(Array(text.utf8))
        guard let index = codes.firstIndex(where: { isEqual($0.digest, digest) }) else { return false }
        codes.remove(at: index)
        return true
    }
}
