import FrameStreamingTCP

/// The connection alone: messages, without a sender or a receiver.
func echo(on address: String) throws(FrameStreamingError) {
    var options = TCPOptions()
    options.stream = "front"
    var receiving = TCPReceiverOptions()
    receiving.pixelFormats = [.jpeg, .gray8]
    let listener = try TCPListener(
        on: address, role: .receiver(receiving), handshake: .automatic, options: options)
    let transport = try listener.accept(until: .after(.seconds(10)))
    while let message = try transport.receive(until: .never) {
        switch message {
        case .frame(let frame, let info):
            print(frame.format, frame.byteCount, info.sequence)
            let word = Acknowledgement(sequence: info.sequence, creditThrough: info.sequence + 4)
            try transport.send(.acknowledgement(word), until: .after(.seconds(1)))
        case .sourceLost(let reason): print(String(printable: reason))
        default: break
        }
    }
    try transport.finish("enough", until: .after(.seconds(2)))
}

func connect(to address: String) throws(FrameStreamingError) -> Peer {
    let transport = try TCPTransport.connect(to: address, role: .sender, until: .after(.seconds(5)))
    defer { transport.close() }
    return transport.peer
}
