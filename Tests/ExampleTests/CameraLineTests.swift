import Foundation
import Testing

@testable import ExampleSupport

/// The line of a camera, which needs no camera here: `Tests/CameraVM` has real ones.
@Suite struct CameraLineTests {
    @Test func everyKeyIsThereAndInTheSchema() throws {
        let line = CameraLine(
            path: "/dev/video0", stablePaths: ["/dev/v4l/by-id/a"], card: "a card", driver: "uvcvideo", bus: "usb-1",
            formats: [
                CameraLine.Format(
                    fourcc: "YUYV", name: "YUYV", description: "YUYV 4:2:2",
                    modes: [CameraLine.Mode(size: "640x480", rates: ["30"])]),
                CameraLine.Format(fourcc: "H264", name: nil, description: "H.264", modes: []),
            ],
            controls: [
                CameraLine.Control(
                    name: "brightness", type: "integer", minimum: -64, maximum: 64, defaultValue: 0, value: 3,
                    items: [:], isReadOnly: false, isInactive: true),
                CameraLine.Control(
                    name: "white balance", type: "menu", minimum: 0, maximum: 1, defaultValue: 0, value: nil,
                    items: ["0": "off", "1": "auto"], isReadOnly: true, isInactive: false),
            ])
        var object = try #require(
            try JSONSerialization.jsonObject(with: JSONEncoder().encode(line)) as? [String: Any])
        object["time"] = "2026-11-29T10:00:00.000Z"
        let data = try JSONSerialization.data(withJSONObject: object)
        let text = String(decoding: data, as: UTF8.self)
        #expect(try JSONSchema().faults(of: text) == [], "\(text)")
        let controls = try #require(object["controls"] as? [[String: Any]])
        #expect(controls[1]["value"] is NSNull && controls[0]["default"] as? Int == 0)
    }
}
