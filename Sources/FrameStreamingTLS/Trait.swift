#if !TLS
    #error("FrameStreamingTLS needs the package's trait: .package(url: ..., from: ..., traits: [\"TLS\"])")
#endif
