/// Boxes of MP4 files (ISO/IEC 14496-12, 4.2).
enum MP4Box {
    static func box(_ name: String, _ content: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(bigEndian: UInt32(truncatingIfNeeded: content.count + 8))
        return bytes + Array(name.utf8) + content
    }

    /// A box with a version and flags.
    static func full(_ name: String, version: UInt8 = 0, flags: UInt32 = 0, _ content: [UInt8]) -> [UInt8] {
        var head: [UInt8] = []
        head.append(bigEndian: UInt32(version) << 24 | flags)
        return box(name, head + content)
    }
}
