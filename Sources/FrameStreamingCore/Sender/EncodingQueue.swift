/// The jobs that wait for a thread, and the state of the threads: it decides when to start another
/// one, and which thread gets which job.
struct EncodingQueue<Job> {
    /// The result of adding a job.
    enum Addition: Equatable {
        /// A running thread will take it.
        case isQueued
        /// The caller must start a thread, which counts as running from now on.
        case needsThread
        /// Nothing is encoded any more: the caller keeps the job.
        case isRefused
    }

    /// What a thread does next.
    enum Turn {
        case job(Job)
        case end
    }

    /// Threads that may run at once.
    let limit: Int
    private(set) var jobs: [Job] = []
    private(set) var running = 0
    /// Threads that wait for a job.
    private(set) var idle = 0
    private(set) var isStopped = false

    init(limit: Int) { self.limit = limit }

    mutating func add(_ job: Job) -> Addition {
        guard !isStopped else { return .isRefused }
        jobs.append(job)
        guard running < limit, idle < jobs.count else { return .isQueued }
        running += 1
        return .needsThread
    }

    /// A thread has nothing to do, and asks for its turn from now on.
    mutating func rest() { idle += 1 }

    /// The turn of a thread that rests; nil = it goes on resting. It stops resting in the same step
    /// as it takes a job. Otherwise ``add(_:)`` could count on it for the next job.
    mutating func takeTurn() -> Turn? {
        guard isStopped || !jobs.isEmpty else { return nil }
        idle -= 1
        guard isStopped else { return .job(jobs.removeFirst()) }
        running -= 1
        return .end
    }

    /// A thread that was needed could not be started. Returns the jobs that no thread gets to.
    mutating func threadIsMissing() -> [Job] {
        running -= 1
        guard running == 0 else { return [] }
        defer { jobs = [] }
        return jobs
    }

    /// Ends all threads, and returns the jobs that none has begun.
    mutating func stop() -> [Job] {
        isStopped = true
        defer { jobs = [] }
        return jobs
    }
}
