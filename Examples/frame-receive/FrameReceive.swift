import ArgumentParser
import ExampleSupport
import FrameStreaming

/// Receives pictures from any number of senders, decodes them, and records them where asked.
@main
struct FrameReceive: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "frame-receive", abstract: "Receives live pictures over TCP.", version: version)

    @OptionGroup(title: "Connection") var connection: ReceiveOptions
    @OptionGroup(title: "Pictures") var pictures: ConsumeOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func run() throws {
        let report = ReceiverReport<ReceivingCodec>(output, frames: pictures.frames, once: connection.isSingle)
        let recordings = Recordings(pictures.record, rate: pictures.recordRate ?? .thirty)

        // What a program of your own does with each connection: take frame after frame. Asking for the next one says that
        // the last was consumed, and lets the sender send another.
        @Sendable func consume(_ transport: TCPTransport) throws(FrameStreamingError) {
            let receiver = try FrameReceiver(
                codec: pictures.codec, transport: transport, decode: pictures.decodeSettings, onEvent: report.event)
            let recording = recordings.next()
            report.during(receiver) { () throws(FrameStreamingError) in
                defer { recording.close() }
                while let received = try receiver.next() {
                    try recording.write(received)
                    pictures.consume()
                    guard report.goesOn(after: received, of: receiver) else { return }
                }
            }
        }

        if let sender = connection.from {
            let cancellation = TCPCancellation()
            try report.during(stop: cancellation.cancel) { () throws(FrameStreamingError) in
                try consume(try connection.connect(to: sender, cancellation))
            }
        } else {
            let listener = try connection.listener()
            report.listening(address: listener.address, port: listener.port)
            try report.during(stop: listener.stop) { () throws(FrameStreamingError) in
                try listener.serve(maximumConnections: connection.maximumConnections, onError: report.failed, consume)
            }
        }
    }
}
