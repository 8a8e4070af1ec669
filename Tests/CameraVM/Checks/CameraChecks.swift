import FrameStreamingCamera
import FrameStreamingCore
import Glibc

/// Checks of the camera module against a real driver that the example programs do not cover:
/// `camera-checks CHECK [ARGUMENT...]`.
///
/// cases.py runs these in the virtual machine. A check prints what it saw on standard output; the
/// exit status is 1 if a condition does not hold.
@main struct CameraChecks {
    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            switch (arguments.first, arguments.count) {
            case ("replug", 4): try replug(arguments[1], driver: arguments[2], device: arguments[3])
            case ("stamps", 3): try stamps(arguments[1], source: arguments[2])
            case ("starve", 2): try starve(arguments[1])
            case ("close", 2): try close(arguments[1])
            case ("controls", 2): try controls(arguments[1])
            default:
                print("camera-checks replug PATH DRIVER DEVICE | stamps PATH start|end | starve|close|controls PATH")
                exit(64)
            }
        } catch {
            print("failed: \(error)")
            exit(1)
        }
    }

    /// A camera of 640x360 YUYV that prints what happens to it.
    static func open(_ path: String) throws -> V4L2Camera {
        var options = V4L2CameraOptions()
        (options.width, options.height, options.pixelFormat) = (640, 360, .yuyv)
        options.onEvent = { print("\($0.kind): \($0)") }
        return try V4L2Camera(path: path, options: options)
    }
}

/// A condition that does not hold.
struct Failure: Error, CustomStringConvertible {
    let description: String
}

func check(_ condition: Bool, _ words: @autoclosure () throws -> String) throws {
    guard condition else { throw Failure(description: try words()) }
}

extension V4L2Camera {
    /// The next event; a minute without one is a failure, however slow the machine.
    func event() throws -> SourceEvent {
        guard let event = try next(until: .after(.seconds(60))) else { throw Failure(description: "the camera ended") }
        return event
    }

    /// The next picture, and nothing else.
    func picture() throws -> Frame {
        guard case .frame(let frame) = try event() else { throw Failure(description: "a picture, not a loss") }
        return frame
    }
}

extension Frame {
    /// FNV-1a of all bytes.
    var checksum: UInt64 {
        unsafe withUnsafeBytes { bytes in
            var sum: UInt64 = 0xCBF2_9CE4_8422_2325
            for index in 0..<bytes.count { sum = unsafe (sum ^ UInt64(bytes[index])) &* 0x100_0000_01B3 }
            return sum
        }
    }
}
