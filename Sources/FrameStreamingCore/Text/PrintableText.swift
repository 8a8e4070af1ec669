extension String {
    /// Makes a copy of a text from a peer, a file or a device that is safe to print on
    /// a terminal or to write to a log.
    ///
    /// Control characters (C0, DEL and C1), line separators, invisible characters and those that
    /// change the direction of writing are replaced by escapes such as `\n` and `\u{1B}`. So the
    /// text stays on its line and cannot forge another one. A printable text is returned unchanged,
    /// so calling this twice does no harm.
    ///
    /// ``Peer/stream``, ``Peer/goodbye`` and the reason of ``ReceiverEvent/sourceLost(reason:)`` are
    /// what the peer sent, byte for byte: print them through this. Messages of
    /// ``FrameStreamingError`` are printable already.
    ///
    /// - Parameters:
    ///   - untrusted: The text, of any length. Only as much as fits is read.
    ///   - limit: How many Unicode scalars the result may have, at least 1. A longer text is cut
    ///     and ends with `…`.
    public init(printable untrusted: some StringProtocol, limit: Int = 200) {
        let limit = Swift.max(1, limit)
        // Nearly always there is nothing to escape. A scalar of ASCII is one byte.
        let bytes = untrusted.utf8
        if bytes.count <= limit, bytes.allSatisfy({ (0x20..<0x7F).contains($0) }) {
            self = String(untrusted)
            return
        }
        var result = ""
        var count = 0
        // Where to cut so that the ellipsis still fits: in front of an escape, never inside one.
        var cut = result.unicodeScalars.endIndex
        for scalar in untrusted.unicodeScalars {
            let piece = scalar.isPrintable ? nil : scalar.escaped
            let width = piece?.unicodeScalars.count ?? 1
            guard width <= limit - count else {
                result.unicodeScalars.removeSubrange(cut...)
                self = result + "…"
                return
            }
            if let piece { result += piece } else { result.unicodeScalars.append(scalar) }
            count += width
            if count < limit { cut = result.unicodeScalars.endIndex }
        }
        self = result
    }
}

extension Unicode.Scalar {
    /// Whether a terminal shows the scalar itself and does nothing else.
    fileprivate var isPrintable: Bool {
        if value < 0x7F { return value >= 0x20 }
        switch properties.generalCategory {
        // Cc, Cf (bidirectional overrides, zero-width characters, tags), U+2028 and U+2029.
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: return false
        // Fillers are invisible, too. The variation selectors of emoji
        // are wanted, and do nothing alone.
        default: return !properties.isDefaultIgnorableCodePoint || properties.isVariationSelector
        }
    }

    /// The scalar as an escape of a Swift string literal.
    fileprivate var escaped: String {
        switch self {
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        default: "\\u{\(String(value, radix: 16, uppercase: true))}"
        }
    }
}
