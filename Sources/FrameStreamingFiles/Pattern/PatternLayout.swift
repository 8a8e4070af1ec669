/// The places of the test pattern's parts in a frame of a given size. A part that does not fit is
/// omitted.
struct PatternLayout: Sendable {
    /// The counter and the clock in their black box.
    struct Text: Hashable, Sendable {
        var box: PatternRect
        /// Pixels per dot of the font.
        var dot: Int

        var counter: (x: Int, y: Int) { (box.x + dot, box.y + dot) }
        var clock: (x: Int, y: Int) { (box.x + dot, box.y + dot * (PatternFont.height + 2)) }
    }

    /// The blocks that encode the frame number, in two rows at the bottom.
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
    /// The range of the moving square, and the length of its side; 0 = no square.
    private let travel: (width: Int, height: Int)
    private let side: Int

    /// Room for the digits of a clock below 100 hours, and as many for the counter.
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
        // About half of the width and a third of the height, as long as that is readable. Even,
        // because of chroma subsampling.
        let wanted = max(2, min(width / 2 / dotsAcross, free / 3 / dotsDown) & ~1)
        if dotsAcross * wanted <= width, dotsDown * wanted <= free {
            let box = PatternRect(
                x: (width - dotsAcross * wanted) / 2 & ~1, y: (free - dotsDown * wanted) / 2 & ~1,
                width: dotsAcross * wanted, height: dotsDown * wanted)
            text = Text(box: box, dot: wanted)
        } else {
            text = nil
        }
        // The square passes behind the text and above the strip, and so hides neither.
        let room = min(width, free)
        side = room >= 16 ? max(2, room / 8 & ~1) : 0
        travel = (max(0, width - side), max(0, free - side))
    }

    /// The place of the square in frame `number`. It moves to and fro, 4 pixels across and 2 down
    /// per frame.
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
