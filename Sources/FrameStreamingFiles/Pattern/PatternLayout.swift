/// Where the parts of the test pattern lie in a picture of a given size. Each that has no room is left out.
struct PatternLayout: Sendable {
    /// The counter and the clock in their black box.
    struct Text: Hashable, Sendable {
        var box: PatternRect
        /// Pixels of a dot of the font.
        var dot: Int

        var counter: (x: Int, y: Int) { (box.x + dot, box.y + dot) }
        var clock: (x: Int, y: Int) { (box.x + dot, box.y + dot * (PatternFont.height + 2)) }
    }

    /// The blocks that say the frame number, in two rows at the bottom.
    struct Strip: Hashable, Sendable {
        var top: Int
        var blockWidth: Int
        var blockHeight: Int

        func block(_ bit: Int) -> PatternRect {
            let (row, column) = bit.quotientAndRemainder(dividingBy: PatternNumber.bitsPerRow)
            return PatternRect(
                x: column * blockWidth, y: top + row * blockHeight, width: blockWidth, height: blockHeight)
        }
    }

    let bars: [PatternRect]
    let text: Text?
    let strip: Strip?
    /// Where the square moves, and its side; 0 = there is none.
    private let travel: (width: Int, height: Int)
    private let side: Int

    /// Digits of a clock below 100 hours; a counter has as much room.
    private static let characters = 12

    init(width: Int, height: Int) {
        let count = TestPattern.bars.count
        let edges = (0...count).map { $0 == count ? width : width * $0 / count & ~1 }
        bars = (0..<count).map {
            PatternRect(x: edges[$0], y: 0, width: edges[$0 + 1] - edges[$0], height: height)
        }
        if width >= TestPattern.smallestReadableWidth, height >= TestPattern.smallestReadableHeight {
            let blockHeight = min(64, max(8, height / 32 & ~1))
            strip = Strip(
                top: (height - 2 * blockHeight) & ~1, blockWidth: width / PatternNumber.bitsPerRow & ~1,
                blockHeight: blockHeight)
        } else {
            strip = nil
        }
        let free = strip?.top ?? height
        let (dotsAcross, dotsDown) = (Self.characters * PatternFont.advance + 1, 2 * PatternFont.height + 3)
        // About half of the width and a third of the height, where that can be read; even, for chroma's sake.
        let wanted = max(2, min(width / 2 / dotsAcross, free / 3 / dotsDown) & ~1)
        if dotsAcross * wanted <= width, dotsDown * wanted <= free {
            let box = PatternRect(
                x: (width - dotsAcross * wanted) / 2 & ~1, y: (free - dotsDown * wanted) / 2 & ~1,
                width: dotsAcross * wanted, height: dotsDown * wanted)
            text = Text(box: box, dot: wanted)
        } else {
            text = nil
        }
        // It passes behind the text and above the strip, and so hides neither.
        let room = min(width, free)
        side = room >= 16 ? max(2, room / 8 & ~1) : 0
        travel = (max(0, width - side), max(0, free - side))
    }

    /// Where the square is in frame `number`: it goes to and fro, 4 pixels across and 2 down a frame.
    func square(_ number: UInt64) -> PatternRect? {
        guard side > 0 else { return nil }
        func place(_ length: Int, step: Int) -> Int {
            guard length > 0 else { return 0 }
            let period = UInt64(2 * length)
            let way = Int((number % period) * UInt64(step) % period)
            return min(way, 2 * length - way) & ~1
        }
        return PatternRect(
            x: place(travel.width, step: 4), y: place(travel.height, step: 2), width: side, height: side)
    }
}
