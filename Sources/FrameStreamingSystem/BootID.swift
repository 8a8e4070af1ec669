/// The kernel's random id of this boot. Two processes with the same id read the same
/// CLOCK_MONOTONIC. 16 zero bytes where the kernel does not provide it (proc(5),
/// /proc/sys/kernel/random/boot_id).
package let bootID: [UInt8] = {
    let unknown = [UInt8](repeating: 0, count: 16)
    guard let file = try? Descriptor.open("/proc/sys/kernel/random/boot_id"),
        let text = try? file.readAll(limit: 64)
    else { return unknown }
    var nibbles: [UInt8] = []
    for byte in text {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): nibbles.append(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): nibbles.append(byte - UInt8(ascii: "a") + 10)
        default: continue
        }
    }
    guard nibbles.count == 32 else { return unknown }
    return stride(from: 0, to: 32, by: 2).map { nibbles[$0] << 4 | nibbles[$0 + 1] }
}()
