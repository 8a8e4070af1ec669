@_exported public import FrameStreamingCore
@_exported public import FrameStreamingFiles
