/// What a camera is known by when its number changes.
struct CameraIdentity: Hashable, Sendable {
    let card: String
    let busInfo: String
    /// Of several nodes of a device, which; nil = not known.
    let index: Int?

    init(_ node: VideoNode, index: Int?) {
        card = node.capability.card
        busInfo = node.capability.busInfo
        self.index = index
    }

    /// Whether `node` is the same camera.
    ///
    /// - Parameter isChosenByID: It was found by a link that names the device itself: it may sit at another port.
    func matches(_ node: VideoNode, index other: Int?, isChosenByID: Bool) -> Bool {
        guard node.capability.isCamera, node.capability.card == card else { return false }
        guard isChosenByID || node.capability.busInfo == busInfo else { return false }
        guard let index, let other else { return true }
        return index == other
    }
}
