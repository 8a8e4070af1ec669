import FrameStreamingCamera
import FrameStreamingCore
import FrameStreamingSystem

extension CameraChecks {
    /// A consumer that keeps everything: the driver never starves, and what is held never changes.
    static func starve(_ path: String) throws {
        let camera = try open(path)
        defer { camera.close() }
        var held: [Frame] = []
        var sums: [UInt64] = []
        while held.count < camera.granted.bufferCount * 3 {
            let picture = try camera.picture()
            held.append(picture)
            sums.append(picture.checksum)
        }
        let copied = camera.statistics.copiedOut
        try check(copied >= held.count - camera.granted.bufferCount, "\(copied) of \(held.count) were copied out")
        try check(held.map(\.checksum) == sums, "a held picture changed")
        try check(Set(held.map(\.sequence)).count == held.count, "each picture is another")
        held = []
        for _ in 0..<20 { _ = try camera.picture() }
        try check(camera.statistics.copiedOut == copied, "with all buffers back, pictures are the driver's again")
        print("\(copied) of \(sums.count) held pictures were copied")
    }

    /// `close()` from another thread ends the wait, the camera is free
    /// at once, and what is held stays.
    static func close(_ path: String) throws {
        let camera = try open(path)
        let kept = Monitor<Frame?>(nil)
        let count = Monitor(0)
        let reader = try SystemThread(name: "reader") {
            while let event = try? camera.next(until: .never) {
                if case .frame(let frame) = event { kept.withLock { $0 = frame } }
                count.update { $0 += 1 }
            }
        }
        let ran: Bool? = count.wait(until: monotonicNow() + 60_000_000_000) { $0 >= 10 ? true : nil }
        try check(ran == true, "pictures come")
        camera.close()
        try check(reader.join(until: monotonicNow() + 60_000_000_000), "close() ends the wait for a picture")
        guard let frame = kept.withLock(\.self) else { throw Failure(description: "no picture was kept") }
        let sum = frame.checksum
        let second = try open(path)
        defer { second.close() }
        for _ in 0..<10 { _ = try second.picture() }
        try check(frame.checksum == sum, "a picture of the closed camera changed")
        print("free at once, with a picture of the first session still held")
    }

    /// List, get and set, of each kind that vivid has.
    static func controls(_ path: String) throws {
        let camera = try open(path)
        defer { camera.close() }
        let names = Dictionary(grouping: camera.controls(), by: \.kind)
        for kind in [CameraControl.Kind.integer, .boolean, .menu, .button] {
            try check(names[kind]?.isEmpty == false, "vivid has controls of the kind \(kind)")
        }
        for (name, value, number) in [
            ("brightness", "99", 99), ("horizontal_flip", "1", 1), ("horizontal_flip", "0", 0),
            ("test_pattern", "3", 3),
            ("gain", "7", 7), ("brightness", "128", 128),
        ] {
            try camera.set(CameraControlSetting(name: name, value: value))
            try check(try camera.value(ofControl: name) == number, "\(name) is \(value)")
        }
        // Gain can be set by hand only while automatic gain is off, so the camera switched it off.
        try check(try camera.value(ofControl: "gain_automatic") == 0, "the automatic mode is off")
        for (setting, code) in [
            (CameraControlSetting(name: "nonsense", value: "1"), FrameStreamingError.Code.invalidArgument),
            (CameraControlSetting(name: "brightness", value: "100000"), .invalidArgument),
        ] {
            do {
                try camera.set(setting)
                throw Failure(description: "\(setting) was taken")
            } catch let error as FrameStreamingError {
                try check(error.code == code, "\(setting): \(error)")
            }
        }
        for (name, value) in [("test_pattern", "1"), ("gain_automatic", "1")] {
            try camera.set(CameraControlSetting(name: name, value: value))
        }
        for _ in 0..<5 { _ = try camera.picture() }
        print("\(camera.controls().count) controls")
    }
}
