internal import FrameStreamingCore

/// The settings with which FFmpeg opens an address, by their names there.
enum MediaSettings {
    static func opening(_ address: MediaAddress, _ options: MediaOptions) -> [(name: String, value: String)] {
        var settings = [("protocol_whitelist", address.protocols)]
        switch address.kind {
        case .file: break
        case .sequence:
            settings.append(("framerate", "\(options.playback.rate ?? .thirty)"))
        case .description: settings += live
        case .network:
            settings += live
            // A datagram that is lost leaves parts of other pictures in this one.
            if ["rtsp", "rtsps"].contains(MediaAddress.scheme(of: address.url)) {
                settings.append(("rtsp_flags", "prefer_tcp"))
            }
        }
        return settings
    }

    /// What is not kept back: packets for their order, and more than the first second of a stream
    /// to learn its properties.
    private static let live = [("fflags", "nobuffer"), ("max_delay", "0"), ("analyzeduration", "1000000")]
}
