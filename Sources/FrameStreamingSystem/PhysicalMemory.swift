internal import Glibc

/// Returns the bytes of memory that this process may use: the machine's, or the limit of its
/// control group if that is less (cgroups(7), version 2).
package func physicalMemory() -> Int {
    let pages = sysconf(CInt(_SC_PHYS_PAGES))
    let (machine, overflow) = pages.multipliedReportingOverflow(by: sysconf(CInt(_SC_PAGESIZE)))
    let known = pages > 0 && !overflow ? machine : .max
    // In a container this is the file of its own group. `max`, which is not a number, means no
    // limit.
    guard let file = try? Descriptor.open("/sys/fs/cgroup/memory.max"), let text = try? file.readAll(limit: 64),
        let limit = Int(String(decoding: text.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)), limit > 0
    else { return known }
    return min(known, limit)
}
