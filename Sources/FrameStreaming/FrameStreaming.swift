@_exported public import FrameStreamingCamera
@_exported public import FrameStreamingCore
@_exported public import FrameStreamingFiles
@_exported public import FrameStreamingJPEG
@_exported public import FrameStreamingTCP
