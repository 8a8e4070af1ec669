internal import FrameStreamingCore

/// Lays out an MP4 file (ISO/IEC 14496-12): each frame is a fragment of its own, with its own time
/// in microseconds.
///
/// A fragment that was not written whole is the last, and players leave it out, if its head is whole.
/// The kernel writes page by page, so no head lies on two pages: FFmpeg would refuse the whole film.
/// The duration and the list of fragments to enter (mfra) follow when the film ends.
struct MP4Writer: FilmWriter {
    private struct Places: Hashable {
        /// Where eight bytes each state the duration.
        var durations: [Int]
    }

    private var length = 0
    private var places: Places?
    private var keys = KeyPoints()
    private var number: UInt32 = 0

    /// Ticks a second.
    static let timescale: UInt32 = 1_000_000
    /// The bytes of a page of memory, as on every machine that this runs on.
    private static let pageCount = 4_096
    /// The bytes of a moof.
    private static let fragmentCount = 100
    /// The usual time of a frame, for the last one, whose end is not known.
    private static let usualStep: Int64 = 33_333

    mutating func lead(of sample: FilmSample, in track: FilmTrack) -> [UInt8] {
        var bytes: [UInt8] = []
        if places == nil {
            bytes = MP4Head.bytes(for: track)
            places = Places(durations: MP4Head.durationPlaces(in: bytes))
        }
        let head = Self.fragmentCount + 8
        let place = (length + bytes.count) % Self.pageCount
        if place + head > Self.pageCount {
            bytes += MP4Box.box("free", [UInt8](repeating: 0, count: max(0, Self.pageCount - place - 8)))
        }
        if sample.isKey { keys.add(sample.stamp, at: length + bytes.count) }
        number &+= 1
        bytes += fragment(sample)
        bytes.append(bigEndian: UInt32(truncatingIfNeeded: sample.byteCount + 8))
        bytes += Array("mdat".utf8)
        length += bytes.count + sample.byteCount
        return bytes
    }

    private func fragment(_ sample: FilmSample) -> [UInt8] {
        var run: [UInt8] = []
        run.append(bigEndian: UInt32(1))
        // From the moof to behind the head of the mdat, which its own size decides: filled in below.
        run.append(bigEndian: UInt32(0))
        run.append(bigEndian: UInt32(clamping: sample.step ?? Self.usualStep))
        run.append(bigEndian: UInt32(truncatingIfNeeded: sample.byteCount))
        run.append(bigEndian: UInt32(sample.isKey ? 0x0200_0000 : 0x0101_0000))
        var header: [UInt8] = []
        header.append(bigEndian: UInt32(1))
        var time: [UInt8] = []
        time.append(bigEndian: UInt64(max(0, sample.stamp)))
        var sequence: [UInt8] = []
        sequence.append(bigEndian: number)
        // Data offset, duration, size and flags of each sample; offsets count from the moof.
        let traf = MP4Box.box(
            "traf",
            MP4Box.full("tfhd", flags: 0x020000, header) + MP4Box.full("tfdt", version: 1, time)
                + MP4Box.full("trun", flags: 0x000701, run))
        var moof = MP4Box.box("moof", MP4Box.full("mfhd", sequence) + traf)
        var offset: [UInt8] = []
        offset.append(bigEndian: UInt32(moof.count + 8))
        // The run is the last in the moof.
        moof.replaceSubrange(moof.count - 16..<moof.count - 12, with: offset)
        return moof
    }

    func ending(duration: Int64) -> FilmEnding {
        guard let places else { return FilmEnding(tail: [], patches: []) }
        var table: [UInt8] = []
        table.append(bigEndian: UInt32(1))
        // Numbers of traf, trun and sample in one byte each.
        table.append(bigEndian: UInt32(0))
        table.append(bigEndian: UInt32(keys.points.count))
        for point in keys.points {
            table.append(bigEndian: UInt64(max(0, point.stamp)))
            table.append(bigEndian: UInt64(point.offset))
            table += [1, 1, 1]
        }
        let entries = MP4Box.full("tfra", version: 1, table)
        var size: [UInt8] = []
        size.append(bigEndian: UInt32(entries.count + 8 + 16))
        var value: [UInt8] = []
        value.append(bigEndian: UInt64(max(0, duration)))
        return FilmEnding(
            tail: MP4Box.box("mfra", entries + MP4Box.full("mfro", size)),
            patches: places.durations.map { FilmEnding.Patch(offset: $0, bytes: value) })
    }
}
