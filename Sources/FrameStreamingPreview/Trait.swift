#if !Preview
    #error(
        "the product FrameStreamingPreview needs the package's trait: .package(url: ..., from: ..., traits: [\"Preview\"])")
#endif
