/// Lines of text as dots, in pixels of the window.
struct TextLayout: Hashable {
    /// The runs of dots, each a rectangle.
    private(set) var dots: [Area] = []
    /// The area of all lines with a margin: the box behind the text.
    let box: Area

    /// The text's place in the window.
    enum Place { case topLeft, bottom }

    /// - Parameters:
    ///   - lines: What to draw. A line that is too long is broken at a blank, if it has one; text
    ///     without room is left out.
    ///   - place: The corner, or the middle of the lower edge.
    ///   - window: The window, in pixels. The size of the letters follows from it.
    init(_ lines: [String], at place: Place, in window: Size) {
        let dot = Self.dot(in: window)
        let (across, down) = (BitmapFont.advance.across * dot, BitmapFont.advance.down * dot)
        let margin = 3 * dot
        let columns = max(1, (window.width - 4 * margin) / across)
        let rows = max(1, (window.height - 4 * margin) / down)
        let shown = lines.flatMap { Self.wrapped($0, columns) }.prefix(rows)
        let width = (shown.map(\.count).max() ?? 0) * across - dot + 2 * margin
        // From the top of the first line to the foot of the last one's letters.
        let height = shown.count * down - 2 * dot + 2 * margin
        switch place {
        case .topLeft: box = Area(x: margin, y: margin, width: width, height: height)
        case .bottom:
            box = Area(
                x: max(0, (window.width - width) / 2), y: max(0, window.height - height - margin), width: width,
                height: height)
        }
        for (row, line) in shown.enumerated() {
            for (column, character) in line.enumerated() {
                draw(
                    character, x: box.x + margin + column * across, y: box.y + margin + row * down, dot: dot)
            }
        }
    }

    /// The pixels of a dot: 80 characters fill a large window, and remain readable in a small one.
    static func dot(in window: Size) -> Int { max(1, min(window.width / 320, window.height / 200)) }

    private mutating func draw(_ character: Character, x: Int, y: Int, dot: Int) {
        for (column, bits) in BitmapFont.columns(of: character).enumerated() {
            var row = 0
            while row < BitmapFont.height {
                let first = row
                while row < BitmapFont.height, bits >> UInt8(row) & 1 == 1 { row += 1 }
                if row > first {
                    dots.append(Area(x: x + column * dot, y: y + first * dot, width: dot, height: (row - first) * dot))
                }
                row += 1
            }
        }
    }

    /// A line in pieces of at most `columns` characters.
    static func wrapped(_ line: String, _ columns: Int) -> [String] {
        var pieces: [String] = []
        var rest = Substring(line)
        while rest.count > columns {
            let end = rest.index(rest.startIndex, offsetBy: columns)
            // A blank just behind the piece is suitable as well.
            if let blank = rest[...end].lastIndex(of: " "), blank > rest.startIndex {
                pieces.append(String(rest[..<blank]))
                rest = rest[rest.index(after: blank)...]
            } else {
                pieces.append(String(rest[..<end]))
                rest = rest[end...]
            }
        }
        return pieces + [String(rest)]
    }
}
