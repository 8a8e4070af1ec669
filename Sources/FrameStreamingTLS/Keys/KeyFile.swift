internal import COpenSSL
internal import FrameStreamingCore

/// A key file's text: a line with the version, and lines of `name=value`.
///
/// ```
/// frame-streaming-key 1
/// identity=front-door
/// key=9f0c...  (64 hexadecimal digits, or 44 characters of base64)
/// role=sender
/// streams=door, gate
/// ```
///
/// Empty lines and lines that begin with `#` are passed over. The parser works on bytes, and copies
/// the key only into memory for secrets.
enum KeyFile {
    static let firstLine = "frame-streaming-key 1"
    /// Far more than any key file has.
    static let mostBytes = 64 << 10

    /// - Throws: `malformedInput` with the line and what to do, never with the line's text: it could
    ///   be the key.
    static func parse(_ bytes: [UInt8]) throws(FrameStreamingError) -> PreSharedKey {
        var fields = Fields()
        var hasVersion = false
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            let line = line.trimmed
            if line.isEmpty || line.first == UInt8(ascii: "#") { continue }
            if !hasVersion {
                guard line.elementsEqual(firstLine.utf8) else {
                    throw malformed("its first line must be '\(firstLine)': make the file with PreSharedKey.generate")
                }
                hasVersion = true
                continue
            }
            guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else {
                throw malformed("line \(index + 1) must have the form name=value")
            }
            try fields.take(line[..<equals].trimmed, line[(equals + 1)...].trimmed, line: index + 1)
        }
        guard hasVersion else { throw malformed("it is empty: its first line must be '\(firstLine)'") }
        guard let secret = fields.secret else { throw malformed("the line key= is missing") }
        guard let identity = fields.identity else { throw malformed("the line identity= is missing") }
        do throws(FrameStreamingError) {
            return try PreSharedKey(identity: identity, role: fields.role, streams: fields.streams, secret: secret)
        } catch {
            throw malformed(error.message)
        }
    }

    /// The file's bytes, which the caller must ``cleanse(_:)``.
    static func format(_ key: PreSharedKey) -> [UInt8] {
        var bytes: [UInt8] = []
        // Once: a smaller array that is left behind would keep its bytes.
        bytes.reserveCapacity(mostBytes)
        bytes += "\(firstLine)\nidentity=\(key.identity)\nkey=".utf8
        func append(digit: UInt8) { bytes.append(digit < 10 ? 48 + digit : 87 + digit) }
        unsafe key.secret.withBytes { secret in
            for index in 0..<secret.count {
                append(digit: unsafe secret[index] >> 4)
                append(digit: unsafe secret[index] & 15)
            }
        }
        bytes.append(10)
        if let role = key.role { bytes += "role=\(role.rawValue)\n".utf8 }
        if let streams = key.streams { bytes += "streams=\(streams.joined(separator: ", "))\n".utf8 }
        return bytes
    }

    fileprivate static func malformed(_ what: String) -> FrameStreamingError {
        FrameStreamingError(.malformedInput, "this is no usable key file: \(what)")
    }
}

/// The values of the lines so far.
private struct Fields {
    var identity: String?
    var role: PreSharedKey.Role?
    var streams: [String]?
    var secret: KeySecret?

    mutating func take(
        _ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>, line: Int
    ) throws(FrameStreamingError) {
        func once(_ isNew: Bool) throws(FrameStreamingError) {
            if !isNew { throw KeyFile.malformed("line \(line) gives the same a second time") }
        }
        switch String(decoding: name.prefix(16), as: UTF8.self) {
        case "identity":
            try once(identity == nil)
            identity = try text(value, line: line)
        case "key":
            try once(secret == nil)
            guard let key = KeyText.decode(value) else {
                throw KeyFile.malformed(
                    "the key in line \(line) must be \(KeySecret.byteCount) bytes, as 64 hexadecimal digits or 44 characters of base64"
                )
            }
            secret = key
        case "role":
            try once(role == nil)
            guard let value = PreSharedKey.Role(rawValue: try text(value, line: line)) else {
                throw KeyFile.malformed("the role in line \(line) must be sender or receiver")
            }
            role = value
        case "streams":
            try once(streams == nil)
            streams = try text(value, line: line).split(separator: ",", omittingEmptySubsequences: false).map(\.trimmed)
        default:
            // A limit that is passed over would permit more than the file says.
            throw KeyFile.malformed("line \(line) has an unknown name: identity, key, role and streams are known")
        }
    }

    private func text(_ bytes: ArraySlice<UInt8>, line: Int) throws(FrameStreamingError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw KeyFile.malformed("line \(line) is not UTF-8")
        }
        return text
    }
}

/// A key as text.
enum KeyText {
    /// Decodes 64 hexadecimal digits, or 44 characters of base64, into memory for secrets; nil for
    /// anything else.
    static func decode(_ text: ArraySlice<UInt8>) -> KeySecret? {
        let isHexadecimal = text.count == 2 * KeySecret.byteCount
        guard isHexadecimal || text.count == 44 else { return nil }
        return try? KeySecret { room in
            isHexadecimal ? decodeHexadecimal(text, into: &room) : decodeBase64(text, into: &room)
        }
    }

    private static func decodeHexadecimal(_ text: ArraySlice<UInt8>, into room: inout MutableRawSpan) -> Bool {
        func digit(_ byte: UInt8) -> UInt8? {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
            default: nil
            }
        }
        for index in 0..<room.byteCount {
            let place = text.startIndex + 2 * index
            guard let high = digit(text[place]), let low = digit(text[place + 1]) else { return false }
            room.storeBytes(of: high << 4 | low, toByteOffset: index, as: UInt8.self)
        }
        return true
    }

    /// 32 bytes are 42 characters, one of which the lowest two bits are 0, and one `=`.
    private static func decodeBase64(_ text: ArraySlice<UInt8>, into room: inout MutableRawSpan) -> Bool {
        func sextet(_ byte: UInt8) -> UInt32? {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
            case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a") + 26)
            case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0") + 52)
            case UInt8(ascii: "+"): 62
            case UInt8(ascii: "/"): 63
            default: nil
            }
        }
        guard text.last == UInt8(ascii: "=") else { return false }
        var bits: UInt32 = 0
        var count = 0
        var filled = 0
        for byte in text.dropLast() {
            guard let value = sextet(byte) else { return false }
            bits = bits << 6 | value
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            guard filled < room.byteCount else { return false }
            room.storeBytes(of: UInt8(truncatingIfNeeded: bits >> UInt32(count)), toByteOffset: filled, as: UInt8.self)
            filled += 1
        }
        return filled == room.byteCount && bits & ((1 << UInt32(count)) - 1) == 0
    }
}

extension ArraySlice<UInt8> {
    /// Without spaces, tabs and carriage returns at both ends.
    fileprivate var trimmed: ArraySlice<UInt8> {
        let isSpace: (UInt8) -> Bool = { $0 == 32 || $0 == 9 || $0 == 13 }
        guard let first = firstIndex(where: { !isSpace($0) }), let last = lastIndex(where: { !isSpace($0) }) else {
            return []
        }
        return self[first...last]
    }
}
