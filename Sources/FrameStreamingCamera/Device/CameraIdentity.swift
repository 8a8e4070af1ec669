/// What identifies a camera when its device number changes.
struct CameraIdentity: Hashable, Sendable {
    let card: String
    let busInfo: String
    /// The node's index among those of its device; nil if not known.
    let index: Int?

    init(_ node: VideoNode, index: Int?) {
        card = node.capability.card
        busInfo = node.capability.busInfo
        self.index = index
    }

    /// Returns whether `node` is the same camera.
    ///
    /// - Parameter isChosenByID: Whether the node was found by a link that names the device. Such a
    ///   device may be at another port.
    func matches(_ node: VideoNode, index other: Int?, isChosenByID: Bool) -> Bool {
        guard node.capability.isCamera, node.capability.card == card else { return false }
        guard isChosenByID || node.capability.busInfo == busInfo else { return false }
        guard let index, let other else { return true }
        return index == other
    }
}
