internal import FrameStreamingCore

/// What the segments of a JPEG before its first scan bring: enough to refuse a picture that would borrow the
/// quantization tables of whatever its handle decoded before, and one that is no picture.
struct TablesBeforeScan {
    private(set) var hasFrame = false
    private(set) var hasQuantization = false

    /// Walks from segment to segment (T.81, B.1.1.4). Stops at the first scan, at the end, or at bytes that are no
    /// segment: what is wrong with those is TurboJPEG's to say.
    init(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 4, unsafe bytes.byte(0) == 0xFF, unsafe bytes.byte(1) == 0xD8 else { return }
        var next = 2
        while next + 4 <= bytes.count {
            // Anything between segments is skipped, as libjpeg does with a warning; 0xFF may be repeated as fill.
            guard unsafe bytes.byte(next) == 0xFF, unsafe ![0x00, 0xFF].contains(bytes.byte(next + 1)) else {
                next += 1
                continue
            }
            let marker = unsafe bytes.byte(next + 1)
            switch marker {
            case 0xDB: hasQuantization = true
            case 0xC4, 0xC8, 0xCC: break
            case 0xC0...0xCF: hasFrame = true
            case 0xDA, 0xD9: return
            case 0x01, 0xD0...0xD8:
                next += 2
                continue
            default: break
            }
            unsafe next += 2 + max(2, Int(bytes.byte(next + 2)) << 8 | Int(bytes.byte(next + 3)))
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Checked in every build: what is walked here came from a network.
    fileprivate func byte(_ offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < count, "the walk left the JPEG")
        return unsafe self[offset]
    }
}
