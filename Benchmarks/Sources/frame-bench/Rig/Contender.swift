/// A program that streams pictures from one process to another, and how its two ends are started.
struct Contender {
    enum Listener { case sender, receiver }

    let name: String
    let listener: Listener
    /// The command of an end, without address, rate and files.
    let sender: [String]
    let receiver: [String]

    static func ours(_ name: String = "ours", programs: String, _ options: [String] = [], receiver: [String] = [])
        -> Contender
    {
        Contender(
            name: name, listener: .receiver, sender: ["\(programs)/frame-bench", "stream-send"] + options,
            receiver: ["\(programs)/frame-bench", "stream-receive"] + receiver)
    }

    /// One of `Benchmarks/Peers/stream.py`.
    private static func peer(
        _ name: String, _ kind: String, python: String, script: String, listener: Listener = .receiver
    ) -> Contender {
        Contender(
            name: name, listener: listener, sender: [python, script, kind, "send"],
            receiver: [python, script, kind, "receive"])
    }

    /// Everything is sent in turn, and nothing is answered: what the rig must see failing.
    static func control(python: String, script: String) -> Contender {
        peer("FIFO without acks (control)", "fifo", python: python, script: script)
    }

    /// - Parameters: - python: A Python with OpenCV, imagezmq and vidgear; nil = none. - system: A
    ///   Python with GStreamer's bindings; nil = none.
    static func peers(python: String?, system: String?, hasFFmpeg: Bool, script: String) -> [Contender] {
        var result: [Contender] = []
        if let python {
            result += [
                peer("the tutorial's loop (OpenCV)", "tutorial", python: python, script: script),
                peer("imageZMQ REQ/REP", "imagezmq-reqrep", python: python, script: script),
                peer("imageZMQ PUB/SUB", "imagezmq-pubsub", python: python, script: script, listener: .sender),
                peer("VidGear NetGear REQ/REP", "netgear-reqrep", python: python, script: script),
                peer("VidGear NetGear PUB/SUB", "netgear-pubsub", python: python, script: script),
            ]
        }
        if let system {
            result += [
                peer("GStreamer tcpserversink", "gstreamer", python: system, script: script, listener: .sender),
                peer(
                    "GStreamer, recover-policy=latest", "gstreamer-latest", python: system, script: script,
                    listener: .sender),
            ]
        }
        if hasFFmpeg, let any = system ?? python {
            result.append(peer("FFmpeg mpjpeg", "ffmpeg", python: any, script: script))
        }
        return result
    }
}
