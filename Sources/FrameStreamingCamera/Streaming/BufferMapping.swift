internal import CLinux
internal import Glibc

/// A driver's buffer in our address space.
///
/// Unsafe code, safe because: the address range is mapped from the mmap that made it until ``unmap()``, which the ring that owns it
/// calls once (BufferRing.swift).
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

    /// Puts memory of our own with the same bytes at the same address: who reads there notices nothing, and the driver's node
    /// is held by nothing of ours any more.
    ///
    /// mremap replaces the old mapping under the lock that page faults take, so a reader on another thread sees the old or the new page and
    /// never none. Returns false where the system has no memory: the old mapping stays then.
    func detach() -> Bool {
        let copy = unsafe mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let copy = unsafe copy, unsafe copy != MAP_FAILED else { return false }
        unsafe copy.copyMemory(from: start, byteCount: length)
        if unsafe fs_replace_mapping(start, copy, UInt(length)) == 0 { return true }
        _ = unsafe munmap(copy, length)
        return false
    }
}
