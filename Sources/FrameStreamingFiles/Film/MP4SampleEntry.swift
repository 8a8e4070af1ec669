internal import FrameStreamingCore

/// What an MP4 file says about the compression of its frames.
enum MP4SampleEntry {
    static func bytes(for track: FilmTrack) -> [UInt8] {
        switch track.coding {
        // The object type 0x6C of MPEG-4 Systems.
        case .jpeg: MP4Box.box("mp4v", shape(track) + MP4Box.full("esds", jpegDescriptor))
        case .h264(let configuration):
            MP4Box.box("avc1", shape(track) + MP4Box.box("avcC", configuration.record) + colour(track))
        case .vp8: MP4Box.box("vp08", shape(track) + vpConfiguration(track, profile: 0))
        case .vp9(let profile): MP4Box.box("vp09", shape(track) + vpConfiguration(track, profile: profile))
        }
    }

    private static func shape(_ track: FilmTrack) -> [UInt8] {
        var bytes: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 1] + [UInt8](repeating: 0, count: 16)
        bytes.append(bigEndian: UInt16(clamping: track.codedWidth))
        bytes.append(bigEndian: UInt16(clamping: track.codedHeight))
        // 72 dots an inch.
        bytes.append(bigEndian: UInt32(0x48_0000))
        bytes.append(bigEndian: UInt32(0x48_0000))
        bytes += [0, 0, 0, 0, 0, 1] + [UInt8](repeating: 0, count: 32)
        return bytes + [0, 24, 0xFF, 0xFF]
    }

    private static let jpegDescriptor: [UInt8] = {
        let none = [UInt8](repeating: 0, count: 11)
        let decoder: [UInt8] = [0x04, 13, 0x6C, 0x11] + none
        let layer: [UInt8] = [0x06, 1, 2]
        return [0x03, UInt8(3 + decoder.count + layer.count), 0, 1, 0] + decoder + layer
    }()

    /// Primaries and transfer are not known.
    private static func colour(_ track: FilmTrack) -> [UInt8] {
        MP4Box.box(
            "colr", Array("nclx".utf8) + [0, 2, 0, 2, 0, track.matrixNumber, track.range == .full ? 0x80 : 0])
    }

    /// VPCodecConfigurationRecord of "VP Codec ISO Media File Format Binding".
    private static func vpConfiguration(_ track: FilmTrack, profile: UInt8) -> [UInt8] {
        let depth: UInt8 = profile >= 2 ? 10 : 8
        // 4:2:0 beside the luma samples, or 4:4:4.
        let chroma: UInt8 = profile % 2 == 0 ? 1 : 3
        let (pixels, overflow) = track.width.multipliedReportingOverflow(by: track.height)
        let level = levels.first { !overflow && pixels <= $0.mostPixels }?.number ?? 62
        return MP4Box.full(
            "vpcC", version: 1,
            [
                profile, level, depth << 4 | chroma << 1 | (track.range == .full ? 1 : 0), 2, 2,
                track.matrixNumber, 0, 0,
            ])
    }

    /// VP9's levels by the pixels of a picture.
    private static let levels: [(mostPixels: Int, number: UInt8)] = [
        (36_864, 10), (73_728, 11), (122_880, 20), (245_760, 21), (552_960, 30), (983_040, 31), (2_228_224, 41),
        (8_912_896, 52),
    ]
}
