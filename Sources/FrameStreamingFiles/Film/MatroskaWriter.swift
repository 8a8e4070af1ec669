internal import FrameStreamingCore

/// Lays out a Matroska file (RFC 9559): each frame is a cluster of its own, with its own time in
/// microseconds.
///
/// A cluster states its size, so a player passes from one to the next without reading them, and one
/// that was not written whole is the last. The file's own size, its duration and the list of places
/// to enter (Cues) follow when the film ends. Until then the file is one of a live stream, which
/// players read to its end.
struct MatroskaWriter: FilmWriter {
    private struct Places: Hashable {
        var segmentSize: Int
        /// Where the segment's content begins, from which places in it count.
        var segment: Int
        var seekHead: Int
        var duration: Int
        var info: Int
        var tracks: Int
    }

    private var length = 0
    private var places: Places?
    private var keys = KeyPoints()

    /// Room for the list of the file's parts.
    private static let seekHeadCount = 80
    /// A name of two bytes, a size and eight bytes.
    private static let durationCount = 11

    mutating func lead(of sample: FilmSample, in track: FilmTrack) -> [UInt8] {
        var bytes = places == nil ? head(track) : []
        if sample.isKey { keys.add(sample.stamp, at: length + bytes.count) }
        // Track 1, at the cluster's own time, without lacing.
        let block: [UInt8] = [0x81, 0, 0, sample.isKey ? 0x80 : 0]
        let time = EBML.element(0xE7, number: UInt64(max(0, sample.stamp)))
        let lead = EBML.name(0xA3) + EBML.size(block.count + sample.byteCount) + block
        bytes += EBML.name(0x1F43_B675) + EBML.size(time.count + lead.count + sample.byteCount) + time + lead
        length += bytes.count + sample.byteCount
        return bytes
    }

    private mutating func head(_ track: FilmTrack) -> [UInt8] {
        var bytes = EBML.element(
            0x1A45_DFA3,
            EBML.element(0x4286, number: 1) + EBML.element(0x42F7, number: 1) + EBML.element(0x42F2, number: 4)
                + EBML.element(0x42F3, number: 8) + EBML.element(0x4282, text: "matroska")
                + EBML.element(0x4287, number: 4) + EBML.element(0x4285, number: 2))
        bytes += EBML.name(0x1853_8067)
        let segmentSize = bytes.count
        bytes += EBML.unknownSize
        let segment = bytes.count
        let seekHead = bytes.count
        bytes += EBML.void(Self.seekHeadCount)
        let info = bytes.count
        // Microseconds.
        let scale = EBML.element(0x2AD7B1, number: 1_000)
        let described = Self.description(of: track)
        let content = scale + EBML.void(Self.durationCount) + described
        bytes += EBML.element(0x1549_A966, content)
        let duration = bytes.count - described.count - Self.durationCount
        let tracks = bytes.count
        bytes += EBML.element(0x1654_AE6B, EBML.element(0xAE, Self.entry(of: track)))
        places = Places(
            segmentSize: segmentSize, segment: segment, seekHead: seekHead, duration: duration, info: info,
            tracks: tracks)
        return bytes
    }

    private static func description(of track: FilmTrack) -> [UInt8] {
        // Nanoseconds since the start of 2001.
        var date: [UInt8] = []
        date.append(bigEndian: track.start.nanoseconds &- 978_307_200_000_000_000)
        return EBML.element(0x4461, date) + (track.title.map { EBML.element(0x7BA9, text: $0) } ?? [])
            + EBML.element(0x4D80, text: FilmTrack.writer) + EBML.element(0x5741, text: FilmTrack.writer)
    }

    private static func entry(of track: FilmTrack) -> [UInt8] {
        // Number, identifier, "video", no lacing.
        var bytes =
            EBML.element(0xD7, number: 1) + EBML.element(0x73C5, number: 1) + EBML.element(0x83, number: 1)
            + EBML.element(0x9C, number: 0)
        switch track.coding {
        case .jpeg: bytes += EBML.element(0x86, text: "V_MJPEG")
        case .h264(let configuration):
            bytes += EBML.element(0x86, text: "V_MPEG4/ISO/AVC") + EBML.element(0x63A2, configuration.record)
        case .vp8: bytes += EBML.element(0x86, text: "V_VP8")
        case .vp9: bytes += EBML.element(0x86, text: "V_VP9")
        }
        var video = EBML.element(0x9A, number: 2)
        video += EBML.element(0xB0, number: UInt64(track.codedWidth))
        video += EBML.element(0xBA, number: UInt64(track.codedHeight))
        if track.codedWidth > track.width { video += EBML.element(0x54DD, number: 1) }
        if track.codedHeight > track.height { video += EBML.element(0x54AA, number: 1) }
        // A JPEG says itself what its colours are.
        if track.coding != .jpeg {
            let range = EBML.element(0x55B9, number: track.range == .full ? 2 : 1)
            video += EBML.element(0x55B0, EBML.element(0x55B1, number: UInt64(track.matrixNumber)) + range)
        }
        return bytes + EBML.element(0xE0, video)
    }

    func ending(duration: Int64) -> FilmEnding {
        guard let places else { return FilmEnding(tail: [], patches: []) }
        let cues = EBML.element(
            0x1C53_BB6B,
            keys.points.flatMap { point -> [UInt8] in
                let place =
                    EBML.element(0xF7, number: 1)
                    + EBML.element(0xF1, number: UInt64(point.offset - places.segment))
                return EBML.element(
                    0xBB, EBML.element(0xB3, number: UInt64(max(0, point.stamp))) + EBML.element(0xB7, place))
            })
        let parts: [(id: UInt32, place: Int)] = [
            (0x1549_A966, places.info), (0x1654_AE6B, places.tracks), (0x1C53_BB6B, length),
        ]
        var seekHead = EBML.element(
            0x114D_9B74,
            parts.flatMap { part in
                EBML.element(
                    0x4DBB,
                    EBML.element(0x53AB, EBML.name(part.id))
                        + EBML.element(0x53AC, number: UInt64(part.place - places.segment)))
            })
        seekHead += EBML.void(Self.seekHeadCount - seekHead.count)
        return FilmEnding(
            tail: cues,
            patches: [
                FilmEnding.Patch(offset: places.seekHead, bytes: seekHead),
                FilmEnding.Patch(offset: places.duration, bytes: EBML.element(0x4489, fraction: Double(duration))),
                FilmEnding.Patch(
                    offset: places.segmentSize, bytes: EBML.longSize(length + cues.count - places.segment)),
            ])
    }
}
