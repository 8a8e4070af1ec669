internal import FrameStreaming

/// A figure of the status line.
package struct StatusPart: Hashable, Sendable {
    /// The figure as a wide terminal shows it, in printable form.
    package let text: String
    /// What a narrower one shows of it; empty = nothing.
    package let short: String
    /// When it is left out, the highest rank first; 0 = the part that the narrowest terminal shows.
    package let rank: Int
    /// When it is shortened.
    let shortRank: Int

    /// - Parameter shortRank: nil = only when it would be left out otherwise.
    package init(_ text: String, short: String = "", rank: Int, shortRank: Int? = nil) {
        self.text = text
        self.short = short
        self.rank = rank
        self.shortRank = shortRank ?? rank
    }
}

/// Returns the figures in one line of at most `columns` columns, in their order. Where there is no
/// room, the least important ones are shortened, and then left out.
package func statusLine(_ parts: [StatusPart], columns: Int) -> String {
    var forms = parts.map(\.text)
    let steps = parts.enumerated().flatMap { index, part in
        [(rank: part.shortRank, index: index, form: part.short), (rank: part.rank, index: index, form: "")]
    }
    let inOrder = steps.sorted {
        ($1.rank, $1.index, $0.form.isEmpty ? 1 : 0) < ($0.rank, $0.index, $1.form.isEmpty ? 1 : 0)
    }
    for step in inOrder {
        if columnCount(of: join(forms)) <= columns { return join(forms) }
        forms[step.index] = step.form
    }
    guard let best = parts.min(by: { $0.rank < $1.rank }) else { return "" }
    return prefix(of: best.short.isEmpty ? best.text : best.short, columns: columns)
}

/// Returns the figures as a line of any length.
package func statusLine(_ parts: [StatusPart]) -> String { join(parts.map(\.text)) }

private func join(_ forms: [String]) -> String { forms.filter { !$0.isEmpty }.joined(separator: ", ") }

/// Returns how many columns of a terminal printable text takes, or more, but never less.
///
/// Terminals disagree on emoji and on characters that combine. A line that is too long wraps, and one that
/// is a little too short does no harm. So what may be wide counts as wide, and what may combine
/// counts by itself.
package func columnCount(of text: String) -> Int { text.unicodeScalars.reduce(0) { $0 + columnCount(of: $1) } }

private func columnCount(of scalar: Unicode.Scalar) -> Int {
    // The first wide characters are those of Hangul (Unicode Standard Annex 11).
    scalar.value < 0x1100 ? 1 : 2
}

/// Returns the beginning of printable text that fits.
package func prefix(of text: String, columns: Int) -> String {
    var left = columns
    return String(
        text.prefix { character in
            left -= columnCount(of: String(character))
            return left >= 0
        })
}
