import FrameStreamingTesting

@testable import FrameStreamingCamera
@testable import FrameStreamingCore

/// Returns a YUYV image of 16x8 pixels whose bytes are all `value`.
func yuyv(_ value: UInt8) -> [[UInt8]] { [[UInt8](repeating: value, count: 256)] }

extension V4L2Camera {
    /// Returns the next event within `milliseconds` of the scripted clock; nil if there was none.
    func event(_ milliseconds: Int = 50) throws(FrameStreamingError) -> SourceEvent? {
        do throws(FrameStreamingError) {
            return try next(until: .at(clock.now.advanced(by: .milliseconds(milliseconds))))
        } catch {
            if error.code == .timedOut { return nil }
            throw error
        }
    }

    /// Returns the next Frame; nil if there was none, or another event.
    func frame(_ milliseconds: Int = 50) throws(FrameStreamingError) -> Frame? {
        guard case .frame(let frame) = try event(milliseconds) else { return nil }
        return frame
    }
}

extension Frame {
    var all: [UInt8] { unsafe withUnsafeBytes { unsafe Array($0) } }
    var address: UInt { unsafe withUnsafeBytes { UInt(bitPattern: $0.baseAddress) } }
    var firstByte: UInt8 { unsafe withUnsafeBytes { unsafe $0[0] } }
}

extension SourceEvent {
    var words: String {
        switch self {
        case .frame(let frame): "frame \(frame.firstByte)"
        case .lost(let error): "lost \(error.code)"
        case .restored: "restored"
        case .damaged(let count, let error): "damaged \(count) \(error.code)"
        }
    }
}

func code(of body: () throws -> Void) -> FrameStreamingError.Code? {
    do {
        try body()
        return nil
    } catch { return (error as? FrameStreamingError)?.code }
}
