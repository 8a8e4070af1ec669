// One import is enough for a test: the frames, protocols and errors that it speaks of come with the tools.
@_exported public import FrameStreamingCore
