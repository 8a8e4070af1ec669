internal import CLinux
internal import Glibc

/// A driver's buffer that is mapped into this process.
///
/// Unsafe code, safe because: the address range stays mapped from the mmap that made it until
/// ``unmap()``, which the ring that owns it calls once (BufferRing.swift).
@safe struct BufferMapping: @unchecked Sendable {
    private let start: UnsafeMutableRawPointer
    let length: Int

    @unsafe init(start: UnsafeMutableRawPointer, length: Int) {
        unsafe self.start = start
        self.length = length
    }

    @unsafe var bytes: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(start: start, count: length)
    }

    func unmap() { _ = unsafe munmap(start, length) }

    /// Replaces the driver's memory by this process's own, with the same bytes at the same address.
    /// A reader of the buffer notices nothing, and this mapping no longer keeps the node open.
    ///
    /// mremap replaces the mapping under the lock that page faults take. A reader on another thread
    /// sees the old page or the new one, and never a missing one. Returns false if there is no
    /// memory; the old mapping stays then.
    func detach() -> Bool {
        let copy = unsafe mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let copy = unsafe copy, unsafe copy != MAP_FAILED else { return false }
        unsafe copy.copyMemory(from: start, byteCount: length)
        if unsafe fs_replace_mapping(start, copy, UInt(length)) == 0 { return true }
        _ = unsafe munmap(copy, length)
        return false
    }
}
