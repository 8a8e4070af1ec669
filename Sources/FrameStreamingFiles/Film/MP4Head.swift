internal import FrameStreamingCore

/// The head of an MP4 file with one video: what kind of file it is, and what its frames are.
enum MP4Head {
    /// The boxes in front of the first fragment.
    static func bytes(for track: FilmTrack) -> [UInt8] {
        var brand = Array("iso5".utf8)
        brand.append(bigEndian: UInt32(512))
        brand += Array("iso5iso6mp41".utf8)
        return MP4Box.box("ftyp", brand) + movie(track)
    }

    /// Where `mvhd`, `tkhd` and `mdhd` state the duration, in eight bytes each.
    static func durationPlaces(in head: [UInt8]) -> [Int] {
        // In version 1: two times of eight bytes, then the timescale, or the track's number and a
        // reserved field, then the duration.
        [("mvhd", 20), ("tkhd", 24), ("mdhd", 20)].compactMap { name, distance in
            let name = Array(name.utf8)
            return head.indices.dropLast(4).first { head[$0..<$0 + 4].elementsEqual(name) }.map { $0 + 8 + distance }
        }
    }

    private static let matrix: [UInt8] = {
        var bytes: [UInt8] = []
        for value in [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x4000_0000] as [UInt32] { bytes.append(bigEndian: value) }
        return bytes
    }()

    /// Creation and modification, in seconds since 1904.
    private static func times(_ track: FilmTrack) -> [UInt8] {
        var bytes: [UInt8] = []
        let seconds = UInt64(clamping: track.start.seconds &+ 2_082_844_800)
        bytes.append(bigEndian: seconds)
        bytes.append(bigEndian: seconds)
        return bytes
    }

    private static func movie(_ track: FilmTrack) -> [UInt8] {
        var header = times(track)
        header.append(bigEndian: MP4Writer.timescale)
        header.append(bigEndian: UInt64(0))
        // Rate 1, volume 1, and the number of the next track.
        header.append(bigEndian: UInt32(0x10000))
        header.append(bigEndian: UInt16(0x100))
        header += [UInt8](repeating: 0, count: 10) + matrix + [UInt8](repeating: 0, count: 24)
        header.append(bigEndian: UInt32(2))
        var defaults: [UInt8] = []
        for value in [1, 1, 0, 0, 0] as [UInt32] { defaults.append(bigEndian: value) }
        return MP4Box.box(
            "moov",
            MP4Box.full("mvhd", version: 1, header)
                + MP4Box.box("trak", trackHeader(track) + MP4Box.box("mdia", media(track)))
                + MP4Box.box("mvex", MP4Box.full("trex", defaults)) + MP4Box.box("udta", notes(track)))
    }

    private static func trackHeader(_ track: FilmTrack) -> [UInt8] {
        var bytes = times(track)
        bytes.append(bigEndian: UInt32(1))
        bytes.append(bigEndian: UInt32(0))
        bytes.append(bigEndian: UInt64(0))
        bytes += [UInt8](repeating: 0, count: 16) + matrix
        bytes.append(bigEndian: UInt32(clamping: track.width) << 16)
        bytes.append(bigEndian: UInt32(clamping: track.height) << 16)
        // Enabled, and part of the film.
        return MP4Box.full("tkhd", version: 1, flags: 3, bytes)
    }

    private static func media(_ track: FilmTrack) -> [UInt8] {
        var header = times(track)
        header.append(bigEndian: MP4Writer.timescale)
        header.append(bigEndian: UInt64(0))
        // The language "und".
        header += [0x55, 0xC4, 0, 0]
        let none = [UInt8](repeating: 0, count: 4)
        let handler = none + Array("vide".utf8) + none + none + none + [0]
        let reference = MP4Box.full("dref", [0, 0, 0, 1] + MP4Box.full("url ", flags: 1, []))
        let tables =
            MP4Box.full("stsd", [0, 0, 0, 1] + MP4SampleEntry.bytes(for: track)) + MP4Box.full("stts", none)
            + MP4Box.full("stsc", none) + MP4Box.full("stsz", none + none) + MP4Box.full("stco", none)
        return MP4Box.full("mdhd", version: 1, header) + MP4Box.full("hdlr", handler)
            + MP4Box.box(
                "minf",
                MP4Box.full("vmhd", flags: 1, none + none) + MP4Box.box("dinf", reference)
                    + MP4Box.box("stbl", tables))
    }

    /// The stream's name, the start with its fraction of a second, and the program.
    private static func notes(_ track: FilmTrack) -> [UInt8] {
        let none = [UInt8](repeating: 0, count: 4)
        func note(_ name: [UInt8], _ text: String) -> [UInt8] {
            let content = MP4Box.box("data", [0, 0, 0, 1] + none + Array(text.utf8))
            var bytes: [UInt8] = []
            bytes.append(bigEndian: UInt32(truncatingIfNeeded: content.count + 8))
            return bytes + name + content
        }
        // The names begin with a copyright sign in Latin-1.
        var list = note([0xA9] + Array("day".utf8), track.start.text)
        list += note([0xA9] + Array("too".utf8), FilmTrack.writer)
        if let title = track.title { list += note([0xA9] + Array("nam".utf8), title) }
        let handler = none + Array("mdirappl".utf8) + none + none + [0]
        return MP4Box.full("meta", MP4Box.full("hdlr", handler) + MP4Box.box("ilst", list))
    }
}
