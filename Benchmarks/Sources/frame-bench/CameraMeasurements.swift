/// What lies between a camera and the socket.
extension Measurements {
    /// A pair is a process of its own.
    func camera() throws -> [Criterion] {
        var encoding: [(Double, Double)] = []
        var passing: [(Double, Double)] = []
        for pair in 1...pairs {
            let encode = try Child.figures([
                "\(programs)/frame-bench", "camera-encode", "--clip", clip, "--frames", "\(max(frames / 10, 50))",
            ])
            encoding.append((try need("ourMicroseconds", encode), try need("referenceMicroseconds", encode)))
            let pass = try withReceivingEnd { address in
                try Child.figures([
                    "\(programs)/frame-bench", "pass-through", "--to", address, "--frames", "\(frames)",
                ])
            }
            passing.append((try need("userMicroseconds", pass), try need("copyMicroseconds", pass)))
            note(
                "camera \(pair): encode \(places(encoding[pair - 1].0)) us, by expanded rows \(places(encoding[pair - 1].1)) us (\(places(try need("ourBytes", encode))) and \(places(try need("referenceBytes", encode))) bytes); MJPG passes in \(places(passing[pair - 1].0)) us, a copy takes \(places(passing[pair - 1].1)) us"
            )
        }
        return [
            Criterion(
                "YUYV 1080p encoded: expanded to 4:4:4 rows for libjpeg", unit: "us a frame", encoding, wanted: 0.65,
                isCeiling: true),
            Criterion(
                "MJPG of 1 MB passed to TCP, user time: one memcpy of it", unit: "us a frame", passing, wanted: 1,
                isCeiling: true),
        ]
    }

    /// A process that takes frames without decoding them while `body` runs, which is given its address.
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
