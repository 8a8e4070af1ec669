import Foundation
import FrameStreamingCamera
import FrameStreamingCore
import FrameStreamingSystem

extension CameraChecks {
    /// Holds three pictures while the driver lets go of the device and takes it again.
    static func replug(_ path: String, driver: String, device: String) throws {
        let camera = try open(path)
        let granted = camera.granted
        var held: [Frame] = []
        while held.count < 3 { held.append(try camera.picture()) }
        let sums = held.map(\.checksum)
        try check(camera.statistics.copiedOut == 0, "the pictures are the driver's buffers")
        try check(try mappings(of: path) == granted.bufferCount, "\(try mappings(of: path)) buffers are mapped")
        try check(try descriptors(of: path) == 1, "the node is open once")

        try write(device, to: "\(driver)/unbind")
        var lost: FrameStreamingError?
        while lost == nil {
            if case .lost(let error) = try camera.event() { lost = error }
        }
        print("lost while \(held.count) pictures are held: \(lost.map { "\($0)" } ?? "")")
        try check(held.map(\.checksum) == sums, "the held bytes changed when the camera went away")
        try check(try mappings(of: path) == 0, "\(try mappings(of: path)) mappings keep the dead node")
        try check(try descriptors(of: path) == 0, "a descriptor keeps the dead node")
        // One picture is released while its device is gone.
        held.removeLast()

        try write(device, to: "\(driver)/bind")
        while true {
            if case .restored = try camera.event() { break }
        }
        try check(camera.granted == granted, "it came back as \(camera.granted), not \(granted)")
        try check(camera.statistics.reopens >= 1, "it was opened again")
        for _ in 0..<20 { _ = try camera.picture() }
        try check(held.map(\.checksum) == Array(sums.prefix(2)), "the held bytes changed when the camera was back")
        try check(try mappings(of: path) == granted.bufferCount, "the new buffers are mapped, each once")
        // The last holder is another thread, as with a sender's encoders.
        let rest = Monitor(held)
        held = []
        let thread = try SystemThread(name: "holder") { rest.withLock { $0 = [] } }
        try check(thread.join(until: monotonicNow() + 60_000_000_000), "the last holder lets go")
        for _ in 0..<20 { _ = try camera.picture() }
        camera.close()
        print("back with \(camera.statistics.frames) pictures and \(camera.statistics.reopens) reopening")
    }

    /// How many memory mappings of the node this process has.
    private static func mappings(of path: String) throws -> Int {
        guard let data = try FileHandle(forReadingAtPath: "/proc/self/maps")?.readToEnd() else {
            throw Failure(description: "/proc/self/maps cannot be read")
        }
        return String(decoding: data, as: UTF8.self).split(separator: "\n").count { $0.contains(path) }
    }

    /// How many open descriptors of the node it has. The link of a removed node ends in
    /// a note: `/dev/video0 (deleted)`.
    private static func descriptors(of path: String) throws -> Int {
        let folder = "/proc/self/fd"
        return try FileManager.default.contentsOfDirectory(atPath: folder).count {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)"))?.hasPrefix(path) == true
        }
    }

    private static func write(_ text: String, to path: String) throws {
        guard let file = FileHandle(forWritingAtPath: path) else {
            throw Failure(description: "\(path) cannot be written")
        }
        try file.write(contentsOf: Data(text.utf8))
    }
}
