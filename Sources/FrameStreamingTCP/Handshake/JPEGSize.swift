internal import FrameStreamingCore

/// Reads the size of a JPEG from its frame header (ITU-T T.81, B.2.2), without decoding it. The
/// text handshake does not carry the size.
///
/// - Returns: Nil if there is no valid size. The decoder finds out what is wrong with the data
///   then.
func jpegSize(_ bytes: RawSpan) -> (width: Int, height: Int)? {
    func byte(_ index: Int) -> Int {
        // Every index below was checked against the count.
        Int(unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self))
    }
    guard bytes.byteCount >= 4, byte(0) == 0xFF, byte(1) == 0xD8 else { return nil }
    var index = 2
    while index + 4 <= bytes.byteCount {
        guard byte(index) == 0xFF else { return nil }
        let marker = byte(index + 1)
        if marker == 0xFF {
            // A fill byte (B.1.1.2).
            index += 1
            continue
        }
        // Markers without a length: TEM and RSTn.
        if marker == 0x01 || (0xD0...0xD7).contains(marker) {
            index += 2
            continue
        }
        // A scan or the end, before any frame header.
        if marker == 0xDA || marker == 0xD9 || marker == 0xD8 { return nil }
        let length = byte(index + 2) << 8 | byte(index + 3)
        guard length >= 2 else { return nil }
        // SOF0...SOF15, without DHT, JPG and DAC, whose codes lie among them.
        if (0xC0...0xCF).contains(marker), ![0xC4, 0xC8, 0xCC].contains(marker) {
            guard length >= 8, index + 9 <= bytes.byteCount else { return nil }
            let height = byte(index + 5) << 8 | byte(index + 6)
            let width = byte(index + 7) << 8 | byte(index + 8)
            return width > 0 && height > 0 ? (width, height) : nil
        }
        index += 2 + length
    }
    return nil
}
