internal import Glibc

/// Overwrites bytes that held a secret, which the compiler must not leave out.
///
/// Unsafe code: the call gets the pointer and the length of the same array.
package func cleanse(_ bytes: inout [UInt8]) {
    unsafe bytes.withUnsafeMutableBytes { room in
        if let start = room.baseAddress { unsafe explicit_bzero(start, room.count) }
    }
}
