/// The orientation of a JPEG, which its EXIF data state (CIPA DC-008, tag 0x0112).
///
/// A camera that is held upright stores its picture as the sensor sees it, and says here how to
/// turn it. Untrusted bytes are safe: what leads outside the segment counts as absent, and the work
/// is bounded by the segment's length.
package enum EXIFOrientation {
    /// Where the two bytes of the orientation are.
    private struct Place {
        var position: Int
        var isBigEndian: Bool
    }

    /// The turn that makes the picture upright; `none` where the JPEG states no orientation.
    package static func turn(of jpeg: RawSpan) -> PictureTurn {
        guard let place = place(in: jpeg) else { return .none }
        let value = number(jpeg, place.position, 2, place.isBigEndian)
        return PictureTurn(exifOrientation: value) ?? .none
    }

    /// States that the picture is upright, where the JPEG states an orientation.
    package static func setUpright(_ jpeg: inout MutableRawSpan) {
        guard let place = place(in: jpeg.bytes) else { return }
        jpeg.storeBytes(of: place.isBigEndian ? 0 : 1, toByteOffset: place.position, as: UInt8.self)
        jpeg.storeBytes(of: place.isBigEndian ? 1 : 0, toByteOffset: place.position + 1, as: UInt8.self)
    }

    private static func place(in jpeg: RawSpan) -> Place? {
        guard jpeg.byteCount >= 4, jpeg.byte(at: 0) == 0xFF, jpeg.byte(at: 1) == JPEGMarker.startOfImage else {
            return nil
        }
        var position = 2
        while true {
            // As decoders do: other bytes between two segments are skipped.
            position = jpeg.firstOfFF(from: position)
            guard position + 4 <= jpeg.byteCount else { return nil }
            let marker = jpeg.byte(at: position + 1)
            // Any number of FF bytes may precede a marker.
            if marker == 0xFF {
                position += 1
                continue
            }
            if marker == JPEGMarker.startOfScan || marker == JPEGMarker.endOfImage { return nil }
            let length = number(jpeg, position + 2, 2, true)
            guard JPEGMarker.hasSegment(marker), length >= 2 else {
                position += 2
                continue
            }
            guard position + 2 + length <= jpeg.byteCount else { return nil }
            let payload = position + 4..<position + 2 + length
            if marker == JPEGMarker.applications.lowerBound + 1, isEXIF(jpeg, payload) {
                return place(in: jpeg, tiff: payload.lowerBound + 6..<payload.upperBound)
            }
            position += 2 + length
        }
        return nil
    }

    private static func isEXIF(_ jpeg: RawSpan, _ payload: Range<Int>) -> Bool {
        // "Exif" and two zero bytes.
        payload.count >= 6 && number(jpeg, payload.lowerBound, 4, true) == 0x4578_6966
            && number(jpeg, payload.lowerBound + 4, 2, true) == 0
    }

    /// Finds the entry in the first directory (IFD0) of the TIFF structure.
    private static func place(in jpeg: RawSpan, tiff: Range<Int>) -> Place? {
        guard tiff.count >= 8 else { return nil }
        let order = number(jpeg, tiff.lowerBound, 2, true)
        guard order == 0x4949 || order == 0x4D4D else { return nil }
        let isBig = order == 0x4D4D
        guard number(jpeg, tiff.lowerBound + 2, 2, isBig) == 42 else { return nil }
        let directory = tiff.lowerBound + number(jpeg, tiff.lowerBound + 4, 4, isBig)
        guard directory + 2 <= tiff.upperBound else { return nil }
        for index in 0..<number(jpeg, directory, 2, isBig) {
            let entry = directory + 2 + 12 * index
            guard entry + 12 <= tiff.upperBound else { return nil }
            guard number(jpeg, entry, 2, isBig) == 0x0112 else { continue }
            // One number of 16 bits.
            guard number(jpeg, entry + 2, 2, isBig) == 3, number(jpeg, entry + 4, 4, isBig) == 1 else { return nil }
            return Place(position: entry + 8, isBigEndian: isBig)
        }
        return nil
    }

    /// Reads a number of at most four bytes, so that sums with it cannot overflow.
    private static func number(_ jpeg: RawSpan, _ position: Int, _ count: Int, _ isBigEndian: Bool) -> Int {
        var value = 0
        for index in 0..<count {
            value = value << 8 | Int(jpeg.byte(at: position + (isBigEndian ? index : count - 1 - index)))
        }
        return value
    }
}
