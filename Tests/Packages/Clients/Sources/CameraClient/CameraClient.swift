import FrameStreamingCamera

func newest(of path: String) throws(FrameStreamingError) -> Frame? {
    var options = V4L2CameraOptions()
    options.onEvent = { print($0.message) }
    let camera = try V4L2Camera(path: path, options: options)
    guard case .frame(let frame)? = try camera.next(until: .after(.seconds(5))) else { return nil }
    return frame.copy()
}
