internal import FoundationEssentials

/// A text message of the page.
struct LiveMessage: Decodable {
    let type: String
    /// The streams to watch, in a `watch` message.
    let streams: [String]?

    init?(_ text: [UInt8]) {
        guard let message = try? JSONDecoder().decode(LiveMessage.self, from: Data(text)) else { return nil }
        self = message
    }
}
