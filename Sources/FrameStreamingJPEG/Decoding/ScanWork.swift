internal import FrameStreamingCore
internal import Glibc

/// The cost of decoding a JPEG, whatever its file size: the number of its scans, and the samples
/// that they cover.
///
/// A scan covers every block of its components, even where it adds nothing to them. A progressive
/// JPEG of 180 kB with 490 scans of 67 million samples each decodes for 12 seconds. The usual cost
/// is one to three passes over the image for baseline, and 8 (4:2:0) to 14 (4:4:4) for libjpeg's
/// standard progressive script of ten scans.
struct ScanWork: Hashable {
    /// Scans so far.
    private(set) var scans = 0
    /// Samples that these scans cover.
    private(set) var samples = 0

    /// An arithmetic decoder takes about this many times as long per sample as a Huffman decoder.
    private static let arithmeticWeight = 8

    /// One colour component of the frame header (ITU-T T.81, B.2.2).
    private struct Component {
        let identifier: UInt8
        let samples: Int
    }

    /// Counts the scans from the first one on, as libjpeg finds them (ITU-T T.81, B.1.1). Reads
    /// each byte at most once, and stops as soon as `limits` are exceeded.
    ///
    /// libjpeg reads no second scan of a baseline image that has all its components in the first,
    /// so the data of such an image are not searched.
    ///
    /// - Parameters:
    ///   - frame: The segment of the first frame header, as its marker and the offsets of its
    ///     parameters.
    ///   - firstScan: The offset of the first SOS marker.
    init(
        _ bytes: UnsafeRawBufferPointer, frame: (marker: UInt8, range: Range<Int>), firstScan: Int, limits: ScanLimits
    ) {
        // libjpeg refuses an incomplete frame header.
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

    /// Adds one scan, and returns the number of its components.
    private mutating func takeScan(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ components: [Component], _ weight: Int
    ) -> Int {
        scans += 1
        guard range.count >= 1 else { return 0 }
        let count = unsafe Int(bytes[range.lowerBound])
        guard range.count >= 1 + 2 * count else { return 0 }
        for index in 0..<count {
            let identifier = unsafe bytes[range.lowerBound + 1 + 2 * index]
            // libjpeg distinguishes two components of one name. Counting the larger one is safe.
            let largest = components.reduce(0) { $1.identifier == identifier ? max($0, $1.samples) : $0 }
            samples = samples &+ largest * weight
        }
        return count
    }

    /// Whether a marker begins a segment with a length. The others are stuffing, fill bytes,
    /// restarts, and markers that libjpeg refuses; the caller checks for the end of the image.
    private static func hasSegment(_ marker: UInt8) -> Bool {
        switch marker {
        case 0x00...0xBF, 0xD0...0xD9, 0xFF: false
        default: true
        }
    }

    /// Nil for an incomplete header, and for more than `mostPixels` pixels.
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
            // Whole blocks of 8x8: at most 65,535 x 65,535 x 255 components, which fits Int.
            func blocks(_ side: Int, _ own: Int, _ most: Int) -> Int { (side * own + 8 * most - 1) / (8 * most) }
            return Component(
                identifier: UInt8(byte(6 + 3 * index)),
                samples: 64 * blocks(width, factor.across, largest.across) * blocks(height, factor.down, largest.down))
        }
    }

    /// Returns the offset of the next FF at or behind `start`, or the end.
    ///
    /// Unsafe code: memchr gets the start and the length of the remaining part of the same memory.
    private static func firstOfFF(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        guard start < bytes.count, let base = bytes.baseAddress else { return bytes.count }
        guard let found = unsafe memchr(base + start, 0xFF, bytes.count - start) else { return bytes.count }
        return unsafe base.distance(to: UnsafeRawPointer(found))
    }

    /// Refuses a JPEG beyond `limits`.
    ///
    /// - Throws: `limitExceeded`, which names the limit.
    func check(_ limits: ScanLimits) throws(FrameStreamingError) {
        guard scans <= limits.scans else {
            throw FrameStreamingError(
                .limitExceeded,
                "the JPEG has more than \(limits.scans) scans, which is this codec's limit: encode it as baseline or with fewer scans, or raise maximumScans to accept the picture",
                limit: .scans)
        }
        guard samples <= limits.samples else {
            throw FrameStreamingError(
                .limitExceeded,
                "the JPEG's \(scans) scans pass over more than the \(limits.samples) samples of this codec's limit: encode it as baseline or with fewer scans, or raise maximumScannedSamples to accept the picture",
                limit: .scans)
        }
    }
}
