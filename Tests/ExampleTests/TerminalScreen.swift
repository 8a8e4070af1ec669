/// What a terminal shows of the bytes that a program writes to it: as much of one as a status line
/// needs. A line that is too long wraps, and so it does when the terminal becomes narrower.
struct TerminalScreen {
    private(set) var columns: Int
    /// The rows from top to bottom, with one scalar or nothing in each cell, because wide ones take two.
    private var rows: [[Unicode.Scalar?]] = [[]]
    private var row = 0
    private var column = 0
    private var escape: [UInt8] = []
    private var pending: [UInt8] = []

    init(columns: Int) { self.columns = columns }

    /// The rows as text, without those that are empty at the end.
    var lines: [String] {
        let texts = rows.map { cells in
            var text = ""
            for case let scalar? in cells { text.unicodeScalars.append(scalar) }
            return text
        }
        return Array(texts.reversed().drop { $0.isEmpty }.reversed())
    }

    /// Whether the cursor is at the beginning of its row.
    var isAtLineStart: Bool { column == 0 }

    mutating func write(_ bytes: [UInt8]) throws {
        for byte in bytes { try write(byte) }
    }

    private mutating func write(_ byte: UInt8) throws {
        if !escape.isEmpty { return try continueEscape(byte) }
        switch byte {
        case 0x1B: escape = [byte]
        case UInt8(ascii: "\r"): column = 0
        case UInt8(ascii: "\n"):
            row += 1
            if row == rows.count { rows.append([]) }
        case 0..<0x20: throw Surprise("the terminal does not know the control character \(byte)")
        default:
            pending.append(byte)
            guard let text = String(validating: pending, as: UTF8.self), let scalar = text.unicodeScalars.first else {
                return
            }
            pending = []
            put(scalar)
        }
    }

    /// `ESC [ J` clears from the cursor to the end of the screen; a program may send nothing else.
    private mutating func continueEscape(_ byte: UInt8) throws {
        escape.append(byte)
        if escape.count < 3 { return }
        guard escape == Array("\u{1B}[J".utf8) else { throw Surprise("the terminal does not know \(escape)") }
        escape = []
        rows[row].removeSubrange(min(column, rows[row].count)...)
        rows.removeSubrange((row + 1)...)
    }

    private mutating func put(_ scalar: Unicode.Scalar) {
        // East Asian scripts are wide.
        let width = (0x2E80...0xFF60).contains(scalar.value) ? 2 : 1
        if column + width > columns {
            row += 1
            column = 0
            rows.insert([], at: row)
        }
        while rows[row].count < column + width { rows[row].append(nil) }
        rows[row][column] = scalar
        for cell in 1..<max(2, width + 1) where cell < width { rows[row][column + cell] = nil }
        column += width
    }

    /// Makes it narrower: rows that do not fit any more are broken, and the cursor goes with its cell.
    mutating func shrink(to columns: Int) {
        precondition(columns < self.columns && column == 0, "only this is needed, and a cursor elsewhere is not")
        self.columns = columns
        var broken: [[Unicode.Scalar?]] = []
        var cursor = 0
        for (index, cells) in rows.enumerated() {
            if index == row { cursor = broken.count }
            var rest = cells[...]
            repeat {
                broken.append(Array(rest.prefix(columns)))
                rest = rest.dropFirst(columns)
            } while !rest.isEmpty
        }
        (rows, row) = (broken, cursor)
    }
}
