internal import Glibc

/// The error of a system call: the call's name and its errno.
package struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    package let call: String
    package let code: CInt

    package init(_ call: String, code: CInt) {
        self.call = call
        self.code = code
    }

    /// The kernel's description of `code`, without the call.
    package var reason: String {
        var buffer = [CChar](repeating: 0, count: 256)
        // The XSI form of strerror_r: it fills the buffer up to its given size, and ends it with a
        // zero.
        return unsafe buffer.withUnsafeMutableBufferPointer { room in
            guard let start = room.baseAddress, unsafe strerror_r(code, start, room.count) == 0 else {
                return "error \(code)"
            }
            return unsafe String(cString: start)
        }
    }

    package var description: String { "\(call): \(reason) (errno \(code))" }
}

/// Repeats `call` until it is not interrupted, and turns -1 into a typed error. The only function
/// that handles EINTR.
package func retryingInterrupts(_ name: StaticString, _ call: () -> CInt) throws(SystemError) -> CInt {
    try repeating(name, call)
}

/// Does the same for calls that count bytes. Two functions, because other modules would call a
/// generic one without specialisation, several times per frame.
package func retryingInterrupts(_ name: StaticString, _ call: () -> Int) throws(SystemError) -> Int {
    try repeating(name, call)
}

@inline(__always)
private func repeating<Result: SignedInteger>(
    _ name: StaticString, _ call: () -> Result
) throws(SystemError) -> Result {
    while true {
        let result = call()
        if result != -1 { return result }
        let code = errno
        if code != EINTR { throw SystemError("\(name)", code: code) }
    }
}
