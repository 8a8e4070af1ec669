/// What lies between a camera and the socket.
extension Measurements {
    /// A pair is a process of its own, which takes ours and the reference by turns.
    var camera: [RowGroup] {
        let encoding = Question(
            "YUYV 1080p encoded: expanded to 4:4:4 rows for libjpeg", unit: "us a frame", wanted: 0.65, isCeiling: true)
        let passing = Question(
            "MJPG of 1 MB passed to TCP, user time: one memcpy of it", unit: "us a frame", wanted: 1, isCeiling: true)
        return [
            RowGroup([encoding]) { pair in
                let encode = try Child.figures([
                    "\(programs)/frame-bench", "camera-encode", "--clip", clip, "--frames", "\(max(frames / 10, 50))",
                ])
                let both = (try need("ourMicroseconds", encode), try need("referenceMicroseconds", encode))
                note(
                    "camera \(pair): encode \(places(both.0)) us, by expanded rows \(places(both.1)) us (\(places(try need("ourBytes", encode))) and \(places(try need("referenceBytes", encode))) bytes)"
                )
                return [both]
            },
            RowGroup([passing]) { pair in
                let pass = try withReceivingEnd { address in
                    try Child.figures([
                        "\(programs)/frame-bench", "pass-through", "--to", address, "--frames", "\(frames)",
                    ])
                }
                let both = (try need("userMicroseconds", pass), try need("copyMicroseconds", pass))
                note("camera \(pair): MJPG passes in \(places(both.0)) us, a copy takes \(places(both.1)) us")
                return [both]
            },
        ]
    }

    /// A process that takes frames without decoding them while `body`
    /// runs, which is given its address.
    private func withReceivingEnd<Value>(_ body: (String) throws -> Value) throws -> Value {
        let receiver = try Child(["\(programs)/frame-bench", "transport-receive", "--level", Level.pipeline.rawValue])
        guard let first = try receiver.line(), let port = numbers(in: first)["port"] else {
            throw Failure("the receiving end did not say its port")
        }
        let value = try body("127.0.0.1:\(Int(port))")
        _ = try receiver.finish()
        return value
    }
}
