#if !Preview
    #error("FrameStreamingPreview needs the package's trait: .package(url: ..., from: ..., traits: [\"Preview\"])")
#endif
