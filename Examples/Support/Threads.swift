package import FrameStreaming
internal import Glibc

/// Runs `body` on a detached thread of its own. A call that blocks must not use the threads of
/// Swift's tasks: there are only as many as processors.
///
/// Unsafe code: the closure travels as a retained box, which the new thread alone takes over.
///
/// - Parameter name: The kernel keeps 15 bytes of it.
package func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) throws(FrameStreamingError) {
    let box = unsafe Unmanaged.passRetained(ThreadBody(name: name, run: body))
    var thread = pthread_t()
    let code = unsafe pthread_create(
        &thread, nil,
        { argument in
            guard let argument = unsafe argument else { return nil }
            let body = unsafe Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue()
            nameThread(body.name)
            body.run()
            return nil
        }, box.toOpaque())
    guard code == 0 else {
        unsafe box.release()
        throw FrameStreamingError(
            .system, "no thread could be started: end other programs, or raise the limit (ulimit -u)", errno: code)
    }
    pthread_detach(thread)
}

/// As `startThread`. Without the thread the program cannot do its work, and exits with status 1.
package func startThreadOrExit(_ name: String, _ body: @escaping @Sendable () -> Void) {
    do throws(FrameStreamingError) {
        try startThread(name, body)
    } catch {
        printError(error.description)
        exit(1)
    }
}

/// Names the calling thread for `top -H` and debuggers (proc(5)). Swift does not see glibc's call
/// for that.
private func nameThread(_ name: String) {
    guard let file = unsafe fopen("/proc/thread-self/comm", "w") else { return }
    unsafe fputs(String(name.prefix(15)), file)
    unsafe fclose(file)
}

private final class ThreadBody: Sendable {
    let name: String
    let run: @Sendable () -> Void

    init(name: String, run: @escaping @Sendable () -> Void) {
        self.name = name
        self.run = run
    }
}
