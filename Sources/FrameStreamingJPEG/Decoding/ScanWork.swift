internal import FrameStreamingCore
internal import Glibc

/// The bounds of what one decode may cost, beside the bound of the picture's size.
struct ScanLimits: Hashable, Sendable {
    /// The largest number of scans.
    var scans: Int
    /// The largest number of samples that all scans together pass over.
    var samples: Int
    /// The largest width times height. A larger picture is refused for that, and its scans are not counted.
    var pixels: Int

    /// No bounds, for pictures that this codec wrote itself.
    static let none = ScanLimits(scans: .max, samples: .max, pixels: .max)
}

/// What a JPEG costs to decode, whatever the size of its file: the number of its scans, and the samples that they pass over.
///
/// A scan passes over every block of its components, also where it says nothing new of them. A progressive JPEG of 180 kB
/// with 490 scans of 67 million samples each decodes for 12 seconds. The picture's usual cost is one to three passes for
/// baseline, and 8 (4:2:0) to 14 (4:4:4) for libjpeg's standard progressive script of ten scans.
struct ScanWork: Hashable {
    /// Scans so far.
    private(set) var scans = 0
    /// Samples that these scans pass over.
    private(set) var samples = 0

    /// An arithmetic decoder takes about this many times what a Huffman decoder takes for a sample.
    private static let arithmeticWeight = 8

    /// One colour component of the frame header (ITU-T T.81, B.2.2).
    private struct Component {
        let identifier: UInt8
        let samples: Int
    }

    /// Counts the scans from the first one on, as libjpeg finds them (ITU-T T.81, B.1.1). Looks at each byte at most once, and
    /// stops as soon as `limits` are passed. A baseline picture that has all its components in its first scan has no second one
    /// that libjpeg would read, so its data are not looked at.
    ///
    /// - Parameters:
    ///   - frame: The segment of the first frame header, as its marker and the offsets of its parameters.
    ///   - firstScan: The offset of the first SOS marker.
    init(
        _ bytes: UnsafeRawBufferPointer, frame: (marker: UInt8, range: Range<Int>), firstScan: Int, limits: ScanLimits
    ) {
        // libjpeg refuses a frame header that is not whole.
        guard let components = unsafe Self.components(bytes, frame.range, mostPixels: limits.pixels) else { return }
        let isProgressive = frame.marker & 0x03 == 2
        let weight = frame.marker >= 0xC9 ? Self.arithmeticWeight : 1
        var next = firstScan
        while next + 4 <= bytes.count {
            guard unsafe bytes[next] == 0xFF, unsafe Self.hasSegment(bytes[next + 1]) else {
                if unsafe bytes[next] == 0xFF, unsafe bytes[next + 1] == 0xD9 { return }
                next = unsafe Self.firstOfFF(bytes, from: next + 1)
                continue
            }
            let marker = unsafe bytes[next + 1]
            let end = unsafe next + 2 + max(2, Int(bytes[next + 2]) << 8 | Int(bytes[next + 3]))
            if marker == 0xDA, end <= bytes.count {
                let count = unsafe takeScan(bytes, next + 4..<end, components, weight)
                if scans > limits.scans || samples > limits.samples { return }
                if !isProgressive, scans == 1, count == components.count { return }
            }
            next = end
        }
    }

    /// Adds one scan. Returns the number of its components.
    private mutating func takeScan(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ components: [Component], _ weight: Int
    ) -> Int {
        scans += 1
        guard range.count >= 1 else { return 0 }
        let count = unsafe Int(bytes[range.lowerBound])
        guard range.count >= 1 + 2 * count else { return 0 }
        for index in 0..<count {
            let identifier = unsafe bytes[range.lowerBound + 1 + 2 * index]
            // Two components of one name are told apart by libjpeg; the larger is the safe side.
            let largest = components.reduce(0) { $1.identifier == identifier ? max($0, $1.samples) : $0 }
            samples = samples &+ largest * weight
        }
        return count
    }

    /// Whether a marker begins a segment with a length. The others are stuffing, fill bytes, restarts, and those that libjpeg
    /// refuses; the end of the image is asked for apart.
    private static func hasSegment(_ marker: UInt8) -> Bool {
        switch marker {
        case 0x00...0xBF, 0xD0...0xD9, 0xFF: false
        default: true
        }
    }

    /// Nil where the header is not whole, and where the picture has more than `mostPixels`.
    private static func components(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, mostPixels: Int
    ) -> [Component]? {
        guard range.upperBound <= bytes.count, range.count >= 6 else { return nil }
        func byte(_ index: Int) -> Int { unsafe Int(bytes[range.lowerBound + index]) }
        let (height, width, count) = (byte(1) << 8 | byte(2), byte(3) << 8 | byte(4), byte(5))
        guard count > 0, range.count == 6 + 3 * count, width * height <= mostPixels else { return nil }
        let factors = (0..<count).map { (across: byte(7 + 3 * $0) >> 4, down: byte(7 + 3 * $0) & 15) }
        let largest = factors.reduce((across: 1, down: 1)) { (max($0.across, $1.across), max($0.down, $1.down)) }
        return factors.enumerated().map { index, factor in
            // Whole blocks of 8x8: at most 65,535 x 65,535 x 255 components, which Int has room for.
            func blocks(_ side: Int, _ own: Int, _ most: Int) -> Int { (side * own + 8 * most - 1) / (8 * most) }
            return Component(
                identifier: UInt8(byte(6 + 3 * index)),
                samples: 64 * blocks(width, factor.across, largest.across) * blocks(height, factor.down, largest.down))
        }
    }

    /// The offset of the next FF at or behind `start`, or the end.
    ///
    /// Unsafe code: memchr gets the start and the length of what is left of the same memory.
    private static func firstOfFF(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        guard start < bytes.count, let base = bytes.baseAddress else { return bytes.count }
        guard let found = unsafe memchr(base + start, 0xFF, bytes.count - start) else { return bytes.count }
        return unsafe base.distance(to: UnsafeRawPointer(found))
    }

    /// Refuses what is beyond `limits`.
    ///
    /// - Throws: `limitExceeded`, which names the limit.
    func check(_ limits: ScanLimits) throws(FrameStreamingError) {
        guard scans <= limits.scans else {
            throw FrameStreamingError(
                .limitExceeded,
                "the JPEG has more than \(limits.scans) scans, which this codec does not decode: encode it as baseline or with fewer scans, or raise maximumScans if the picture is meant"
            )
        }
        guard samples <= limits.samples else {
            throw FrameStreamingError(
                .limitExceeded,
                "the JPEG's \(scans) scans pass over more than the \(limits.samples) samples that this codec takes: encode it as baseline or with fewer scans, or raise maximumScannedSamples if the picture is meant"
            )
        }
    }
}
