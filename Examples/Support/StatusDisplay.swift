/// Decides what a terminal is sent to keep a status line below all messages. A value without I/O.
///
/// The cursor always waits at the beginning of the line. So everything from the cursor on is the
/// line, even after a terminal that became narrower has broken it over several rows.
package enum StatusDisplay: Hashable, Sendable {
    /// No line is on the screen.
    case absent
    /// The line has these figures.
    case shown([StatusPart])
    /// The program ends, and no line is drawn any more.
    case over

    private static let clear = "\r\u{1B}[J"

    /// Replaces the line.
    ///
    /// - Parameter columns: The terminal's width.
    /// - Returns: What the terminal is sent; empty once the display is over.
    package mutating func show(_ parts: [StatusPart], columns: Int) -> String {
        guard self != .over else { return "" }
        self = .shown(parts)
        return Self.drawing(parts, columns)
    }

    /// What the terminal is sent before a message, which ends with a line break, and behind it.
    package func around(columns: Int) -> (before: String, behind: String) {
        guard case .shown(let parts) = self else { return ("", "") }
        return (Self.clear, Self.drawing(parts, columns))
    }

    /// What the terminal is sent once it has another width.
    package func resized(columns: Int) -> String {
        guard case .shown(let parts) = self else { return "" }
        return Self.clear + Self.drawing(parts, columns)
    }

    /// Removes the line for good. Returns what the terminal is sent.
    package mutating func end() -> String {
        let isShown = if case .shown = self { true } else { false }
        self = .over
        return isShown ? Self.clear : ""
    }

    private static func drawing(_ parts: [StatusPart], _ columns: Int) -> String {
        // Some terminals wrap as soon as the last column is written.
        "\r" + statusLine(parts, columns: columns - 1) + "\u{1B}[J\r"
    }
}
