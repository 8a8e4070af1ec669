/// Tells whether a JPEG without EOI has all of its data, or was cut.
///
/// Both end the same way: with the SOI of the next frame. So the Huffman codes of the only scan are
/// counted, without computing a sample (ITU-T T.81, F.2.2). That takes about a third of a decode,
/// and only such frames need it.
package enum JPEGCompleteness: Hashable, Sendable {
    /// No block is missing; the data end at this byte.
    case complete(byteCount: Int)
    /// The data end before the last block.
    case cut
    /// Not known: it is progressive, arithmetic-coded or has several scans, or its codes are
    /// damaged. A decoder shows how much there is.
    case unknown

    /// Examines a frame.
    ///
    /// - Parameter bytes: The frame, from its SOI to the end of its data or beyond.
    package init(of bytes: RawSpan) {
        do throws(JPEGScan.Obstacle) {
            self = try JPEGScan(bytes).completeness(of: bytes)
        } catch {
            self = error == .otherProcess ? .unknown : .cut
        }
    }
}

/// The only scan of a baseline JPEG: what has to be known to count its blocks.
private struct JPEGScan {
    private struct Component {
        let blocks: Int
        let dc: JPEGCodeTable
        let ac: JPEGCodeTable
    }

    private let start: Int
    private let components: [Component]
    private let units: Int
    private let restartInterval: Int

    /// Why the blocks cannot be counted.
    enum Obstacle: Error {
        /// The frame is not baseline, or has several scans.
        case otherProcess
        /// Its segments are cut or damaged.
        case damaged
    }

    init(_ bytes: RawSpan) throws(Obstacle) {
        var tables = Self.standardTables
        var frame: Range<Int>?
        var interval = 0
        var position = 2
        while true {
            position = bytes.firstOfFF(from: position)
            guard position + 4 <= bytes.byteCount else { throw .damaged }
            let marker = bytes.byte(at: position + 1)
            guard marker >= JPEGMarker.framesAndTables.lowerBound, marker != 0xFF, !(0xD0...0xD9).contains(marker)
            else {
                position += 1
                continue
            }
            let length = Int(bytes.byte(at: position + 2)) << 8 | Int(bytes.byte(at: position + 3))
            let payload = position + 4..<position + 2 + max(2, length)
            guard payload.upperBound <= bytes.byteCount else { throw .damaged }
            position = payload.upperBound
            switch marker {
            case JPEGMarker.huffmanTables:
                guard Self.read(bytes, payload, into: &tables) else { throw .damaged }
            case JPEGMarker.restartInterval where payload.count == 2:
                interval = Int(bytes.byte(at: payload.lowerBound)) << 8 | Int(bytes.byte(at: payload.lowerBound + 1))
            case 0xC0, 0xC1:
                frame = payload
            case JPEGMarker.extensions, JPEGMarker.arithmeticConditioning:
                break
            case JPEGMarker.framesAndTables:
                throw .otherProcess
            case JPEGMarker.startOfScan:
                guard let frame else { throw .damaged }
                try self.init(bytes, frame: frame, scan: payload, tables, interval)
                return
            default:
                break
            }
        }
    }

    private init(
        _ bytes: RawSpan, frame: Range<Int>, scan: Range<Int>, _ tables: [Int: JPEGCodeTable], _ interval: Int
    ) throws(Obstacle) {
        func byte(_ range: Range<Int>, _ index: Int) -> Int { Int(bytes.byte(at: range.lowerBound + index)) }
        guard frame.count >= 6, frame.count == 6 + 3 * byte(frame, 5), byte(frame, 0) == 8, scan.count >= 4 else {
            throw .damaged
        }
        let count = byte(frame, 5)
        guard (1...4).contains(count), scan.count == 4 + 2 * byte(scan, 0) else { throw .damaged }
        guard byte(scan, 0) >= count else { throw .otherProcess }
        guard byte(scan, 0) == count else { throw .damaged }
        var parts: [Component] = []
        var (across, down) = (1, 1)
        for index in 0..<count {
            let factors = byte(frame, 7 + 3 * index)
            let (h, v) = (factors >> 4, factors & 15)
            guard (1...4).contains(h), (1...4).contains(v) else { throw .damaged }
            (across, down) = (max(across, h), max(down, v))
            guard byte(scan, 1 + 2 * index) == byte(frame, 6 + 3 * index) else { throw .damaged }
            let names = byte(scan, 2 + 2 * index)
            guard let dc = tables[names >> 4], let ac = tables[0x10 | names & 15] else { throw .damaged }
            // A scan of one component has one block a unit, whatever its factors (T.81, A.2.2).
            parts.append(Component(blocks: count == 1 ? 1 : h * v, dc: dc, ac: ac))
        }
        let (height, width) = (byte(frame, 1) << 8 | byte(frame, 2), byte(frame, 3) << 8 | byte(frame, 4))
        if count == 1 { (across, down) = (1, 1) }
        units = ((width + 8 * across - 1) / (8 * across)) * ((height + 8 * down - 1) / (8 * down))
        guard units > 0 else { throw .damaged }
        components = parts
        restartInterval = interval
        start = scan.upperBound
    }

    /// The tables of frames that have none.
    private static let standardTables: [Int: JPEGCodeTable] = {
        let jpeg = StandardHuffmanTables.jpeg
        var tables: [Int: JPEGCodeTable] = [:]
        // SOI, the marker and its length come before, and EOI behind. Bytes have no padding.
        _ = read(unsafe jpeg.span.bytes, 6..<jpeg.count - 2, into: &tables)
        return tables
    }()

    private static func read(
        _ bytes: RawSpan, _ payload: Range<Int>, into tables: inout [Int: JPEGCodeTable]
    ) -> Bool {
        var next = payload.lowerBound
        while next + 17 <= payload.upperBound {
            let counts = (1...16).map { Int(bytes.byte(at: next + $0)) }
            let sum = counts.reduce(0, +)
            guard sum <= 256, next + 17 + sum <= payload.upperBound else { return false }
            let values = (0..<sum).map { bytes.byte(at: next + 17 + $0) }
            tables[Int(bytes.byte(at: next))] = JPEGCodeTable(counts: counts, values: values)
            next += 17 + sum
        }
        return next == payload.upperBound
    }

    func completeness(of bytes: RawSpan) -> JPEGCompleteness {
        var bits = JPEGBits(position: start)
        for unit in 0..<units {
            if restartInterval > 0, unit > 0, unit % restartInterval == 0, !bits.passRestart(bytes) {
                return bits.isAtEnd ? .cut : .unknown
            }
            for component in components {
                for _ in 0..<component.blocks {
                    guard passBlock(component, &bits, bytes) else { return bits.isAtEnd ? .cut : .unknown }
                }
            }
        }
        return .complete(byteCount: bits.end)
    }

    /// Passes the codes of one block: one for DC, up to 63 for AC.
    private func passBlock(_ component: Component, _ bits: inout JPEGBits, _ bytes: RawSpan) -> Bool {
        guard let size = component.dc.next(&bits, bytes), size <= 15, bits.skip(Int(size), bytes) else { return false }
        var index = 1
        while index < 64 {
            guard let code = component.ac.next(&bits, bytes) else { return false }
            let (run, size) = (Int(code >> 4), Int(code & 15))
            if size == 0 {
                if run != 15 { break }
                index += 16
                continue
            }
            index += run + 1
            guard index <= 64, bits.skip(size, bytes) else { return false }
        }
        return true
    }
}

/// A Huffman table, as the smallest and largest code of each length (ITU-T T.81, F.2.2.3).
private struct JPEGCodeTable {
    private var first = [Int](repeating: 0, count: 17)
    private var counts: [Int]
    private var offsets = [Int](repeating: 0, count: 17)
    private let values: [UInt8]

    init(counts: [Int], values: [UInt8]) {
        self.counts = [0] + counts
        self.values = values
        var (code, offset) = (0, 0)
        for length in 1...16 {
            first[length] = code
            offsets[length] = offset
            code = (code + counts[length - 1]) << 1
            offset += counts[length - 1]
        }
    }

    /// Reads one code; nil at the end of the data, and for bits that are no code.
    func next(_ bits: inout JPEGBits, _ bytes: RawSpan) -> UInt8? {
        var code = 0
        for length in 1...16 {
            guard let bit = bits.next(bytes) else { return nil }
            code = code << 1 | bit
            let index = code - first[length]
            if index >= 0, index < counts[length] { return values[offsets[length] + index] }
        }
        return nil
    }
}

/// The bits of entropy-coded data: a zero behind an FF is left out.
private struct JPEGBits {
    private var position: Int
    private var byte: UInt8 = 0
    private var left = 0
    /// Whether the data ran out, and not only led to a marker inside.
    private(set) var isAtEnd = false

    init(position: Int) { self.position = position }

    /// The offset behind the last byte of which a bit was read.
    var end: Int { position }

    mutating func next(_ bytes: RawSpan) -> Int? {
        if left == 0 {
            guard position < bytes.byteCount else { return stop(true) }
            byte = bytes.byte(at: position)
            if byte == 0xFF {
                guard position + 1 < bytes.byteCount else { return stop(true) }
                guard bytes.byte(at: position + 1) == 0 else { return stop(false) }
                position += 1
            }
            position += 1
            left = 8
        }
        left -= 1
        return Int(byte >> left) & 1
    }

    private mutating func stop(_ isAtEnd: Bool) -> Int? {
        self.isAtEnd = isAtEnd
        return nil
    }

    mutating func skip(_ count: Int, _ bytes: RawSpan) -> Bool {
        for _ in 0..<count where next(bytes) == nil { return false }
        return true
    }

    /// Passes the bytes up to a restart, and the restart itself. Some cameras write a few bytes too
    /// many before it.
    mutating func passRestart(_ bytes: RawSpan) -> Bool {
        left = 0
        while true {
            position = bytes.firstOfFF(from: position)
            guard position + 1 < bytes.byteCount else {
                isAtEnd = true
                return false
            }
            let marker = bytes.byte(at: position + 1)
            position += 2
            if JPEGMarker.restarts.contains(marker) { return true }
            if marker == 0xFF { position -= 1 }
        }
    }
}
