internal import FrameStreamingCore

/// H.264's parameter sets as a film's head has them (AVCDecoderConfigurationRecord, ISO/IEC
/// 14496-15).
struct AVCConfiguration: Hashable, Sendable {
    private let sequences: [[UInt8]]
    private let pictures: [[UInt8]]

    /// Takes the sets from a key frame; nil = it has none, or more than a film's head can have.
    init?(_ units: [Range<Int>], of bytes: RawSpan) {
        var sets: (sequences: [[UInt8]], pictures: [[UInt8]]) = ([], [])
        for unit in units {
            let kind = bytes.byte(at: unit.lowerBound) & 0x1F
            guard kind == 7 || kind == 8 else { continue }
            let set = unsafe bytes.extracting(unit).withUnsafeBytes { unsafe [UInt8]($0) }
            guard set.count <= Int(UInt16.max) else { return nil }
            if kind == 7, !sets.sequences.contains(set) { sets.sequences.append(set) }
            if kind == 8, !sets.pictures.contains(set) { sets.pictures.append(set) }
        }
        guard (1...31).contains(sets.sequences.count), (1...255).contains(sets.pictures.count),
            sets.sequences[0].count >= 4
        else { return nil }
        (sequences, pictures) = sets
    }

    /// The record's bytes.
    var record: [UInt8] {
        let first = sequences[0]
        // Lengths have four bytes.
        var bytes: [UInt8] = [1, first[1], first[2], first[3], 0xFF, 0xE0 | UInt8(sequences.count)]
        for set in sequences {
            bytes.append(bigEndian: UInt16(set.count))
            bytes += set
        }
        bytes.append(UInt8(pictures.count))
        for set in pictures {
            bytes.append(bigEndian: UInt16(set.count))
            bytes += set
        }
        if [100, 110, 122, 144].contains(first[1]), let chroma = Chroma(first) {
            bytes += [0xFC | chroma.format, 0xF8 | chroma.lumaDepth, 0xF8 | chroma.chromaDepth, 0]
        }
        return bytes
    }

    /// What a sequence parameter set of the higher profiles says about its samples (7.3.2.1.1).
    private struct Chroma {
        var format: UInt8 = 0
        /// Bits above eight.
        var lumaDepth: UInt8 = 0
        var chromaDepth: UInt8 = 0

        /// Nil for what no set can have.
        init?(_ set: [UInt8]) {
            var bits = Bits(bytes: set, position: 32)
            guard bits.number() != nil, let format = bits.number(), format <= 3 else { return nil }
            if format == 3 { _ = bits.bit() }
            guard let luma = bits.number(), luma <= 6, let chroma = bits.number(), chroma <= 6 else { return nil }
            (self.format, lumaDepth, chromaDepth) = (UInt8(format), UInt8(luma), UInt8(chroma))
        }
    }

    /// Exponential Golomb codes (9.1). The few that are read here hold no emulation prevention.
    private struct Bits {
        let bytes: [UInt8]
        var position: Int

        mutating func bit() -> Int? {
            guard position < bytes.count * 8 else { return nil }
            defer { position += 1 }
            return Int(bytes[position / 8] >> UInt8(7 - position % 8) & 1)
        }

        mutating func number() -> Int? {
            var zeros = 0
            while let bit = bit() {
                guard bit == 0 else {
                    var value = 1
                    for _ in 0..<zeros {
                        guard let bit = self.bit() else { return nil }
                        value = value << 1 | bit
                    }
                    return value - 1
                }
                zeros += 1
                if zeros > 16 { return nil }
            }
            return nil
        }
    }
}
