import CV4L2
import FrameStreamingSystem
import FrameStreamingTesting
import Glibc
import TestThreads
import Testing

@testable import FrameStreamingCamera
@testable import FrameStreamingCore

/// Stalls, unplugging and replugging, on a scripted clock.
@Suite(.ownThread(atOnce: 4)) struct RecoveryTests {
    /// Returns the camera's events within `duration`.
    private func events(_ camera: V4L2Camera, for duration: Duration) throws -> [String] {
        let end = camera.clock.now.advanced(by: duration)
        var words: [String] = []
        while camera.clock.now < end {
            if let event = try camera.event() { words.append(event.words) }
        }
        return words
    }

    // MARK: Stalls

    @Test func aStallRestartsAndThenReopensTheCamera() throws {
        let video = FakeVideo()
        let camera = try video.camera()
        video.deliver(.frame(yuyv(1)))
        #expect(try camera.frame()?.firstByte == 1)
        #expect(try events(camera, for: .milliseconds(1900)) == [])
        #expect(camera.statistics.restarts == 0)
        #expect(try events(camera, for: .milliseconds(200)) == [])
        #expect(camera.statistics.restarts == 1)
        #expect(camera.statistics.reopens == 0)
        #expect(try events(camera, for: .milliseconds(2100)) == ["lost sourceLost"])
        #expect(video.state.withLock { $0.open.isEmpty })
        video.deliver(.frame(yuyv(2)))
        #expect(try events(camera, for: .milliseconds(300)) == ["restored", "frame 2"])
        #expect(camera.statistics.reopens == 1)
    }

    @Test func theFirstPictureMayTakeLonger() throws {
        let video = FakeVideo()
        let camera = try video.camera()
        #expect(try events(camera, for: .milliseconds(5900)) == [])
        #expect(camera.statistics.restarts == 0)
        _ = try events(camera, for: .milliseconds(200))
        #expect(camera.statistics.restarts == 1)
    }

    @Test func aSlowCameraIsNotStalled() throws {
        let video = FakeVideo()
        video.node { node in node.changeInterval = { _ in v4l2_fract(numerator: 2, denominator: 1) } }
        let camera = try video.camera()
        video.deliver(.frame(yuyv(1)))
        #expect(try camera.frame()?.firstByte == 1)
        #expect(try events(camera, for: .seconds(15)) == [])
        #expect(camera.statistics.restarts == 0)
    }

    @Test func onlyDamagedFramesAreAStall() throws {
        let video = FakeVideo()
        let camera = try video.camera()
        video.deliver(.frame(yuyv(1)))
        #expect(try camera.frame()?.firstByte == 1)
        for _ in 0..<30 {
            video.deliver(.frame(yuyv(1), flags: 0x2040))
            _ = try events(camera, for: .milliseconds(100))
        }
        #expect(camera.statistics.restarts == 1)
        #expect(camera.statistics.errorBuffers >= 20)
    }

    @Test func aRestartKeepsHeldFrames() throws {
        let video = FakeVideo()
        let camera = try video.camera()
        video.deliver(.frame(yuyv(1)))
        var held = try camera.frame()
        _ = try events(camera, for: .milliseconds(2100))
        #expect(camera.statistics.restarts == 1)
        #expect(video.node { $0.queued.count } == 4)
        #expect(held?.firstByte == 1)
        held = nil
        #expect(video.node { $0.queued.count } == 5)
    }

    // MARK: Back-off

    @Test func attemptsToFindALostCameraBecomeRarer() throws {
        let video = FakeVideo()
        let seen = Monitor<[(CameraEvent.Kind, Int64)]>([])
        let camera = try video.camera { options in
            options.onEvent = { event in seen.withLock { $0.append((event.kind, video.clock.now.nanoseconds)) } }
        }
        video.node { $0.isGone = true }
        #expect(try events(camera, for: .seconds(30)) == ["lost sourceLost"])
        let looks = seen.withLock { $0.filter { $0.0 == .lost || $0.0 == .stillLost }.map(\.1) }
        let waits = zip(looks.dropFirst(), looks).map { ($0 - $1) / 1_000_000 }
        #expect(Array(waits.prefix(7)) == [250, 500, 1000, 2000, 4000, 5000, 5000])
        video.node { $0.isGone = false }
        video.deliver(.frame(yuyv(1)))
        #expect(try events(camera, for: .seconds(6)).prefix(2) == ["restored", "frame 1"])
        #expect(seen.withLock { $0.contains { $0.0 == .restored } })
    }

    @Test func aCameraThatFailsAgainIsReportedLostOnce() throws {
        let video = FakeVideo()
        let camera = try video.camera { $0.waitsForLostCamera = true }
        video.node { node in
            node.failures[fs_VIDIOC_STREAMON] = [CInt](repeating: ENOSPC, count: 3)
            node.inbox = [.failure(ENODEV)]
        }
        #expect(try events(camera, for: .seconds(1)) == ["lost sourceLost"])
        video.deliver(.failure(ENODEV))
        #expect(try events(camera, for: .seconds(10)) == [])
        video.deliver(.frame(yuyv(1)))
        #expect(try events(camera, for: .seconds(10)).prefix(2) == ["restored", "frame 1"])
    }

    @Test func withoutWaitingALostCameraThrows() throws {
        let video = FakeVideo()
        let camera = try video.camera { $0.waitsForLostCamera = false }
        video.node { $0.isGone = true }
        let error = #expect(throws: FrameStreamingError.self) { try camera.event() }
        #expect(error?.code == .sourceLost)
        #expect(error?.message.contains("plug it in") == true)
        #expect(try camera.next(until: .never) == nil)
    }

    @Test func closingEndsTheSearch() throws {
        let video = FakeVideo()
        let camera = try video.camera()
        video.node { $0.isGone = true }
        #expect(try camera.event()?.words == "lost sourceLost")
        camera.close()
        #expect(try camera.next(until: .never) == nil)
    }

    // MARK: Unplug and replug

    @Test func heldFramesDoNotKeepADeviceOpen() throws {
        let video = FakeVideo()
        let camera = try video.camera()
        video.deliver(.frame(yuyv(7)))
        var held = try camera.frame()
        video.node { $0.isGone = true }
        #expect(try camera.event()?.words == "lost sourceLost")
        #expect(video.state.withLock { $0.open.isEmpty })
        video.node { node in
            let junk = [UInt8](repeating: 0xEE, count: 4096 * 5)
            _ = unsafe junk.withUnsafeBytes { unsafe pwrite(node.memory?.raw ?? -1, $0.baseAddress, $0.count, 0) }
        }
        #expect(held?.all == yuyv(7)[0])
        // The camera is back with new buffers; the old one is never queued in the new session.
        video.node { $0.isGone = false }
        video.deliver(.frame(yuyv(8)))
        #expect(try events(camera, for: .milliseconds(400)) == ["restored", "frame 8"])
        #expect(video.node { $0.queued.count } == 5)
        held = nil
        #expect(video.node { $0.queued.count } == 5)
    }

    @Test func theSameCameraUnderAnotherNumberIsFound() throws {
        let video = FakeVideo()
        let camera = try video.camera()
        let twin = video.node { $0 }
        video.node { $0.isGone = true }
        #expect(try camera.event()?.words == "lost sourceLost")
        // Another camera has the old number; one of the same name is at another port.
        video.state.withLock { state in
            var other = FakeNode()
            other.card = "Another Camera"
            state.nodes["/dev/video0"] = other
            var sister = FakeNode()
            sister.bus = "usb-fake-2"
            state.nodes["/dev/video1"] = sister
        }
        #expect(try events(camera, for: .seconds(1)) == [])
        #expect(video.state.withLock { $0.open.isEmpty })
        video.state.withLock { state in
            // Its metadata node, and a second capture node of the same device.
            var metadata = twin
            metadata.flags = Int32(V4L2_CAP_META_CAPTURE) | V4L2_CAP_STREAMING
            state.nodes["/dev/video2"] = metadata
            var second = twin
            second.index = 2
            state.nodes["/dev/video3"] = second
            state.nodes["/dev/video4"] = twin
            state.nodes["/dev/video4"]?.queued = []
        }
        video.deliver(.frame(yuyv(9)), to: "/dev/video4")
        #expect(try events(camera, for: .seconds(3)).prefix(2) == ["restored", "frame 9"])
        #expect(video.state.withLock { Set($0.open.values) } == ["/dev/video4"])
    }

    @Test func aLinkByIDFollowsTheDeviceToAnotherPort() throws {
        let video = FakeVideo()
        let link = "/dev/v4l/by-id/usb-fake"
        video.state.withLock { $0.links = [link: "/dev/video0"] }
        let camera = try video.camera(link)
        video.state.withLock { state in
            state.nodes["/dev/video0"]?.isGone = true
            var moved = FakeNode()
            moved.bus = "usb-fake-7"
            state.nodes["/dev/video5"] = moved
            state.links[link] = "/dev/video5"
        }
        video.deliver(.frame(yuyv(3)), to: "/dev/video5")
        #expect(try events(camera, for: .seconds(1)).prefix(3) == ["lost sourceLost", "restored", "frame 3"])
    }

    @Test func numbersContinueAcrossAReplug() throws {
        let video = FakeVideo()
        let camera = try video.camera()
        video.deliver(.frame(yuyv(1), sequence: 500))
        let first = try #require(try camera.frame())
        video.deliver(.failure(ENODEV))
        #expect(try camera.event()?.words == "lost sourceLost")
        video.deliver(.frame(yuyv(2), sequence: 0))
        _ = try events(camera, for: .milliseconds(260))
        video.deliver(.frame(yuyv(3), sequence: 1))
        let next = try #require(try camera.frame())
        #expect(next.sequence > first.sequence)
        #expect(camera.statistics.driverDrops == 0)
    }

    // MARK: Signals

    @Test func aChangedSignalChangesTheFormat() throws {
        let video = FakeVideo()
        video.node { node in
            node.hasTimings = true
            node.signal = (32, 16)
            node.formats = [FakeNode.Format(fourcc: "GREY", sizes: .continuous(minimum: (1, 1), maximum: (99, 99)))]
        }
        let camera = try video.camera()
        video.deliver(.frame([[UInt8](repeating: 1, count: 512)]))
        #expect(try camera.frame()?.format.width == 32)
        // The driver reports a change, but the signal is the same.
        video.node { $0.sourceChanges = 1 }
        _ = try events(camera, for: .milliseconds(100))
        #expect(camera.statistics.reopens == 0)
        video.node { ($0.signal, $0.sourceChanges) = ((48, 24), 1) }
        #expect(try events(camera, for: .milliseconds(100)) == [])
        video.deliver(.frame([[UInt8](repeating: 1, count: 48 * 24)]))
        #expect(try camera.frame()?.format.width == 48)
        #expect(camera.granted.frame.height == 24)
        #expect(camera.statistics.reopens == 1)
        // The signal disappears and comes back.
        video.node { ($0.signal, $0.sourceChanges) = (nil, 1) }
        #expect(try events(camera, for: .seconds(2)) == ["lost sourceLost"])
        video.node { $0.signal = (32, 16) }
        video.deliver(.frame([[UInt8](repeating: 2, count: 512)]))
        #expect(try events(camera, for: .seconds(3)).prefix(2) == ["restored", "frame 2"])
    }
}
