// A file needs only this import: the frames, protocols and errors come with it.
@_exported public import FrameStreamingCore
