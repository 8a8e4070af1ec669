import FrameStreamingMedia

/// Sends a film or a camera of the network, whatever FFmpeg opens.
func send(_ path: String, to sender: FrameSender) throws {
    var options = MediaOptions()
    options.playback.loop = true
    options.onEvent = { print($0) }
    var source = try MediaSource(path: path, options: options)
    try sender.run(&source)
}
