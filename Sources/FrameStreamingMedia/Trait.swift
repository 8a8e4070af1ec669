#if !Media
    #error(
        "FrameStreamingMedia needs the package's trait: .package(url: ..., from: ..., traits: [\"Media\"])")
#endif
