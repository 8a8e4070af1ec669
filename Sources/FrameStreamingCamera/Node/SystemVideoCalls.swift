internal import CV4L2
package import FrameStreamingSystem
internal import Glibc

/// The video nodes of Linux, through libv4l2.
///
/// Unsafe code, safe because: pointers are passed on from callers that keep the contract
/// (VideoNode.swift), and paths and buffers live as long as the C call.
package struct SystemVideoCalls: VideoCalls {
    package init() {}

    package func open(_ path: String) throws(SystemError) -> CInt {
        try retryingInterrupts("open") { unsafe Glibc.open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC) }
    }

    package func adopt(_ descriptor: CInt) {
        // libv4l2's table holds 16 cameras. For others its calls go
        // straight to the kernel, which is enough.
        _ = v4l2_fd_open(descriptor, V4L2_DISABLE_CONVERSION)
    }

    package func close(_ descriptor: CInt) { _ = v4l2_close(descriptor) }

    @unsafe package func ioctl(_ descriptor: CInt, _ request: UInt, _ argument: UnsafeMutableRawPointer) -> CInt {
        unsafe fs_v4l2_ioctl(descriptor, request, argument)
    }

    @unsafe package func map(
        _ descriptor: CInt, length: Int, offset: Int
    ) throws(SystemError) -> UnsafeMutableRawPointer {
        let start = unsafe v4l2_mmap(nil, length, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, Int64(offset))
        guard let start = unsafe start, unsafe start != MAP_FAILED else { throw SystemError("mmap", code: errno) }
        return unsafe start
    }

    package func poll(
        _ descriptor: CInt, for events: Int16, until deadline: Int64?, wakeUp: WakeUp?
    ) throws(SystemError) -> Readiness {
        try wait(for: events, on: descriptor, until: deadline, wakeUp: wakeUp)
    }

    package func makeConverter(_ descriptor: CInt) -> (any FrameConverter)? { LibraryConverter(descriptor) }

    package func nodePaths() -> [String] {
        names(in: "/dev").compactMap { name -> (number: Int, path: String)? in
            guard name.hasPrefix("video"), let number = Int(name.dropFirst(5)) else { return nil }
            return (number, "/dev/\(name)")
        }.sorted { $0.number < $1.number }.map(\.path)
    }

    package func nodeIndex(_ path: String) -> Int? {
        guard let name = path.split(separator: "/").last,
            let file = try? Descriptor.open("/sys/class/video4linux/\(name)/index"),
            let bytes = try? file.readAll(limit: 16)
        else { return nil }
        return Int(
            String(decoding: bytes.filter { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }, as: UTF8.self))
    }

    package func stablePaths() -> [(link: String, node: String)] {
        ["/dev/v4l/by-id", "/dev/v4l/by-path"].flatMap { folder in
            names(in: folder).sorted().map { ("\(folder)/\($0)", resolve("\(folder)/\($0)")) }
        }
    }

    package func resolve(_ path: String) -> String {
        guard let resolved = unsafe realpath(path, nil) else { return path }
        // realpath allocated the string.
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    private func names(in folder: String) -> [String] {
        guard let directory = unsafe opendir(folder) else { return [] }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            // d_name is a zero-terminated string in the entry, which
            // is valid until the next readdir.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }
}
