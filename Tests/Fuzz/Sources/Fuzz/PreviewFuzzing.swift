@testable internal import FrameStreamingPreview

/// What keeps other sites and other machines out, as each kind of preview has it.
private let guards = [false, true].flatMap { isLoopback in
    [false, true].map { SameOriginCheck(isLoopback: isLoopback, isSecure: $0, isClosed: $0) }
}

/// The heads of requests, what is thought of each, and the refusal that ended them.
private func requests(_ pieces: some Sequence<[UInt8]>) -> [String] {
    var reader = RequestReader()
    var found: [String] = []
    for piece in pieces {
        reader.append(piece)
        do throws(RequestRefusal) {
            while let head = try reader.next() {
                found.append(head.path + (head.query ?? "") + head.fields.map { $0.name + $0.value }.joined())
                _ = RequestPath(head.path)
                for guarded in guards { found.append("\(guarded.refusal(of: head)?.status.code ?? 0)") }
                let credentials = RequestCredentials(head, cookie: "frame_preview")
                found.append("\(credentials.token ?? "-") \(credentials.session ?? "-") \(credentials.code ?? "-")")
                for field in head.fields { _ = head.tokens(field.name) }
                _ = head.parameter("scale")
                _ = WebSocketHandshake.answer(head)
            }
        } catch {
            found.append("refused")
            return found
        }
    }
    return found
}

func fuzzHTTP(_ bytes: [UInt8]) {
    let (whole, pieces) = (requests([bytes]), requests(Pieces(bytes)))
    // Which of two limits is met first may depend on the pieces.
    invariant(whole.count == pieces.count && whole.dropLast() == pieces.dropLast(), "the pieces matter")
}

/// What a browser said, and what ended it.
private struct Said: Equatable {
    var events: [WebSocketInput.Event] = []
    var violation: WebSocketInput.Violation?
}

private func said(_ pieces: some Sequence<[UInt8]>) -> Said {
    var input = WebSocketInput()
    var said = Said()
    for piece in pieces {
        input.append(piece)
        do throws(WebSocketInput.Violation) {
            while let event = try input.next() {
                said.events.append(event)
                if case .text(let text) = event { _ = LiveMessage(text) }
                if case .binary(let bytes) = event { _ = LiveAcknowledgement(bytes) }
                if event == .closed { return said }
            }
        } catch {
            said.violation = error
            return said
        }
    }
    return said
}

func fuzzWebSocket(_ bytes: [UInt8]) {
    invariant(said([bytes]) == said(Pieces(bytes)), "the pieces matter")
}
