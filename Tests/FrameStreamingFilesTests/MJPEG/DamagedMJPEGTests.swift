import FrameStreamingCore
import FrameStreamingFiles
import FrameStreamingSystem
import Testing

/// What is wrong inside one frame costs that frame, and the stream ends with its input.
@Suite struct DamagedMJPEGTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private let pictures = (0..<5).map { fakeJPEG(width: 17 + $0, tag: UInt8($0 + 1)) }
    /// The offsets of the segments in a picture, and of its data.
    private let segments = [2, 12, 81, 94, 100]
    private let data = 110

    /// The frames of an input, and how many were damaged.
    private func read(_ bytes: [UInt8], _ options: PlaybackOptions = .fast) throws -> (frames: [[UInt8]], damaged: Int)
    {
        var source = try EncodedFileSource(path: directory.file("a.mjpg", bytes), options: options)
        let (frames, error) = drain(&source)
        #expect(error == nil)
        return (frames.map(\.array), source.damagedFrameCount)
    }

    /// The pictures, one of them changed.
    private func stream(_ index: Int, _ change: (inout [UInt8]) -> Void) -> [UInt8] {
        var pictures = pictures
        change(&pictures[index])
        return pictures.flatMap { $0 }
    }

    @Test func `frames without their end get one`() throws {
        let none = try read(pictures.flatMap { $0.dropLast(2) })
        #expect(none.frames == pictures && none.damaged == 0)
        for index in pictures.indices {
            let one = try read(stream(index) { $0.removeLast(2) })
            #expect(one.frames == pictures && one.damaged == 0)
            let half = try read(stream(index) { $0.removeLast(1) })
            #expect(half.frames == pictures && half.damaged == 0)
        }
    }

    @Test func `what follows a frame without its end is no part of it`() throws {
        let header = Array("\r\n--frame-boundary\r\nContent-Type: image/jpeg\r\nContent-Length: 4711\r\n\r\n".utf8)
        let text = try read(pictures.flatMap { $0.dropLast(2) + header })
        #expect(text.frames == pictures && text.damaged == 0)
        let zeros = try read(pictures.flatMap { $0.dropLast(2) + [0, 0, 0, 0] })
        #expect(zeros.frames == pictures && zeros.damaged == 0)
    }

    @Test(arguments: [[0xFF, 0xD8], [0xFF, 0xD8, 0xFF, 0xD8], [0xFF, 0xD8, 0xFF, 0xFF], [0xFF, 0xFF]] as [[UInt8]])
    func `a start that is there twice is one`(start: [UInt8]) throws {
        let result = try read(pictures.flatMap { start + $0 })
        #expect(result.frames == pictures && result.damaged == 0)
    }

    @Test(arguments: [0xFE, 0xE3] as [UInt8])
    func `a segment of any bytes may end like the start of a frame`(marker: UInt8) throws {
        let comment: [UInt8] = [0xFF, marker, 0, 6, 1, 2, 0xFF, 0xD8]
        // Behind the first segment: what follows is not what frames begin with.
        let pictures = pictures.map { Array($0[..<segments[1]] + comment + $0[segments[1]...]) }
        let result = try read(pictures.flatMap { $0 })
        #expect(result.frames == pictures && result.damaged == 0)
    }

    /// Found by fuzzing: a table's length that ended within the next frame's start was believed or
    /// not, depending on how many bytes had arrived.
    @Test func `how the bytes arrive does not matter where a segment ends in the next start`() throws {
        let cut = Array(pictures[0][..<segments[2]]) + [0xFF, 0xDB, 0, 67] + [UInt8](repeating: 1, count: 62)
        for overlap in 0...4 {
            let bytes = cut + [UInt8](repeating: 1, count: 4 - overlap) + pictures[1]
            let whole = JPEGFrameWalk.walk(bytes, by: bytes.count)
            #expect(whole == JPEGFrameWalk.walk(bytes, by: 1), "\(overlap)")
        }
    }

    @Test func `a frame cut anywhere costs that frame`() throws {
        for index in [0, 2, 3] {
            // A cut behind FF D8 leaves nothing that tells it from a repeated start. At 6 the
            // segment's length is exactly that of the next picture's bytes up to a marker.
            for cut in 4..<pictures[index].count - 2 where cut != 6 {
                let result = try read(stream(index) { $0.removeLast($0.count - cut) })
                var whole = pictures
                whole.remove(at: index)
                #expect(result.frames == whole, "picture \(index) cut at \(cut)")
                #expect(result.damaged == 1, "picture \(index) cut at \(cut)")
            }
        }
    }

    @Test(arguments: [true, false]) func `a frame of a multipart is cut`(hasLength: Bool) throws {
        func part(_ picture: [UInt8], _ length: Int) -> [UInt8] {
            let line = hasLength ? "Content-Length: \(length)\r\n" : ""
            return Array("--b\r\nContent-Type: image/jpeg\r\n\(line)\r\n".utf8) + picture + Array("\r\n".utf8)
        }
        for cut in 4..<pictures[2].count - 2 {
            let bytes = pictures.enumerated().flatMap { index, picture in
                part(index == 2 ? Array(picture.prefix(cut)) : picture, picture.count)
            }
            let result = try read(bytes)
            #expect(result.frames == [0, 1, 3, 4].map { pictures[$0] } && result.damaged == 1, "cut at \(cut)")
        }
    }

    @Test(arguments: [1, 5, 608, 70_000]) func `bytes between segments stay in the frame`(count: Int) throws {
        // Directly behind SOI they would hide the start.
        for segment in segments.dropFirst() {
            var changed: [UInt8] = []
            let bytes = stream(2) {
                $0.insert(contentsOf: [UInt8](repeating: 0, count: count), at: segment)
                changed = $0
            }
            var expected = pictures
            expected[2] = changed
            let result = try read(bytes)
            #expect(result.frames == expected && result.damaged == 0, "in front of byte \(segment)")
        }
    }

    @Test(arguments: [0, 1, 2, 3, 40, 2000, 0xFFFF]) func `a wrong length costs one frame`(length: Int) throws {
        for segment in segments {
            let bytes = stream(2) {
                $0[segment + 2] = UInt8(length >> 8)
                $0[segment + 3] = UInt8(length & 255)
            }
            let result = try read(bytes)
            let others = result.frames.filter { $0.count == pictures[0].count && pictures.contains($0) }
            #expect(others.starts(with: [pictures[0], pictures[1]]) && others.suffix(2) == pictures.suffix(2))
            #expect(result.frames.count + result.damaged >= 5, "byte \(segment)")
        }
    }

    @Test func `a missing start costs one frame`() throws {
        for index in pictures.indices {
            let result = try read(stream(index) { $0.removeFirst(2 + 10) })
            var whole = pictures
            whole.remove(at: index)
            #expect(result.frames == whole && result.damaged == 1, "picture \(index)")
        }
    }

    @Test func `a beginning inside a frame's data costs that frame`() throws {
        let bytes = pictures.flatMap { $0 }
        for cut in 2..<pictures[0].count - 2 {
            let result = try read(Array(bytes[cut...]))
            #expect(result.frames == Array(pictures[1...]), "from byte \(cut)")
            #expect(result.damaged == 1, "from byte \(cut)")
        }
    }

    @Test func `a thumbnail is no frame, even in front of rubbish`() throws {
        let thumbnail = fakeJPEG(width: 8, tag: 9)
        let segment = [0xFF, 0xE1, 0, UInt8(thumbnail.count + 2)] + thumbnail
        let whole = pictures.map { $0.prefix(2) + segment + $0.dropFirst(2) }
        let clean = try read(whole.flatMap { $0 })
        #expect(clean.frames == whole.map(Array.init) && clean.damaged == 0)
        let dirty = pictures.map { $0.prefix(2) + segment + [0, 0, 0] + $0.dropFirst(2) }
        let result = try read(dirty.flatMap { $0 })
        #expect(result.frames == dirty.map(Array.init) && result.damaged == 0)
    }

    @Test func `any damage leaves the frames behind it`() throws {
        // As large as real ones, of which few bytes look like markers.
        let comment: [UInt8] = [0xFF, 0xFE, 5, 0] + [UInt8](repeating: 0x61, count: 0x4FE)
        let pictures = pictures.map { Array($0.prefix(12) + comment + $0.dropFirst(12)) }
        var unlucky = 0
        for seed in 0..<2000 {
            let random = noise(40, seed: seed).map(Int.init)
            var damaged = pictures[1]
            // All places where a fault can do something; the comment is harmless.
            let offset = (random[0] << 8 | random[1]) % (damaged.count - comment.count + 4)
            let place = offset < 16 ? offset : offset + comment.count - 4
            let end = min(damaged.count, place + 8)
            switch random[2] % 4 {
            case 0: damaged[place] = UInt8(random[3])
            case 1: damaged.insert(contentsOf: random[4..<4 + random[3] % 32].map(UInt8.init), at: place)
            case 2: damaged.removeSubrange(place..<min(damaged.count, place + random[3]))
            default: for index in place..<end { damaged[index] = UInt8(random[index - place + 4]) }
            }
            let result = try read(pictures[0] + damaged + pictures[2...].flatMap { $0 })
            #expect(result.frames.first == pictures[0])
            // A wrong length may lead over the next frames, if a marker happens to follow.
            if !result.frames.suffix(3).elementsEqual(pictures.suffix(3)) { unlucky += 1 }
        }
        #expect(unlucky < 20)
    }

    @Test func `one byte at a time finds the same frames`() throws {
        let bytes =
            pictures[0] + pictures[1].dropLast(40) + [0xFF, 0xD8] + pictures[2].dropLast(2) + [0, 0] + pictures[3]
        let pipe = try Pipe()
        let source = try EncodedFileSource(pipe.output, name: "pipe", options: .fast)
        var frames: [[UInt8]] = []
        var damaged = 0
        func take() throws {
            while true {
                do throws(FrameStreamingError) {
                    switch try source.next(until: .now) {
                    case .frame(let frame): frames.append(frame.array)
                    case .damaged(let count, _): damaged += count
                    default: return
                    }
                } catch {
                    // A damaged frame also ends the call that finds it at the deadline.
                    guard error.code == .timedOut else { throw error }
                    if source.damagedFrameCount == damaged { return }
                }
            }
        }
        for byte in bytes {
            try pipe.write([byte])
            try take()
        }
        pipe.close()
        try take()
        #expect(frames == [pictures[0], pictures[2], pictures[3]])
        #expect(damaged == 1 && source.damagedFrameCount == 1)
    }

    @Test func `a frame whose end never comes takes bounded memory`() throws {
        var options = PlaybackOptions.fast
        options.maximumFrameByteCount = 100_000
        let endless = pictures[1].prefix(data) + noise(3_000_000).map { $0 == 0xFF ? 1 : $0 }
        let result = try read(pictures[0] + endless + pictures[2] + endless + pictures[3], options)
        #expect(result.frames == [pictures[0], pictures[2], pictures[3]] && result.damaged == 2)
        var source = try EncodedFileSource(path: directory.file("b.mjpg", Array(endless)), options: options)
        #expect(drain(&source).error?.code == .limitExceeded)
    }

    @Test func `damage is reported at once, then every minute, and at the end`() throws {
        let clock = ScriptClock()
        var options = PlaybackOptions.fast
        options.clock = clock
        let cut = Array(pictures[0].dropLast(5))
        let bytes = pictures[0] + cut + pictures[1] + cut + cut + pictures[2] + cut + pictures[3]
        let source = try EncodedFileSource(path: directory.file("a.mjpg", bytes), options: options)
        var seen: [String] = []
        while let event = try source.next(until: .never) {
            switch event {
            case .frame(let frame):
                seen.append("frame \(frame.sequence)")
                if frame.sequence == 2 { clock.advance(by: .seconds(61)) }
            case .damaged(let count, let latest):
                seen.append("damaged \(count) \(latest.code)")
                #expect(latest.subject?.hasSuffix("a.mjpg") == true)
            default: Issue.record("\(event)")
            }
        }
        #expect(
            seen == [
                "frame 0", "damaged 1 truncatedInput", "frame 1", "frame 2", "damaged 2 truncatedInput", "frame 3",
                "damaged 1 truncatedInput",
            ])
        #expect(source.damagedFrameCount == 4)
        #expect(try source.next(until: .never) == nil)
    }

    @Test func `a loop goes on over damage`() throws {
        var source = try EncodedFileSource(
            path: directory.file("a.mjpg", pictures[0] + pictures[1].dropLast(9) + pictures[2]),
            options: .init(loop: true, pace: .maximum))
        let (frames, error) = drain(&source, limit: 6)
        #expect(error == nil && frames.map(\.array) == (0..<6).map { pictures[$0 % 2 * 2] })
    }

    @Test func `a cut last frame is counted like any other`() throws {
        let bytes =
            pictures[0] + pictures[1].dropLast(9) + pictures[2].dropLast(9) + pictures[3] + pictures[4].dropLast(9)
        let source = try EncodedFileSource(path: directory.file("a.mjpg", bytes), options: .fast)
        var events: [String] = []
        while let event = try source.next(until: .never) {
            switch event {
            case .frame(let frame): events.append("frame \(frame.sequence)")
            case .damaged(let count, _): events.append("damaged \(count)")
            default: events.append("?")
            }
        }
        #expect(events == ["frame 0", "damaged 1", "frame 1", "damaged 2"])
        #expect(try source.next(until: .never) == nil && source.damagedFrameCount == 3)
    }

    @Test func `JPEG-LS between other pictures is damage with its name`() throws {
        let lossless: [UInt8] =
            [0xFF, 0xD8, 0xFF, 0xFE, 0, 3, 65, 0xFF, 0xF7, 0, 11, 8, 0, 13, 0, 17, 1, 1, 0x11, 0]
            + [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 0, 0, 1, 2, 3, 0xFF, 0xD9]
        let mixed = try read(pictures[0] + lossless + pictures[1])
        #expect(mixed.frames == Array(pictures[..<2]) && mixed.damaged == 1)
        var alone = try EncodedFileSource(path: directory.file("a.mjpg", lossless), options: .fast)
        let error = try #require(drain(&alone).error)
        #expect(error.code == .unsupported && error.message.contains("JPEG-LS"), "\(error)")
    }

    @Test func `an input with nothing but damage is an error`() throws {
        var source = try EncodedFileSource(
            path: directory.file("a.mjpg", pictures.flatMap { $0.dropLast(9) } + [0]), options: .fast)
        let (frames, error) = drain(&source)
        #expect(frames.isEmpty && error?.code == .truncatedInput)
    }
}

extension JPEGFrameWalk {
    /// The verdict about the first frame, where so many bytes arrive at a time.
    fileprivate static func walk(_ bytes: [UInt8], by step: Int) -> String {
        var walk = JPEGFrameWalk(lastSize: nil)
        var count = 0
        while true {
            count = min(count + step, bytes.count)
            let verdict = walk.advance(
                over: unsafe bytes.span.bytes.extracting(0..<count), isLast: count == bytes.count)
            if case .incomplete = verdict { continue }
            return "\(verdict)"
        }
    }
}
