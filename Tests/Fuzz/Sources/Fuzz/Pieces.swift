/// The same bytes in pieces, as a network delivers them: where they are cut follows from the bytes,
/// so that an input always runs alike.
struct Pieces: Sequence, IteratorProtocol {
    private var rest: ArraySlice<UInt8>
    private var state: UInt32

    init(_ bytes: [UInt8]) {
        rest = bytes[...]
        state = bytes.reduce(2_166_136_261) { ($0 ^ UInt32($1)) &* 16_777_619 } | 1
    }

    mutating func next() -> [UInt8]? {
        guard !rest.isEmpty else { return nil }
        state ^= state << 13
        state ^= state >> 17
        state ^= state << 5
        // Mostly a few bytes, because boundaries are where parsers err.
        let count = Swift.min(rest.count, state & 7 == 0 ? 1 + Int(state >> 8) % 4096 : 1 + Int(state >> 8) % 9)
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }
}
