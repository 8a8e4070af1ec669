package import FrameStreaming

/// A camera for programs: the line `camera` of `frame-cameras --json`. The names are the device's.
package struct CameraLine: Encodable, Sendable {
    package struct Mode: Encodable, Sendable {
        let size: String
        let rates: [String]
    }

    package struct Format: Encodable, Sendable {
        let fourcc: String
        /// That of its frames; nil = they are not read natively.
        let name: String?
        let description: String
        let modes: [Mode]

        package func encode(to encoder: any Encoder) throws {
            var line = encoder.container(keyedBy: LineKey.self)
            try line.encode(fourcc, forKey: "fourcc")
            try line.encode(name, forKey: "name")
            try line.encode(description, forKey: "description")
            try line.encode(modes, forKey: "modes")
        }
    }

    package struct Control: Encodable, Sendable {
        let name: String
        let type: String
        let minimum: Int
        let maximum: Int
        let defaultValue: Int
        /// Nil = the driver does not tell.
        let value: Int?
        /// The names of a menu's values.
        let items: [String: String]
        let isReadOnly: Bool
        let isInactive: Bool

        package func encode(to encoder: any Encoder) throws {
            var line = encoder.container(keyedBy: LineKey.self)
            try line.encode(name, forKey: "name")
            try line.encode(type, forKey: "type")
            try line.encode(minimum, forKey: "minimum")
            try line.encode(maximum, forKey: "maximum")
            try line.encode(defaultValue, forKey: "default")
            try line.encode(value, forKey: "value")
            try line.encode(items, forKey: "items")
            try line.encode(isReadOnly, forKey: "read_only")
            try line.encode(isInactive, forKey: "inactive")
        }
    }

    let path: String
    let stablePaths: [String]
    let card: String
    let driver: String
    let bus: String
    let formats: [Format]
    let controls: [Control]

    package init(_ camera: CameraDevice) {
        self.init(
            path: camera.path, stablePaths: camera.stablePaths, card: camera.card, driver: camera.driver,
            bus: camera.busInfo,
            formats: camera.formats.map { format in
                Format(
                    fourcc: format.native.fourcc, name: format.pixelFormat?.description,
                    description: format.driverDescription,
                    modes: format.modes.map { Mode(size: "\($0.size)", rates: $0.rates.map(\.description)) })
            },
            controls: camera.controls.map { control in
                Control(
                    name: control.name, type: "\(control.kind)", minimum: control.minimum, maximum: control.maximum,
                    defaultValue: control.defaultValue, value: control.value,
                    items: Dictionary(
                        control.items.map { ("\($0.index)", $0.name) }, uniquingKeysWith: { first, _ in first }),
                    isReadOnly: control.isReadOnly, isInactive: control.isInactive)
            })
    }

    init(
        path: String, stablePaths: [String], card: String, driver: String, bus: String, formats: [Format],
        controls: [Control]
    ) {
        self.path = path
        self.stablePaths = stablePaths
        self.card = card
        self.driver = driver
        self.bus = bus
        self.formats = formats
        self.controls = controls
    }

    package func encode(to encoder: any Encoder) throws {
        var line = encoder.container(keyedBy: LineKey.self)
        try line.encode("camera", forKey: "event")
        try line.encode(path, forKey: "path")
        try line.encode(stablePaths, forKey: "stable_paths")
        try line.encode(card, forKey: "card")
        try line.encode(driver, forKey: "driver")
        try line.encode(bus, forKey: "bus")
        try line.encode(formats, forKey: "formats")
        try line.encode(controls, forKey: "controls")
    }
}
